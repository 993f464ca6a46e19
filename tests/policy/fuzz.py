"""Seeded questions, bent and spoilt, put to both engines: the same bytes, and no allow on nonsense.

python -m tests.policy.fuzz --count 1000000 --seed 1      (make policy-fuzz)
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import aiohttp

from gateway.policy.bundle import load
from gateway.policy.decision import parse as parse_answer
from gateway.policy.embedded import EmbeddedEngine
from gateway.policy.errors import PolicyError, PolicyUnavailable
from gateway.policy.question import parse
from gateway.policy.server import LocalOpa
from tests import opa
from tests.policy.table import rows

SEED = 20261122
BATCH = 100
SENDING_SECONDS = 0.005
"""How long a batch takes on its way: then both engines think at the same time."""

SPOILT = 12
"""One question in so many is spoilt past its schema; the others stay as a door could ask them."""

MANY = """package fuzz

answers := [answer |
	some question in input.questions
	answer := data.mydata.transfer.decision with input as question
]
"""

ODD: list[Any] = [None, True, False, 0, 1, -1, 7, 1795305600, 2**53, 1.5, "", "x", "once", "P7D", "KR"]
ODD += ["active", [], {}, ["x"], [None], {"a": 1}, "finance", "general", "special", "\u0000", "é", "한"]
STEPS = [-86400 * 7, -86400, -1, 1, 86400, 86400 * 7]

Way = tuple[str | int, ...]


@dataclass
class Tally:
    """What a run saw."""

    sound: int = 0
    spoilt: int = 0
    allowed: int = 0
    broke_off: int = 0


def leaves(value: Any, way: Way = ()) -> list[Way]:
    """The way to every value inside, the containers too."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [way] if way else []
    for key, part in inside:
        found += leaves(part, (*way, key))
    return found


def at(document: Any, way: Way) -> Any:
    """The value at the end of a way."""
    for step in way:
        document = document[step]
    return document


def spoil(document: dict[str, Any], dice: random.Random) -> None:
    """Change, remove or duplicate one place, anything goes."""
    way = dice.choice(leaves(document))
    place: Any = at(document, way[:-1])
    action, value = dice.random(), place[way[-1]]
    if action < 0.2:
        del place[way[-1]]
    elif action < 0.3 and isinstance(place, list):
        place.append(_fresh(dice.choice(place)))
    elif action < 0.5 and isinstance(value, int) and not isinstance(value, bool):
        place[way[-1]] += dice.choice(STEPS)
    else:
        place[way[-1]] = _fresh(dice.choice(ODD))


def pool() -> dict[tuple[str, ...], list[Any]]:
    """Every value the table has at a place, list positions left out."""
    values: dict[tuple[str, ...], list[Any]] = {}
    for row in rows():
        for way in leaves(row.document):
            values.setdefault(_names(way), []).append(at(row.document, way))
    return values


def bend(document: dict[str, Any], dice: random.Random, values: dict[tuple[str, ...], list[Any]]) -> None:
    """Put at one place what another row has there, or move a number a little."""
    way = dice.choice(leaves(document))
    place: Any = at(document, way[:-1])
    value = place[way[-1]]
    if isinstance(value, int) and not isinstance(value, bool) and dice.random() < 0.5:
        place[way[-1]] = max(0, value + dice.choice(STEPS))
    else:
        place[way[-1]] = _fresh(dice.choice(values[_names(way)]))


def questions(count: int, seed: int = SEED) -> Iterator[tuple[bytes, bool]]:
    """Changed questions of the table with few items each, the same for the same seed; and whether sound."""
    dice, values, texts = random.Random(seed), pool(), [json.dumps(row.document) for row in rows()]
    number = 0
    while number < count:
        document = json.loads(dice.choice(texts))
        items = document["request"]["items"]
        document["request"]["items"] = dice.sample(items, min(len(items), dice.choice([1, 1, 2, 3])))
        for _change in range(dice.choice([1, 1, 2, 3])):
            bend(document, dice, values) if number % SPOILT else spoil(document, dice)
        data = json.dumps(document).encode()
        if (sound := is_sound(data)) or not number % SPOILT:
            yield data, sound
            number += 1


def is_sound(data: bytes) -> bool:
    """Whether the schema lets this question through to an engine."""
    try:
        parse(data)
    except PolicyError:
        return False
    return True


def canonical(found: Any) -> Any:
    """An answer with its lists in one order."""
    if isinstance(found, dict):
        return {
            k: sorted(map(canonical, v), key=json.dumps) if isinstance(v, list) else canonical(v)
            for k, v in found.items()
        }
    return found


class Reference:
    """A real OPA that answers many questions in one call."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url

    async def prepare(self) -> None:
        """Give it the rule that asks the policy once a question."""
        async with self._session.put(f"{self._url}/v1/policies/fuzz", data=MANY) as answer:
            assert answer.status == 200, await answer.text()

    async def one(self, question: bytes) -> Any:
        """The bare answer, or None where a builtin failed."""
        body = b'{"input":' + question + b"}"
        return await self._ask("mydata/transfer/decision", body)

    async def many(self, asked: list[bytes]) -> Any:
        """The bare answers to sound questions, in order."""
        return await self._ask("fuzz/answers", b'{"input":{"questions":[' + b",".join(asked) + b"]}}")

    async def _ask(self, path: str, body: bytes) -> Any:
        strict = {"strict-builtin-errors": "true"}
        async with self._session.post(f"{self._url}/v1/data/{path}", data=body, params=strict) as answer:
            return (await answer.json()).get("result") if answer.status == 200 else None


async def run(reference: Reference, engine: EmbeddedEngine, count: int, seed: int = SEED) -> Tally:
    """Put `count` questions to both; AssertionError names the first one they differ on."""
    tally, batch = Tally(), list[bytes]()
    for data, sound in questions(count, seed):
        if sound:
            batch.append(data)
        else:
            await _spoilt(reference, engine, data, tally)
        if len(batch) == BATCH:
            await _sound(reference, engine, batch, tally)
            batch = []
    await _sound(reference, engine, batch, tally)
    return tally


async def _sound(reference: Reference, engine: EmbeddedEngine, batch: list[bytes], tally: Tally) -> None:
    asking = asyncio.create_task(reference.many(batch))
    await asyncio.sleep(SENDING_SECONDS)
    mine = [engine.evaluate(data) for data in batch]
    theirs = await asking
    assert theirs is not None, "the reference gave no answer to a sound question"
    assert len(theirs) == len(mine)
    for data, answer, other in zip(batch, mine, theirs, strict=True):
        parse_answer(answer, parse(data), engine="x", revision="x")
        own = json.loads(answer)
        assert own == other or canonical(own) == canonical(other), data.decode()
        tally.sound += 1
        tally.allowed += own["allow"]


async def _spoilt(reference: Reference, engine: EmbeddedEngine, data: bytes, tally: Tally) -> None:
    """Off the schema, where no door gets: one may break off, neither may allow what the other denies."""
    theirs = await reference.one(data)
    tally.spoilt += 1
    try:
        mine = json.loads(engine.evaluate(data))
    except PolicyUnavailable:
        mine = None
    if mine is None or theirs is None:
        tally.broke_off += 1
    else:
        assert mine["allow"] == theirs["allow"], data.decode()


async def main(count: int, seed: int) -> Tally:
    """Start OPA and run."""
    binary, reason = opa.binary()
    if binary is None:
        sys.exit(f"no OPA: {reason}")
    bundle = load()
    async with LocalOpa(binary, bundle) as server, aiohttp.ClientSession() as session:
        reference = Reference(session, server.url)
        await reference.prepare()
        return await run(reference, EmbeddedEngine(bundle), count, seed)


def _fresh(value: Any) -> Any:
    """A copy: what is changed later is the one question's own."""
    return json.loads(json.dumps(value))


def _names(way: Way) -> tuple[str, ...]:
    return tuple(step for step in way if isinstance(step, str))


if __name__ == "__main__":
    given = argparse.ArgumentParser()
    given.add_argument("--count", type=int, default=1_000_000)
    given.add_argument("--seed", type=int, default=SEED)
    chosen = given.parse_args()
    print(asyncio.run(main(chosen.count, chosen.seed)))
