"""Each way an operator could cheat, and by name everybody who notices."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.ledger.witness import Witness
from tests.ledger.operator import CHEATS, World, caught_by
from tests.unit.consent.ledger.exports import VKEY

PAGE = Path(__file__).resolve().parents[2] / "docs" / "design" / "ledger.md"
NOBODY = "nobody"


def told() -> dict[str, set[str]]:
    """The table of docs/design/ledger.md: cheat -> who notices."""
    text = PAGE.read_text(encoding="utf-8")
    part = text.partition("## A dishonest operator\n")[2].partition("\n## ")[0]
    rows = [re.findall(r"\s*([^|]+?)\s*\|", row[1:]) for row in part.splitlines() if row.startswith("|")]
    return {row[0]: set(row[1].split(", ")) - {NOBODY} for row in rows[2:]}


TOLD = told()


def test_every_cheat_stands_in_the_papers() -> None:
    """The table names each; what nobody notices is no more than it says."""
    assert list(TOLD) == list(CHEATS)
    assert [name for name, who in TOLD.items() if not who] == ["no cheat", "invent an event"]


@pytest.mark.parametrize("name", CHEATS)
def test_a_cheat_is_noticed_by_those_the_papers_name(name: str, tmp_path: Path) -> None:
    """Neither fewer nor more than told."""
    key = Ed25519PrivateKey.from_private_bytes(b"w" * 32)
    world = World(tmp_path, Witness(tmp_path / "witness", "bank.test/witness", key, [VKEY]))

    assert caught_by(world, CHEATS[name]()) == TOLD[name]
