"""Sectors that a folder adds decide alike on both engines: the law's rows travel in the bundle itself."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from consent.catalogue import load as load_catalogue
from gateway.policy.bundle import load, unpack
from gateway.policy.embedded import EmbeddedEngine
from gateway.policy.opa import OpaAddress, OpaEngine
from gateway.policy.reference import with_sectors
from gateway.policy.server import LocalOpa
from tests.policy.table import question

STAGES = ("eight", "ten", "thirteen", "fusion")
FOLDERS = [resources.files("consent.catalogue") / "roadmap" / stage for stage in STAGES]


def moved(sector: str, dataset: str, kind: str) -> list[dict[str, Any]]:
    """The base question, its first item of another sector and its recipient of this kind there."""
    return [
        {"op": "replace", "path": "/request/items/0/sector", "value": sector},
        {"op": "replace", "path": "/request/items/0/dataset", "value": dataset},
        {"op": "replace", "path": "/consent/items/0/dataset", "value": dataset},
        {"op": "add", "path": "/consortium/sectors/-", "value": sector},
        {"op": "add", "path": f"/client/kinds/{sector}", "value": kind},
    ]


@pytest.mark.opa
async def test_added_sectors_decide_the_same_bytes_on_both_engines(opa_binary: Path) -> None:
    """Each added sector, for a recipient by contract and for one of another kind; byte for byte."""
    catalogue = load_catalogue(None, *FOLDERS)
    bundle = with_sectors(load(), catalogue)
    assert unpack(bundle.tarball()) == bundle
    assert bundle.revision != load().revision
    embedded = EmbeddedEngine(bundle)
    added = [one for one in catalogue.datasets.values() if one.sector not in load_catalogue().sectors]
    async with LocalOpa(opa_binary, bundle) as server:
        engine = OpaEngine(OpaAddress(server.url, timeout_seconds=10), bundle.revision)
        for dataset in added:
            for kind, stays in (("contract", set()), ("general", {"recipient_not_entitled"})):
                asked = question(*moved(dataset.sector, dataset.id, kind))
                decision = await engine.decide(asked)
                item = f"hanbit-bank/{dataset.id}"
                assert {one.code for one in decision.withheld if one.item == item} == stays
                assert decision.canonical() == (await embedded.decide(asked)).canonical()
        await engine.close()


def test_an_added_purpose_is_for_adults_until_its_folder_says_otherwise() -> None:
    """What the folder opens to people of 14 to 18 travels in the bundle; what is known is left as it is."""
    catalogue = load_catalogue(None, *FOLDERS)
    youth = with_sectors(load(), catalogue).data["mydata"]["reference"]["youth"]
    assert youth == {id: list(purpose.youth) for id, purpose in catalogue.purposes.items()}
    assert "loan-review" not in load().data["mydata"]["reference"]["youth"]


async def test_without_its_folder_an_added_sector_has_no_basis() -> None:
    """The shipped policy knows nothing of it and keeps the item back."""
    decision = await EmbeddedEngine(load()).decide(
        question(*moved("welfare", "welfare.benefits", "contract"))
    )
    assert {one.code for one in decision.withheld if "welfare" in one.item} == {"no_legal_basis"}
