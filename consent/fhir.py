"""Medical consents as HL7 FHIR R4 Consent resources (http://hl7.org/fhir/R4/consent.html), in one Bundle.

Only the medical items of a consent are said; a consent without any has no resource. The patient is named by
the pairwise pseudonym of the recipient, never by a name or number.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from consent.items import Item
from consent.receipts import Facts, instant
from consent.records import State
from consent.text import ShownText

_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
_STATUS: Mapping[State, str] = {
    State.REQUESTED: "proposed",
    State.DEFERRED: "proposed",
    State.REFUSED: "rejected",
    State.ACTIVE: "active",
    State.PAUSED: "inactive",
    State.WITHDRAWING: "inactive",
    State.WITHDRAWN: "inactive",
    State.REVOKED: "inactive",
    State.EXPIRED: "inactive",
    State.INVALIDATED: "entered-in-error",
}
"""FHIR knows no pause and no difference between endings; the 27560 record does."""


def bundle(resources: Sequence[Mapping[str, Any]], at: int) -> dict[str, Any]:
    """The resources as one collection Bundle, made at `at` (epoch seconds)."""
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": instant(at),
        "entry": [{"fullUrl": f"urn:mydata:{one['id']}", "resource": dict(one)} for one in resources],
    }


def resource(facts: Facts, text: ShownText | None) -> dict[str, Any] | None:
    """One consent as a Consent resource; None when nothing medical is in it."""
    consent, house, catalogue = facts.consent, facts.house, facts.wording.catalogue
    items = [i for i in consent.terms.items if catalogue.dataset(i.dataset).sector == "medical"]
    if not items:
        return None
    language = consent.language
    made: dict[str, Any] = {
        "resourceType": "Consent",
        "id": consent.id,
        "meta": {"versionId": str(consent.version), "lastUpdated": instant(consent.changed_at)},
        "language": language,
        "identifier": [{"system": f"{house.issuer}/my/consents", "value": consent.id}],
        "status": _STATUS[consent.state],
        "scope": _code(f"{_TERMINOLOGY}/consentscope", "patient-privacy"),
        "category": [_code("http://loinc.org", "59284-0")],
        "patient": {"identifier": {"system": f"{house.issuer}/subjects", "value": facts.principal}},
        "dateTime": instant(consent.created_at),
        "organization": [_party(house.operator_id, house.operator_name[language])],
        "policy": [{"authority": house.issuer, "uri": f"{house.issuer}/my/consents/{consent.id}/text"}],
        "provision": {
            "type": "permit",
            "period": {"start": consent.terms.start.isoformat(), "end": consent.terms.end.isoformat()},
            "actor": [
                {
                    "role": _code(f"{_TERMINOLOGY}/v3-ParticipationType", "IRCP"),
                    "reference": _party(
                        facts.wording.client.id, (facts.wording.client.name or {}).get(language, "")
                    ),
                }
            ],
            "action": [_code(f"{_TERMINOLOGY}/consentaction", "disclose")],
            "purpose": [{"system": f"{_TERMINOLOGY}/v3-ActReason", "code": "PATRQT"}],
            "provision": [_provision(item, facts) for item in items],
        },
    }
    if text is not None:
        made["sourceAttachment"] = {
            "contentType": "text/plain; charset=utf-8",
            "language": text.language,
            "data": base64.b64encode(text.body.encode()).decode(),
            "title": f"sha256:{text.hash}",
        }
    return made


def _provision(item: Item, facts: Facts) -> dict[str, Any]:
    """One medical item: which kind of resource, since when, from which holder, which elements."""
    holder = facts.wording.holders[item.holder]
    period: dict[str, Any] = {"start": item.history_from.isoformat()}
    if item.history_to is not None:
        period["end"] = item.history_to.isoformat()
    return {
        "type": "permit",
        "actor": [
            {
                "role": _code(f"{_TERMINOLOGY}/v3-RoleClass", "PROV"),
                "reference": _party(holder.id, holder.name[facts.consent.language]),
            }
        ],
        "class": [{"system": "http://hl7.org/fhir/resource-types", "code": "Observation"}],
        "code": [{"text": f"{item.dataset}: {', '.join(item.fields)}"}],
        "dataPeriod": period,
    }


def _code(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def _party(id: str, display: str) -> dict[str, Any]:
    return {"identifier": {"value": id}, **({"display": display} if display else {})}
