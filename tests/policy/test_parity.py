"""Two engines, one policy: the same bytes on hundreds of changed questions, and no allow on nonsense."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from gateway.policy.breaker import Breaker
from gateway.policy.bundle import PolicyBundle
from gateway.policy.decision import parse as parse_answer
from gateway.policy.embedded import EmbeddedEngine
from gateway.policy.errors import PolicyError, PolicyUnavailable
from gateway.policy.opa import OpaAddress, OpaEngine
from gateway.policy.question import parse
from gateway.policy.server import LocalOpa
from tests.policy.table import rows

pytestmark = pytest.mark.opa
SEED = 20261122
INPUTS = 300

ODD: list[Any] = [
    None,
    True,
    False,
    0,
    1,
    -1,
    7,
    1795305600,
    2**53,
    1.5,
    "",
    "x",
    "once",
    "P7D",
    "KR",
    "active",
]
ODD += [[], {}, ["x"], [None], {"a": 1}, "finance", "general", "special", "\u0000", "é", "한"]


def leaves(value: Any, way: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The way to every value inside, the containers too."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [way] if way else []
    for key, part in inside:
        found += leaves(part, (*way, key))
    return found


def spoil(document: dict[str, Any], dice: random.Random) -> None:
    """Change, remove or duplicate one place, anything goes."""
    way = dice.choice(leaves(document))
    place: Any = document
    for step in way[:-1]:
        place = place[step]
    action = dice.random()
    if action < 0.2:
        del place[way[-1]]
    elif action < 0.3 and isinstance(place, list):
        place.append(json.loads(json.dumps(dice.choice(place))))
    elif action < 0.5 and isinstance(place[way[-1]], int) and not isinstance(place[way[-1]], bool):
        place[way[-1]] += dice.choice([-86400 * 7, -86400, -1, 1, 86400, 86400 * 7])
    else:
        place[way[-1]] = dice.choice(ODD)


def pool() -> dict[tuple[str, ...], list[Any]]:
    """Every value the table has at a place, list positions left out."""
    values: dict[tuple[str, ...], list[Any]] = {}
    for row in rows():
        for way in leaves(row.document):
            place: Any = row.document
            for step in way:
                place = place[step]
            values.setdefault(names(way), []).append(place)
    return values


def names(way: tuple[str | int, ...]) -> tuple[str, ...]:
    """The way without positions."""
    return tuple(step for step in way if isinstance(step, str))


def bend(document: dict[str, Any], dice: random.Random, values: dict[tuple[str, ...], list[Any]]) -> None:
    """Put at one place what another row has there, or move a number a little."""
    way = dice.choice(leaves(document))
    place: Any = document
    for step in way[:-1]:
        place = place[step]
    value = place[way[-1]]
    if isinstance(value, int) and dice.random() < 0.5:
        place[way[-1]] = max(0, value + dice.choice([-86400 * 7, -86400, -1, 1, 86400, 86400 * 7]))
    else:
        place[way[-1]] = json.loads(json.dumps(dice.choice(values[names(way)])))


def inputs() -> list[dict[str, Any]]:
    """Changed copies of the table's questions, the same on every run: two of three bent, the third spoilt."""
    dice = random.Random(SEED)
    values = pool()
    made = []
    for place in range(INPUTS):
        document = json.loads(json.dumps(dice.choice(rows()).document))
        for _change in range(dice.choice([1, 1, 2, 3])):
            bend(document, dice, values) if place % 3 else spoil(document, dice)
        made.append(document)
    return made


async def answer(engine: EmbeddedEngine | OpaEngine, data: bytes) -> Any:
    """The engine's bare answer without any gate before it, or that it gave none."""
    try:
        raw = engine.evaluate(data)
        return json.loads(raw if isinstance(raw, bytes) else await raw)
    except PolicyUnavailable:
        return "no answer"


def canonical(found: Any) -> Any:
    """The answer with its lists in one order."""
    if isinstance(found, dict):
        return {
            k: sorted(map(canonical, v), key=json.dumps) if isinstance(v, list) else canonical(v)
            for k, v in found.items()
        }
    return found


def is_sound(data: bytes) -> bool:
    """Whether the schema lets this question through to an engine."""
    try:
        parse(data)
    except PolicyError:
        return False
    return True


async def test_the_same_answer_from_both(
    local_opa: LocalOpa, bundle: PolicyBundle, embedded: EmbeddedEngine
) -> None:
    """Both engines answer every sound question with the same bytes, and never differ in an allow."""
    opa = OpaEngine(
        OpaAddress(local_opa.url, timeout_seconds=20), bundle.revision, breaker=Breaker(failures=10**9)
    )
    sound = allowed = 0
    for document in inputs():
        data = json.dumps(document).encode()
        mine, reference = await answer(embedded, data), await answer(opa, data)
        if is_sound(data):
            sound += 1
            assert "no answer" not in (mine, reference), json.dumps(document)
            parse_answer(json.dumps(mine).encode(), parse(data), engine="x", revision="x")
            assert canonical(mine) == canonical(reference), json.dumps(document)
        if "no answer" not in (mine, reference):  # off the schema, where no door gets, one may break off
            assert mine["allow"] == reference["allow"], json.dumps(document)
            allowed += mine["allow"]
    assert sound > INPUTS // 2
    assert INPUTS // 10 < allowed < INPUTS
    await opa.close()
