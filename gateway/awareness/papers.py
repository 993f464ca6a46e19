"""What was published, as files: JSON as kept, CSV made of it, and a catalogue of all in DCAT 3 (JSON-LD)."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from gateway.awareness.publishing import ABOUT, read

FEW = "few"
"""What stands in a CSV for a number that is not told: about fewer than five."""

LICENCE = "https://creativecommons.org/licenses/by/4.0/"
_IANA = "https://www.iana.org/assignments/media-types/"
_FILES = (("json", "application/json"), ("csv", "text/csv"))
_MONTHLY = "http://publications.europa.eu/resource/authority/frequency/MONTHLY"
_TITLES: Mapping[str, Mapping[str, str]] = {
    "use": {"ko": "마이데이터 이용 통계", "en": "Statistics of use"},
    "questionnaire": {"ko": "동의와 철회 뒤 설문", "en": "Questionnaire after consent and withdrawal"},
}
_ABOUT: Mapping[str, Mapping[str, str]] = {
    "use": {
        "ko": "동의, 철회, 전송의 수를 분야, 목적, 나이대, 받는 곳의 종류별로 셌어요. "
        "수는 5의 배수로 흐려 놓았어요.",
        "en": "Consents, withdrawals and transfers by sector, purpose, age band and kind of recipient. "
        "Numbers carry noise and are rounded to multiples of five.",
    },
    "questionnaire": {
        "ko": "누가 답했는지 알 수 없는 설문의 답이에요. 수는 5의 배수로 흐려 놓았어요.",
        "en": "Answers nobody can be found by. Numbers carry noise and are rounded to multiples of five.",
    },
}


@dataclass(frozen=True, slots=True)
class Publisher:
    """Who publishes, and where: `origin` is the gateway's public origin."""

    origin: str
    name: Mapping[str, str]
    contact: str


def table(body: bytes) -> bytes:
    """The CSV (RFC 4180, UTF-8) of what was published: the same numbers in the same order."""
    told, out = read(body), io.StringIO(newline="")
    rows = csv.writer(out, lineterminator="\r\n")
    rows.writerow(("month", "measure", "by", "value", "number"))
    for cell in told["cells"]:
        number = FEW if cell["few"] else cell["number"]
        rows.writerow((told["month"], cell["measure"], cell["by"], cell["value"], number))
    return out.getvalue().encode()


def catalogue(publisher: Publisher, published: Sequence[tuple[str, str, str, bytes]]) -> bytes:
    """Everything published as a DCAT 3 catalogue: one series a subject, one dataset a month."""
    root = f"{publisher.origin}/statistics"
    datasets = [_dataset(root, publisher, *one) for one in published]
    made = {
        "@context": _CONTEXT,
        "@id": f"{root}/catalog.jsonld",
        "@type": "dcat:Catalog",
        "dct:title": _words({"ko": "마이데이터 게이트웨이 통계", "en": "MyData Gateway statistics"}),
        "dct:publisher": _agent(publisher),
        "dct:language": ["ko", "en"],
        "dct:license": {"@id": LICENCE},
        "dcat:dataset": [*(_series(root, about) for about in ABOUT), *datasets],
    }
    return orjson.dumps(made)


def _series(root: str, about: str) -> dict[str, Any]:
    return {
        "@id": f"{root}/{about}",
        "@type": "dcat:DatasetSeries",
        "dct:identifier": about,
        "dct:title": _words(_TITLES[about]),
        "dct:description": _words(_ABOUT[about]),
        "dct:accrualPeriodicity": {"@id": _MONTHLY},
    }


def _dataset(
    root: str, publisher: Publisher, about: str, month: str, day: str, body: bytes
) -> dict[str, Any]:
    told, place = read(body), f"{root}/{about}/{month}"
    titles = {language: f"{title} {month}" for language, title in _TITLES[about].items()}
    bytes_of = {"json": body, "csv": table(body)}
    return {
        "@id": place,
        "@type": "dcat:Dataset",
        "dct:identifier": f"{about}/{month}",
        "dct:title": _words(titles),
        "dct:description": _words(_ABOUT[about]),
        "dct:publisher": _agent(publisher),
        "dct:license": {"@id": LICENCE},
        "dct:issued": {"@value": day, "@type": "xsd:date"},
        "dct:temporal": {
            "@type": "dct:PeriodOfTime",
            "dcat:startDate": {"@value": told["from"], "@type": "xsd:date"},
            "dcat:endDate": {"@value": told["until"], "@type": "xsd:date"},
        },
        "dcat:inSeries": {"@id": f"{root}/{about}"},
        "dcat:distribution": [
            _distribution(f"{place}.{suffix}", kind, bytes_of[suffix]) for suffix, kind in _FILES
        ],
    }


def _distribution(place: str, kind: str, content: bytes) -> dict[str, Any]:
    digest = {"@value": hashlib.sha256(content).hexdigest(), "@type": "xsd:hexBinary"}
    return {
        "@id": place,
        "@type": "dcat:Distribution",
        "dcat:downloadURL": {"@id": place},
        "dcat:accessURL": {"@id": place},
        "dcat:mediaType": {"@id": f"{_IANA}{kind}"},
        "dcat:byteSize": {"@value": str(len(content)), "@type": "xsd:nonNegativeInteger"},
        "dct:license": {"@id": LICENCE},
        "spdx:checksum": {
            "@type": "spdx:Checksum",
            "spdx:algorithm": {"@id": "spdx:checksumAlgorithm_sha256"},
            "spdx:checksumValue": digest,
        },
    }


def _agent(publisher: Publisher) -> dict[str, Any]:
    return {"@id": publisher.origin, "@type": "foaf:Agent", "foaf:name": _words(publisher.name)}


def _words(words: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"@value": text, "@language": language} for language, text in words.items()]


_CONTEXT = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "spdx": "http://spdx.org/rdf/terms#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
