"""A sector is data: a folder adds it, with holder, law and standard, and nothing that is code changes.

The path of the plan, 5 -> 8 -> 10 -> 13 sectors and purposes across them, are the folders of the roadmap.
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from connectors.registry import Entry, connect
from consent.calendar import day_begins
from consent.catalogue import Catalogue, load
from consent.errors import TermsError
from consent.terms import ClientInfo, HolderInfo, Terms, parse_details
from consent.text import Wording, build
from gateway.policy.bundle import load as load_policy
from gateway.policy.decision import Decision
from gateway.policy.embedded import EmbeddedEngine
from gateway.policy.question import parse
from gateway.policy.reference import with_sectors

ROADMAP = resources.files("consent.catalogue") / "roadmap"
STAGES = ("eight", "ten", "thirteen", "fusion")
TODAY = date(2026, 11, 22)

SECTOR = """
sector: weather
name: {ko: 날씨, en: Weather}
datasets:
  weather.stations:
    name: {ko: 우리 집 날씨 기록, en: My weather station}
    about: {ko: 집에 둔 기상 관측기의 기록, en: What the station at home measured}
    cycle_class: basic
    history_max: P1Y
    fields:
      station: {ko: 관측기 번호, en: Station, class: identifier, treatment: pseudonymise}
      orderDate: {ko: 관측일, en: Day, class: time, treatment: {truncate: day}}
"""
LAW = """
third_party:
  - sector: weather
    basis: portability
    recipients: [general, specialised]
    periodic: [specialised]
    operators: [sandbox, designated_intermediary]
    article: Weather Act 1
    cite: {ko: 날씨법 제1조, en: Weather Act 1}
    effective_from: 2026-11-01
    source: a test
    verified: false
    text: {ko: 날씨법에 따라 보내 달라고 요구할 수 있어요., en: Under the Weather Act you can require it.}
self_download: []
"""
PURPOSES = """
garden:
  name: {ko: 텃밭 가꾸기, en: Gardening}
  about: {ko: 언제 물을 줄지 알려 드려요., en: Tells when to water.}
  sectors: [weather]
  max_period: P1Y
  max_retention: P90D
  usual_frequency: P7D
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that adds the sector of the weather: datasets, law, purpose, the holder's standard."""
    (tmp_path / "weather.yaml").write_text(SECTOR, encoding="utf-8")
    (tmp_path / "legal.yaml").write_text(LAW, encoding="utf-8")
    (tmp_path / "purposes.yaml").write_text(PURPOSES, encoding="utf-8")
    (tmp_path / "connectors").mkdir()
    spec = (resources.files("connectors.sectors.retail") / "spec.yaml").read_text(encoding="utf-8")
    mine = spec.replace("retail.orders", "weather.stations").replace("sector: retail", "sector: weather")
    (tmp_path / "connectors" / "weather.yaml").write_text(mine, encoding="utf-8")
    return tmp_path


def asked(catalogue: Catalogue, purpose: str, frequency: str = "once") -> list[dict[str, Any]]:
    """A request for the first dataset of each sector of the purpose, one holder a sector."""
    objects = []
    for sector in catalogue.purposes[purpose].sectors:
        dataset = next(one for one in catalogue.datasets.values() if one.sector == sector)
        fields = [field.id for field in dataset.fields.values() if field.leaves]
        objects.append(
            {
                "type": "mydata_transfer", "holder": f"{sector}-holder", "purpose": purpose,
                "start": TODAY.isoformat(), "end": (TODAY + timedelta(days=30)).isoformat(),
                "retention": "P30D",
                "items": [{
                    "dataset": dataset.id, "fields": fields, "required": True, "frequency": frequency,
                    "history_from": (TODAY - timedelta(days=60)).isoformat(),
                }],
            }
        )  # fmt: skip
    return objects


def read(catalogue: Catalogue, details: list[dict[str, Any]]) -> Terms:
    """The terms, read as the door of pushed requests reads them."""
    client = ClientInfo("a-company", frozenset(catalogue.purposes))
    return parse_details(details, catalogue=catalogue, holders=holders(catalogue), client=client, today=TODAY)


def holders(catalogue: Catalogue) -> dict[str, HolderInfo]:
    """One holder a sector."""
    return {f"{s}-holder": HolderInfo(f"{s}-holder", s, words) for s, words in catalogue.sectors.items()}


async def decided(catalogue: Catalogue, terms: Terms, kinds: dict[str, str], **more: Any) -> Decision:
    """What policy with the law of this catalogue says to a transfer of all of it."""
    engine = EmbeddedEngine(with_sectors(load_policy(), catalogue))
    return await engine.decide(parse(json.dumps(question(terms, kinds) | more).encode()))


def question(terms: Terms, kinds: dict[str, str], at: int = day_begins(TODAY) + 90_000) -> dict[str, Any]:
    """A transfer of all of these terms, asked a day later."""
    consented: list[dict[str, Any]] = [
        {
            "holder": item.holder, "dataset": item.dataset, "fields": list(item.fields),
            "frequency": item.frequency, "history_from": day_begins(item.history_from),
        }
        for item in terms.items
    ]  # fmt: skip
    items = [
        {
            **item, "sector": item["dataset"].split(".")[0], "sensitive": [],
            "interval_days": terms.items[place].frequency_days, "prior": {"count": 0, "last": None},
        }
        for place, item in enumerate(consented)
    ]  # fmt: skip
    span = {"start": terms.start_at, "end": terms.end_at}
    return {
        "request": {"id": "t-1", "time": at, "operation": "transfer", "items": items},
        "client": {"id": "a-company", "status": "active", "kinds": kinds, "country": "KR"},
        "consent": {
            "id": "c-1", "version": 1, "state": "active", **span, "purpose": terms.purpose,
            "retention_days": 30, "items": consented,
        },
        "token": {"consent_version": 1},
        "consortium": {
            "id": "k-1", "contract": "contract-1", "holders": list(terms.holders),
            "recipients": ["a-company"],
            "sectors": [item["sector"] for item in items], "purposes": [terms.purpose], **span,
        },
        "operator": {"role": "sandbox"},
        "subject": {"age": 34},
    }  # fmt: skip


async def test_a_sector_added_by_a_folder_goes_from_request_to_policy_to_text(folder: Path) -> None:
    """Asked, judged by its own law row, and told to the citizen in both languages."""
    catalogue = load(None, folder)
    terms = read(catalogue, asked(catalogue, "garden"))
    decision = await decided(catalogue, terms, {"weather": "general"})
    assert decision.allow
    assert [(one.basis, one.article) for one in decision.granted] == [("portability", "Weather Act 1")]
    for language, words in (("ko", "날씨법 제1조"), ("en", "Weather Act 1")):
        client = ClientInfo("a-company", frozenset({"garden"}), name={"ko": "회사", "en": "Company"})
        text = build(terms, Wording(catalogue, holders(catalogue), client, language, TODAY))
        assert words in text.body


async def test_the_law_of_an_added_sector_decides_who_receives_and_how_often(folder: Path) -> None:
    """A recipient of another kind is refused; a cycle only for whom the row names; nothing before its day."""
    catalogue = load(None, folder)
    once = read(catalogue, asked(catalogue, "garden"))
    weekly = read(catalogue, asked(catalogue, "garden", "P7D"))
    refused = await decided(catalogue, once, {"weather": "contract"})
    assert [one.code for one in refused.withheld] == ["recipient_not_entitled"]
    cycle = await decided(catalogue, weekly, {"weather": "general"})
    assert [one.code for one in cycle.withheld] == ["periodic_to_general_recipient"]
    assert (await decided(catalogue, weekly, {"weather": "specialised"})).allow
    carried = await decided(catalogue, once, {"weather": "general"}, operator={"role": "processor"})
    assert [one.code for one in carried.withheld] == ["intermediary_required"]


async def test_a_changed_law_is_one_more_row(folder: Path) -> None:
    """A row from a later day replaces the first from that day on, and not a second earlier."""
    file = folder / "legal.yaml"
    text = file.read_text(encoding="utf-8")
    later = text.split("third_party:")[1].split("self_download")[0].replace("2026-11-01", "2026-11-24")
    later = later.replace("[general, specialised]", "[special]").replace("[specialised]", "[]")
    file.write_text(text.replace("self_download", f"{later.lstrip(chr(10))}self_download"), encoding="utf-8")
    catalogue = load(None, folder)
    assert len([row for row in catalogue.legal if row.sector == "weather"]) == 2
    terms = read(catalogue, asked(catalogue, "garden"))
    day = day_begins(date(2026, 11, 24))
    engine = EmbeddedEngine(with_sectors(load_policy(), catalogue))
    for at, stays in ((day - 1, []), (day, ["recipient_not_entitled"])):
        document = question(terms, {"weather": "general"}, at)
        decision = await engine.decide(parse(json.dumps(document).encode()))
        assert [one.code for one in decision.withheld] == stays


def test_the_holder_of_an_added_sector_speaks_the_standard_of_the_folder(folder: Path) -> None:
    """A spec in the folder makes a connector; without it there is none."""
    names = {"ko": "날씨", "en": "Weather"}
    entry = Entry("weather-holder", "weather", names, "http://127.0.0.1:9", "ZZAA000009")
    made = connect(entry, folder)
    assert [dataset.id for dataset in made.manifest.datasets] == ["weather.stations"]
    with pytest.raises(Exception, match="there is no connector for the sector weather"):
        connect(entry)


def test_what_is_shipped_says_nothing_of_an_added_sector() -> None:
    """Without the folder the same request is refused, and policy is the very same bytes."""
    catalogue = load()
    assert with_sectors(load_policy(), catalogue) == load_policy()
    details = asked(load(None, *(ROADMAP / stage for stage in STAGES)), "care-at-home")
    with pytest.raises(TermsError, match="purpose_unknown"):
        read(catalogue, details)


@pytest.mark.parametrize(("stages", "count"), [(0, 5), (1, 8), (2, 10), (3, 13), (4, 13)])
def test_the_path_of_the_plan_is_folders(stages: int, count: int) -> None:
    """Five sectors, then eight, ten and thirteen; every added row says that it was not read in the law."""
    catalogue = load(None, *(ROADMAP / stage for stage in STAGES[:stages]))
    assert len(catalogue.sectors) == count
    shipped = load()
    added = [row for row in catalogue.legal if row.sector not in shipped.sectors]
    assert all(not row.verified and row.basis == "consent" and row.needs == ("contract",) for row in added)
    assert {row.sector for row in added} == set(catalogue.sectors) - set(shipped.sectors)


@pytest.mark.parametrize("purpose", ["moving-home", "care-at-home"])
async def test_a_fusion_service_is_one_purpose_and_one_consent_over_several_sectors(purpose: str) -> None:
    """Each source leaves on the basis of its own sector; health data still goes to a special institution."""
    catalogue = load(None, *(ROADMAP / stage for stage in STAGES))
    terms = read(catalogue, asked(catalogue, purpose))
    kinds = dict.fromkeys(catalogue.sectors, "contract") | {
        "finance": "licensed_operator", "telecom": "general", "energy": "general", "medical": "special",
    }  # fmt: skip
    decision = await decided(catalogue, terms, kinds)
    assert decision.allow
    assert len(decision.granted) == len(catalogue.purposes[purpose].sectors) >= 3
    assert {one.basis for one in decision.granted} == {"portability", "consent"}
    if purpose == "care-at-home":
        other = await decided(catalogue, terms, kinds | {"medical": "general"})
        assert [one.code for one in other.withheld] == ["medical_recipient"]


def test_a_folder_takes_nothing_back(folder: Path) -> None:
    """A sector or a purpose that is there already is refused by name."""
    (folder / "again.yaml").write_text(SECTOR.replace("weather", "telecom"), encoding="utf-8")
    with pytest.raises(Exception, match="telecom has a file already"):
        load(None, folder)
    (folder / "again.yaml").unlink()
    (folder / "purposes.yaml").write_text(PURPOSES.replace("garden", "household-finance"), encoding="utf-8")
    with pytest.raises(Exception, match="there is such a purpose already"):
        load(None, folder)


def test_a_purpose_that_pages_could_not_show_is_refused_when_read(folder: Path) -> None:
    """How often is usual must be a length of time, or the consent page could not be made."""
    bent = PURPOSES.replace("usual_frequency: P7D", "usual_frequency: once")
    (folder / "purposes.yaml").write_text(bent, encoding="utf-8")
    with pytest.raises(Exception, match=r"garden\.usual_frequency"):
        load(None, folder)
