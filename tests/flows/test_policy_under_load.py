"""A real OPA killed, held up, replaced or talked over while companies ask: no allow that is not its own.

Each test keeps companies asking without a pause. Nothing is restarted but OPA.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.demo.citizen import Wishes
from gateway.policy.bundle import PolicyBundle, load, of
from gateway.policy.server import LocalOpa
from gateway.policy.watched import WatchedOpaEngine
from tests import opa as tools
from tests.flows.policy_load import Load
from tests.flows.policy_load import load as asking
from tests.serving import listening, origin_of, serving
from tests.world import Given, World, open_world, until

pytestmark = pytest.mark.opa

Change = Callable[[dict[str, Any]], object]
OURS = (load().revision, 90)


@pytest.fixture
def binary() -> Path:
    """The real OPA."""
    path, reason = tools.binary()
    if path is None:
        pytest.skip(f"group opa: {reason}")
    return path


class Between:
    """Stands between gateway and OPA: passes every word on, changed by `lie`; or has another OPA answer."""

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.lie: Change | None = None
        self._http = httpx.AsyncClient(trust_env=False, timeout=10)

    async def pass_on(self, request: Request) -> Response:
        """Any method, any path."""
        address = f"{self.upstream}{request.url.path}?{request.url.query}"
        said = await self._http.request(request.method, address, content=await request.body())
        content = said.content
        if self.lie is not None and request.method == "POST":
            document = said.json()
            self.lie(document)
            content = json.dumps(document).encode()
        return Response(content, said.status_code, {"content-type": "application/json"})

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        """Its origin, until the block ends."""
        bound = listening()
        routes = [Route("/{path:path}", self.pass_on, methods=["GET", "POST"])]
        async with serving(Starlette(routes=routes), [bound]), self._http:
            yield origin_of(bound)


def child(world: World) -> WatchedOpaEngine:
    """The OPA that the gateway started itself."""
    engine = world.parts.engine._held.engine
    assert isinstance(engine, WatchedOpaEngine)
    return engine


async def accepted(given: Given, *, key: str) -> None:
    """The company asks for a transfer under one key until there is a decision on it."""
    url, headers = f"{given.company.issuer}/transfers", {"Idempotency-Key": key}
    for _ in range(200):
        answered = await given.company.call("POST", url, headers=headers, json={})
        if answered.json().get("code") != "policy_unavailable":
            return
        assert answered.status_code == 503
        await asyncio.sleep(0.1)
    raise AssertionError("there was never a decision")


async def killed_until_refused(world: World, told: Load) -> None:
    """Kill OPA with SIGKILL, again when it was back before anybody had asked, until somebody was refused."""
    refused = told.counts[503]
    for _ in range(50):
        await until(lambda: child(world).pid is not None)
        killed = child(world).pid
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        await until(lambda killed=killed: child(world).pid not in {None, killed})  # type: ignore[misc]
        if told.counts[503] > refused:
            return
    raise AssertionError("fifty times back before anybody had asked")


async def test_killed_under_load_it_comes_back_by_itself(tmp_path: Path, binary: Path) -> None:
    """SIGKILL twice: 503 while there is no OPA, then allowed again; every allow on record is OPA's."""
    async with open_world(tmp_path, count=3, policy_engine="opa", opa_binary=binary) as world:
        given, asked = [await world.given(citizen=await world.citizen(person)) for person in ("p01", "p02")]
        async with asking(world, given) as told:
            for turn in range(2):
                await killed_until_refused(world, told)
                await accepted(asked, key=f"while-it-is-dead-{turn}")
                await told.comes(200)
        assert told.policies == {OURS}
        decided = await world.rows("policy_decision")
        assert {one["engine"] for one in decided if one["allow"]} == {"opa/1.20.2"}
        assert all(one["revision"] == load().revision for one in decided)


async def test_held_up_under_load_nobody_waits_who_ends_something(tmp_path: Path, binary: Path) -> None:
    """While OPA stands still companies get 503; withdrawing, revoking, refusing and reading go on."""
    async with open_world(tmp_path, count=3, policy_engine="opa", opa_binary=binary) as world:
        given, leaving, revoking = [
            await world.given(citizen=await world.citizen(person)) for person in ("p01", "p02", "p03")
        ]
        async with asking(world, given) as told:
            stopped = child(world).pid
            assert stopped is not None
            os.kill(stopped, signal.SIGSTOP)
            try:
                await told.comes(503)
                before = told.counts[200]
                assert (await leaving.citizen.withdraw(leaving.consent_id)).status == 200
                await revoked(revoking)
                question = await world.question(given.company, leaving.citizen)
                refused = await leaving.citizen.answer(question, "refuse", Wishes(items=()))
                assert refused.status == 200
                assert (await given.citizen.look(given.consent_id)).status == 200
                assert told.counts[200] == before
            finally:
                os.kill(stopped, signal.SIGCONT)
            await told.comes(200)
            assert child(world).pid == stopped
        states = {one["id"]: one["state"] for one in await world.rows("consent")}
        assert states[leaving.consent_id] == "withdrawing"
        assert (await revoking.company.call("GET", f"{world.origin}/consents")).status_code == 401


async def revoked(given: Given) -> None:
    """The company gives its grant back (RFC 7009)."""
    company, token = given.company, given.tokens["refresh_token"]
    form = {"client_id": company.client_id, "token": token, **company._assertion()}
    assert (await company.http.post(f"{company.issuer}/revoke", data=form)).status_code == 200


LIES: dict[str, Change] = {
    "another revision": lambda said: said["provenance"]["bundles"].update(
        {name: {"revision": "sha256:00"} for name in said["provenance"]["bundles"]}
    ),
    "a field more": lambda said: said["result"]["granted"][0]["fields"].append("account_num"),
    "no obligations": lambda said: said["result"]["obligations"].clear(),
    "no result": lambda said: said.pop("result"),
}


async def test_lying_under_load_is_never_believed(tmp_path: Path, binary: Path) -> None:
    """Whatever somebody between makes of OPA's words: 503; with the words left alone, allowed again."""
    async with LocalOpa(binary, load()) as real:
        between = Between(real.url)
        async with between.listening() as origin, open_world(tmp_path, opa=origin) as world:
            given = await world.given()
            async with asking(world, given) as told:
                for lie in LIES.values():
                    between.lie = lie
                    await told.comes(503)
                    lied = told.counts[200]
                    await told.comes(503)
                    assert told.counts[200] == lied
                    between.lie = None
                    await told.comes(200)
            assert told.policies == {OURS}


async def test_another_policy_under_load_is_never_used(tmp_path: Path, binary: Path) -> None:
    """An OPA that was given one changed number of the policy decides nothing here; ours does again."""
    async with LocalOpa(binary, load()) as real, LocalOpa(binary, generous()) as other:
        between = Between(real.url)
        async with between.listening() as origin, open_world(tmp_path, opa=origin) as world:
            given = await world.given()
            async with asking(world, given) as told:
                between.upstream = other.url
                await told.comes(503)
                between.upstream = real.url
                await told.comes(200)
            assert told.policies == {OURS}
            await until(lambda: world.parts.engine.revision == load().revision)


def generous() -> PolicyBundle:
    """The policy with data kept ten times as long."""
    path = "mydata/reference/data.json"
    data = json.loads(load().files[path])
    data["limits"]["retention_days"][0]["value"] *= 10
    return of({**load().files, path: json.dumps(data).encode()})
