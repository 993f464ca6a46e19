"""Sixteen identical requests at once: exactly one is accepted, by whichever process, also after a kill."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from consent.events import Event
from gateway.demo.citizen import Citizen
from gateway.demo.company import Company
from gateway.demo.processes import Child
from gateway.demo.story import WISHES
from gateway.oauth.dpop import token_hash
from tests.faults.lines import Answer, Crowd, message
from tests.faults.process import ProcessWorld, open_process_world
from tests.flows.messages import code_form, form
from tests.tables import fresh_database

REPLAYED = {"client_assertion_replayed", "dpop_replayed"}
TOO_OLD = {"client_assertion_invalid", "dpop_invalid"}
"""What is sent again later than a minute, because a start took that long, is refused for its age."""
REMEMBERED = 40
"""How many accepted requests are sent again after each restart."""
TOKENS = 1000
"""Trials at the token endpoint on PostgreSQL, between two processes: 16,000 requests."""
FEWER = 100
CODES = 10


@dataclass
class Trials:
    """Trials against the processes of one world: what was accepted, what was refused and why."""

    world: ProcessWorld
    company: Company
    children: list[Child]
    crowd: Crowd = field(default_factory=Crowd)
    refused: Counter[str] = field(default_factory=Counter)
    accepted: list[bytes] = field(default_factory=list)
    lost: int = 0

    @property
    def origins(self) -> list[str]:
        """Where the processes listen."""
        return [child.origin for child in self.children]

    async def trial(self, request: bytes) -> Answer:
        """Sixteen at once, all answered; exactly one is accepted, the others were used before. That one."""
        (accepted,) = self._judge(await self.crowd.send(request), request, exactly=True)
        return accepted

    def _judge(self, answers: list[Answer], request: bytes, *, exactly: bool) -> list[Answer]:
        done = [answer for answer in answers if answer.accepted]
        self.refused.update(a.json["code"] for a in answers if a.status and not a.accepted)
        assert set(self.refused) <= REPLAYED, self.refused
        assert len(done) == 1 if exactly else len(done) <= 1, [answer.status for answer in answers]
        if done:
            self.accepted.append(request)
        return done

    async def killed_in(self, request: bytes, number: int, seconds: float) -> None:
        """Kill one process while a trial is under way and start it again; still at most one is accepted.

        What was accepted before, by whichever process, is refused by both afterwards.
        """
        sent = asyncio.create_task(self.crowd.send(request))
        await asyncio.sleep(seconds)
        child = self.children[number]
        child.process.kill()
        answers = await sent
        await child.process.wait()
        self.children[number] = started = await self.world.start(port=0)
        await self._ready(started)
        await self.crowd.gather(self.origins)
        again = await self.crowd.send(request)
        self.lost += sum(answer.status == 0 for answer in answers)
        self._judge([*answers, *again], request, exactly=False)
        for old in self.accepted[-REMEMBERED:]:
            for answer in await self.crowd.send(old):
                assert answer.status in (400, 401), answer
                assert answer.json["code"] in REPLAYED | TOO_OLD

    async def _ready(self, child: Child) -> None:
        """Wait until the ledger has caught up; a gateway that lags issues nothing."""
        for _ in range(300):
            if (await self.world.http.get(f"{child.origin}/readyz")).status_code == 200:
                return
            await asyncio.sleep(0.1)
        raise AssertionError("the process is not ready")

    async def run(self, make: Callable[[], bytes], trials: int, kills: int = 0, seed: int = 7) -> float:
        """This many trials, with `kills` restarts spread over them; the seconds it took."""
        chance, started = random.Random(seed), time.monotonic()
        moments = {trials * (n + 1) // (kills + 1): n for n in range(kills)}
        await self.crowd.gather(self.origins)
        for number in range(trials):
            if number in moments:
                victim = moments[number] % len(self.children)
                await self.killed_in(make(), victim, chance.uniform(0, 0.03))
            await self.trial(make())
        return time.monotonic() - started


@pytest.fixture
async def two(tmp_path: Path, postgres_socket: str) -> AsyncIterator[Trials]:
    """Two gateway processes on one PostgreSQL database."""
    async with open_process_world(tmp_path, await fresh_database(postgres_socket)) as world:
        yield await _trials(world, await world.start(port=0))


@pytest.fixture
async def one(tmp_path: Path) -> AsyncIterator[Trials]:
    """One gateway process on SQLite."""
    async with open_process_world(tmp_path) as world:
        yield await _trials(world)


async def _trials(world: ProcessWorld, *others: Child) -> Trials:
    assert world.gateway is not None
    made = Trials(world, await world.company(), [world.gateway, *others])
    world.stack.push_async_callback(made.crowd.leave)
    return made


def token(company: Company, **fields: str) -> Callable[[], bytes]:
    """Token requests, each with an assertion and a proof of its own."""
    url = f"{company.issuer}/token"
    fields = fields or {"grant_type": "client_credentials", "scope": "company"}

    def make() -> bytes:
        sent = {"client_id": company.client_id, **fields, **company._assertion()}
        return message("POST", url, {"DPoP": company._proof("POST", url)}, sent)

    return make


def pushed(company: Company, details: str) -> Callable[[], bytes]:
    """Pushed requests without a proof: only the assertion makes them unique."""
    url = f"{company.issuer}/par"
    return lambda: message("POST", url, {}, form(company, authorization_details=details))


def called(company: Company, url: str) -> Callable[[], bytes]:
    """Calls of a data door with the company's token: only the proof makes them unique."""
    bound = company.tokens["access_token"]

    def make() -> bytes:
        proof = company._proof("GET", url, ath=token_hash(bound))
        return message("GET", url, {"Authorization": f"DPoP {bound}", "DPoP": proof})

    return make


def tell(capsys: pytest.CaptureFixture[str], what: str, trials: Trials, seconds: float) -> None:
    """Say what ran, whatever the verdict of the suite."""
    with capsys.disabled():
        print(
            f"\n{what}: {len(trials.accepted)} x 16 at once, each accepted once; refused "
            f"{dict(trials.refused)}; unanswered by what was killed {trials.lost}; {seconds:.0f} s"
        )


@pytest.mark.postgres
@pytest.mark.timeout(900)
async def test_a_thousand_times_at_the_token_endpoint(
    two: Trials, capsys: pytest.CaptureFixture[str]
) -> None:
    """client_credentials, two processes, each of them killed and started again: a thousand accepted, once."""
    seconds = await two.run(token(two.company), TOKENS, kills=2)
    tell(capsys, "token, two workers on PostgreSQL", two, seconds)
    assert TOKENS <= len(two.accepted) <= TOKENS + 2
    assert (await two.world.kinds())[Event.TOKEN_ACCESS_ISSUED] >= len(two.accepted)
    assert "Traceback" not in two.world.said()


@pytest.mark.timeout(300)
async def test_at_the_token_endpoint_of_one_process(one: Trials, capsys: pytest.CaptureFixture[str]) -> None:
    """The same on SQLite, where one process is the whole gateway."""
    seconds = await one.run(token(one.company), FEWER, kills=1)
    tell(capsys, "token, one worker on SQLite", one, seconds)
    assert FEWER <= len(one.accepted) <= FEWER + 1


@pytest.mark.postgres
@pytest.mark.timeout(300)
async def test_pushed_requests(two: Trials, capsys: pytest.CaptureFixture[str]) -> None:
    """An assertion pushes once, and one reference is kept for it."""
    details = json.dumps(two.world.asked())
    seconds = await two.run(pushed(two.company, details), FEWER, kills=1)
    tell(capsys, "pushed request, two workers on PostgreSQL", two, seconds)
    kept = len(await two.world.rows("authorization_request"))
    assert FEWER <= len(two.accepted) <= kept <= FEWER + 1


@pytest.mark.postgres
@pytest.mark.timeout(300)
async def test_calls_of_a_data_door(two: Trials, capsys: pytest.CaptureFixture[str]) -> None:
    """A proof opens the door once."""
    given = await two.world.given(two.company)
    transfer = await given.company.ask_transfer("asked-about")
    url = f"{two.company.issuer}/transfers/{transfer['id']}"
    seconds = await two.run(called(two.company, url), FEWER, kills=1)
    tell(capsys, "data door, two workers on PostgreSQL", two, seconds)
    assert FEWER <= len(two.accepted) <= FEWER + 1


@pytest.mark.postgres
@pytest.mark.timeout(300)
async def test_codes(two: Trials, capsys: pytest.CaptureFixture[str]) -> None:
    """One exchange sixteen times: one token, alive. Sixteen exchanges of one code: one token, and it dies."""
    citizen, started = await two.world.citizen(), time.monotonic()
    await two.crowd.gather(two.origins)
    for number in range(CODES):
        answer = await coded(two, citizen)
        make = token(two.company, **code_form(two.company, answer))
        if number % 2:
            two.accepted.append(await sixteen_ways(two, make))
            continue
        assert await opens(two, await two.trial(make()))
    tell(capsys, "code exchange, two workers on PostgreSQL", two, time.monotonic() - started)
    assert len(two.accepted) == CODES
    issued = (await two.world.kinds())[Event.TOKEN_ACCESS_ISSUED]
    assert issued == CODES


async def coded(trials: Trials, citizen: Citizen) -> dict[str, str]:
    """A fresh code for the company."""
    page = await trials.world.question(trials.company, citizen)
    return await citizen.return_to_company(await citizen.answer(page, "agree", WISHES))


async def sixteen_ways(trials: Trials, make: Callable[[], bytes]) -> bytes:
    """One code in sixteen requests, each with credentials of its own: the one that got a token, now dead.

    RFC 6749 4.1.2: whoever sees a code come twice ends what it gave.
    """
    requests = [make() for _ in range(Crowd.SIZE)]
    answers = await trials.crowd.each(requests)
    (won,) = [number for number, answer in enumerate(answers) if answer.accepted]
    codes = {answer.json["code"] for answer in answers if not answer.accepted}
    assert codes <= {"code_replayed", "grant_revoked", "token_superseded"}, codes
    assert not await opens(trials, answers[won])
    return requests[won]


async def opens(trials: Trials, answer: Answer) -> bool:
    """Whether the token of this answer opens a data door."""
    trials.company.tokens = answer.json
    response = await trials.company.call("GET", f"{trials.company.issuer}/transfers/none")
    assert response.status_code in (401, 404), response.text
    return response.status_code == 404
