"""No engine can decide: nothing is sent, that is recorded once, and later it goes on by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import orjson
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from gateway.demo.citizen import Wishes
from gateway.policy.bundle import load
from gateway.policy.embedded import EmbeddedEngine
from tests.flows.told import told
from tests.serving import listening, origin_of, serving
from tests.world import Given, World, open_world


class Opa:
    """A server that speaks OPA's protocol and decides with the real policy, unless told to fail."""

    def __init__(self) -> None:
        self.fails: Callable[[], Response] | None = None
        self._engine = EmbeddedEngine(load())

    async def decide(self, request: Request) -> Response:
        """POST /v1/data/mydata/transfer/decision."""
        if self.fails is not None:
            return self.fails()
        question = orjson.loads(await request.body())["input"]
        result = orjson.loads(self._engine.evaluate(orjson.dumps(question)))
        bundles = {"mydata": {"revision": self._engine.revision}}
        return JSONResponse({"result": result, "provenance": {"version": "1.20.2", "bundles": bundles}})

    def app(self) -> Starlette:
        """The server."""
        return Starlette(routes=[Route("/v1/data/mydata/transfer/decision", self.decide, methods=["POST"])])


@pytest.fixture
async def opa() -> AsyncIterator[tuple[Opa, str]]:
    """The server and its address."""
    server, bound = Opa(), listening()
    async with serving(server.app(), [bound]):
        yield server, origin_of(bound)


@pytest.fixture
async def world(tmp_path: Path, opa: tuple[Opa, str]) -> AsyncIterator[World]:
    """A world whose policy is decided there."""
    async with open_world(tmp_path, opa=opa[1]) as opened:
        yield opened


async def ask(given: Given, key: str) -> httpx.Response:
    """POST /transfers as it is answered."""
    url = f"{given.company.issuer}/transfers"
    return await given.company.call("POST", url, headers={"Idempotency-Key": key}, json={})


FAILURES: dict[str, Callable[[], Response]] = {
    "error": lambda: JSONResponse({"code": "internal_error"}, 500),
    "nonsense": lambda: PlainTextResponse("<html>proxy error"),
    "nothing": lambda: JSONResponse({"provenance": {"version": "1.20.2", "bundles": {}}}),
    "yes-man": lambda: JSONResponse(
        {"result": {"allow": True}, "provenance": {"bundles": {"x": {"revision": "y"}}}}
    ),
}


@pytest.mark.parametrize("failure", FAILURES)
async def test_without_a_decision_nothing_is_sent(world: World, opa: tuple[Opa, str], failure: str) -> None:
    """503 policy_unavailable; one decision and one entry a request; later the same key goes through."""
    given = await world.given()
    opa[0].fails = FAILURES[failure]
    async with world.unchanged(entries=1):
        for _ in range(2):
            answered = await ask(given, "while-it-is-down")
            told(answered, "policy_unavailable", 503)
            assert int(answered.headers["retry-after"]) > 0
    (decision,) = await world.rows("policy_decision")
    assert (decision["allow"], decision["available"]) == (False, False)
    assert "policy_unavailable" in decision["codes"]
    page = await given.citizen.look(given.consent_id)
    assert "policy_unavailable" not in page.text

    opa[0].fails = None
    transfer = await world.settled(given.company, (await ask(given, "while-it-is-down")).json())
    assert transfer["state"] == "ready"
    assert {one["outcome"] for one in transfer["items"] if one["sent"]} == {"complete"}
    page = await given.citizen.look(given.consent_id)
    records = next(one["records"] for one in transfer["items"] if one["sent"])
    assert f"{records:,}건" in page.words


async def test_the_citizen_is_never_kept_waiting(world: World, opa: tuple[Opa, str]) -> None:
    """While no engine decides, the citizen looks, refuses and withdraws as ever."""
    given = await world.given()
    opa[0].fails = FAILURES["error"]
    told(await ask(given, "refused-for-now"), "policy_unavailable", 503)

    other = await world.question(given.company, given.citizen)
    assert (await given.citizen.answer(other, "refuse", Wishes(items=()))).status == 200
    assert (await given.citizen.withdraw(given.consent_id)).status == 200
    told(await ask(given, "after-that"), "consent_withdrawn", 401)


async def test_an_engine_that_rests_is_not_asked(world: World, opa: tuple[Opa, str]) -> None:
    """After five failures in a row the next answer comes at once; then it recovers by itself."""
    given = await world.given()
    opa[0].fails = FAILURES["error"]
    for number in range(7):
        told(await ask(given, f"failing-{number}"), "policy_unavailable", 503)
    opa[0].fails = None
    told(await ask(given, "resting-now"), "policy_unavailable", 503)
    await asyncio.sleep(2.1)
    assert (await ask(given, "resting-now")).status_code == 202
