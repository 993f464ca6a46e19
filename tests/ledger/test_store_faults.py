"""Killed gateways and movers, a PostgreSQL that stops at once, lost leaders, full disks, clocks that jump.

Both stores wherever it makes sense. Writers are processes of their own that try again what failed under the
same idempotency key; after every fault `Store.settle` holds them to what they acknowledged. How long the
log may stand still after a lost leader is measured against the survivor's own turns: a busy machine is no
fault of the log.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests import postgres
from tests.ledger.faulting import FAULTS, Faults
from tests.ledger.store import Store
from tests.ledger.tracing import SENDS, WRITES, Failing
from tests.tables import fresh_database

SECONDS = 60
DEATHS = (
    "INSERT INTO ledger_entry",
    "UPDATE ledger_head",
    "DELETE FROM ledger_outbox",
    "UPDATE ledger_checkpoint",
    "INSERT INTO ledger_index",
)
"""Where a sequencer, then a publisher, then the index dies: inside each transaction that moves the log."""

BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
FAIL_OVER_SECONDS = 1.0
CLIENT_CALLS = ("sendto", "connect")
SIGNED_CALLS = ("openat", "flock", "write", "fsync", "rename")
SIGNED = ("last-signed", "last-signed.new", "last-signed.lock", ".")
FRESH = 40
"""So many faults meet one store, then a new one: what is checked again each time stays short."""

pytestmark = pytest.mark.timeout(SECONDS * (4 + FAULTS // 4))


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Server]:
    """A PostgreSQL that may be stopped."""
    with postgres.server() as running:
        yield running


class Stores:
    """Makes stores of one kind, a new one every FRESH faults."""

    def __init__(self, kind: str, folder: Path, server: postgres.Server | None) -> None:
        self.kind, self._folder, self._server = kind, folder, server
        self._made = 0

    async def faults(self, faults: Faults) -> AsyncIterator[tuple[int, Store]]:
        """Each fault still to do, with a store for it."""
        for turn, number in enumerate(faults):
            if turn % FRESH == 0:
                store = await self._fresh()
            yield number, store

    async def _fresh(self) -> Store:
        self._made += 1
        folder = self._folder / f"store-{self._made}"
        folder.mkdir()
        url = f"sqlite+aiosqlite:///{folder / 'mydata.db'}"
        if self._server is not None:
            url = await fresh_database(str(self._server.home))
        return await Store(url, folder).make()


@pytest.fixture
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Stores:
    """Stores of the kind the test asks for."""
    kind = request.param
    return Stores(kind, tmp_path, request.getfixturevalue("server") if kind == "postgresql" else None)


@pytest.mark.parametrize("stores", BOTH, indirect=True)
async def test_killed_gateways_lose_nothing(stores: Stores) -> None:
    """SIGKILL at any moment of appending, integrating and publishing."""
    faults = Faults(f"SIGKILL of a gateway on {stores.kind}", 80, 1)
    async for number, store in stores.faults(faults):
        running = store.write(f"kill-{number}", rounds=200)
        running.wait_published()
        await asyncio.sleep(faults.chance(number).random() * 0.3)
        outcome = await store.settle(running.ended(kill=True))
        faults.settled(number, outcome)

        assert outcome.acknowledged


@pytest.mark.parametrize("stores", BOTH, indirect=True)
async def test_a_mover_that_dies_inside_its_transaction(stores: Stores) -> None:
    """Sequencer, publisher and index are gone in the middle of what they write, lock held."""
    faults = Faults(f"death inside a transaction on {stores.kind}", 80, 1)
    async for number, store in stores.faults(faults):
        running = store.write(f"die-{number}", "--die", DEATHS[number % len(DEATHS)], rounds=12)
        said = running.ended()
        assert running.process.returncode == 9, running.errors.read_text()
        faults.settled(number, await store.settle(said))


@pytest.mark.parametrize("stores", BOTH, indirect=True)
async def test_clocks_that_jump_lose_nothing(stores: Stores) -> None:
    """Seconds, an hour, a year forwards and back: order, chain and shards hold, whatever the times say."""
    faults = Faults(f"run of 6 clock jumps on {stores.kind}", 40, 1)
    async for number, store in stores.faults(faults):
        running = store.write(f"jump-{number}", "--jumps")
        outcome = await store.settle(running.ended())
        assert running.process.returncode == 0, running.errors.read_text()
        faults.settled(number, outcome)

        assert outcome.acknowledged == 30


@pytest.mark.parametrize("stores", ["sqlite"], indirect=True)
async def test_a_full_disk_loses_nothing(stores: Stores) -> None:
    """The store has no page left: what was said stays, nothing else is said, and room heals it."""
    faults = Faults("full disk on sqlite", 40, 1)
    async for number, store in stores.faults(faults):
        running = store.write(f"full-{number}", "--full", str(number % 9), rounds=200)
        running.wait_failed()
        faults.settled(number, await store.settle(running.ended(kill=True)))


@pytest.mark.postgres
@pytest.mark.parametrize("stores", ["postgresql"], indirect=True)
async def test_calls_that_fail_on_the_way_to_postgresql(stores: Stores, tmp_path: Path) -> None:
    """What the gateway sends, and every write-type call on the last-signed file beside it; it tries again."""
    faults = Faults("failing call beside PostgreSQL", 60, 1)
    async for number, store in stores.faults(faults):
        sends = number % 2 == 0
        calls, watched = (CLIENT_CALLS, SENDS) if sends else (SIGNED_CALLS, WRITES)
        failing = Failing(faults.chance(number), number // 2, calls, watched, tmp_path / "trace")
        files = [] if sends else [store.folder / name for name in SIGNED]
        running = store.write(f"call-{number}", under=failing.under(files))
        running.wait_settled(10.0)  # what fails for ever never lets it end
        said = running.ended(kill=True)
        call = f"{failing.call} {failing.error}"
        faults.settled(number, await store.settle(said), felt=failing.felt(), call=call)


@pytest.mark.postgres
@pytest.mark.parametrize("stores", ["postgresql"], indirect=True)
async def test_postgresql_that_stops_at_once(stores: Stores, server: postgres.Server) -> None:
    """An immediate stop under two writing gateways; after its recovery both go on by themselves."""
    faults = Faults("immediate stop of PostgreSQL under two gateways", 60, 1)
    async for number, store in stores.faults(faults):
        both = [store.write(f"stop-{number}-{one}", rounds=15) for one in "ab"]
        for running in both:
            running.wait_published()
        await asyncio.sleep(faults.chance(number).random() * 0.2)
        server.stop(signal.SIGQUIT)
        server.start()
        back = time.monotonic()
        said = [running.ended() for running in both]
        assert [r.process.returncode for r in both] == [0, 0], both[0].errors.read_text()[-2000:]
        again = [at - back for r in both if (at := r.published(back)) is not None]
        outcome = await store.settle(*said)
        faults.settled(number, outcome, felt=bool(again), seconds=max(again, default=None))


@pytest.mark.postgres
@pytest.mark.parametrize("stores", ["postgresql"], indirect=True)
async def test_a_lost_leader_is_followed(stores: Stores, capsys: pytest.CaptureFixture[str]) -> None:
    """Of two gateways one dies holding the sequencer's lock; the other publishes what both said in a second.

    A second, and what the survivor's slowest turn takes on this machine when nobody was lost.
    """
    faults = Faults("leader lost with its lock held", 60, 1)
    async for number, store in stores.faults(faults):
        ends = store.folder / f"ends-{number}"
        stays = store.write(f"stays-{number}", "--until", str(ends), rounds=2000)
        stays.wait_published()
        leader = store.write(f"leads-{number}", "--die", DEATHS[number % 3], rounds=200)
        said = leader.ended()
        lost = time.monotonic()
        stays.wait_published(lost)
        ends.touch()
        rest = stays.ended()
        assert (leader.process.returncode, stays.process.returncode) == (9, 0)
        again = stays.published(lost)
        assert again is not None, "the survivor published nothing"
        usual = stays.slowest_turn(lost)
        with capsys.disabled():
            print(f"\nfail-over {again - lost:.3f} s; the survivor's slowest turn {usual:.3f} s", flush=True)
        outcome = await store.settle(said, rest)
        faults.settled(number, outcome, seconds=again - lost, allowed=FAIL_OVER_SECONDS + usual)
