"""Killed gateways and movers, a PostgreSQL that stops at once, lost leaders, full disks, clocks that jump.

Both stores wherever it makes sense. Writers are processes of their own that try again what failed under the
same idempotency key; after every fault `Store.settle` holds them to what they acknowledged. Times are
reported, not asserted: a busy machine is no fault of the log.
"""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests import postgres
from tests.ledger.faulting import FAULTS, share, told
from tests.ledger.store import Store
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
        self.entries = 0

    @asynccontextmanager
    async def fault(self, number: int) -> AsyncIterator[Store]:
        """The store for fault `number`; it is settled afterwards."""
        if number % FRESH == 0:
            folder = self._folder / f"store-{number}"
            folder.mkdir()
            url = f"sqlite+aiosqlite:///{folder / 'mydata.db'}"
            if self._server is not None:
                url = await fresh_database(str(self._server.home))
            self.store = await Store(url, folder).make()
            self.before = 0
        yield self.store
        self.entries += len(self.store.acknowledged) - self.before
        self.before = len(self.store.acknowledged)


@pytest.fixture
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Stores:
    """Stores of the kind the test asks for."""
    kind = request.param
    return Stores(kind, tmp_path, request.getfixturevalue("server") if kind == "postgresql" else None)


def report(capsys: pytest.CaptureFixture[str], line: str) -> None:
    """Say it, when more than the sample was run."""
    if FAULTS:
        with capsys.disabled():
            print(f"\n{line}", flush=True)


@pytest.mark.parametrize("stores", BOTH, indirect=True)
async def test_killed_gateways_lose_nothing(stores: Stores, capsys: pytest.CaptureFixture[str]) -> None:
    """SIGKILL at any moment of appending, integrating and publishing."""
    chance, count = random.Random(7), share(80, 1)
    for number in range(count):
        async with stores.fault(number) as store:
            running = store.write(f"kill-{number}", rounds=200)
            running.wait_published()
            await asyncio.sleep(chance.random() * 0.3)
            await store.settle(running.ended(kill=True))
    report(capsys, told(f"SIGKILL of a gateway on {stores.kind}", count, stores.entries))

    assert stores.entries


@pytest.mark.parametrize("stores", BOTH, indirect=True)
async def test_a_mover_that_dies_inside_its_transaction(
    stores: Stores, capsys: pytest.CaptureFixture[str]
) -> None:
    """Sequencer, publisher and index are gone in the middle of what they write, lock held."""
    count = share(80, 1)
    for number in range(count):
        async with stores.fault(number) as store:
            running = store.write(f"die-{number}", "--die", DEATHS[number % len(DEATHS)], rounds=12)
            said = running.ended()
            assert running.process.returncode == 9, running.errors.read_text()
            await store.settle(said)
    report(capsys, told(f"death inside a transaction on {stores.kind}", count, stores.entries))


@pytest.mark.parametrize("stores", BOTH, indirect=True)
async def test_clocks_that_jump_lose_nothing(stores: Stores, capsys: pytest.CaptureFixture[str]) -> None:
    """Seconds, an hour, a year forwards and back: order, chain and shards hold, whatever the times say."""
    count = share(40, 1)
    for number in range(count):
        async with stores.fault(number) as store:
            running = store.write(f"jump-{number}", "--jumps")
            await store.settle(running.ended())
            assert running.process.returncode == 0, running.errors.read_text()
    report(capsys, told(f"run of 6 clock jumps on {stores.kind}", count, stores.entries))

    assert stores.entries == count * 30


@pytest.mark.parametrize("stores", ["sqlite"], indirect=True)
async def test_a_full_disk_loses_nothing(stores: Stores, capsys: pytest.CaptureFixture[str]) -> None:
    """The store has no page left: what was said stays, nothing else is said, and room heals it."""
    count = share(40, 1)
    for number in range(count):
        async with stores.fault(number) as store:
            running = store.write(f"full-{number}", "--full", str(number % 9), rounds=200)
            running.wait_failed()
            await store.settle(running.ended(kill=True))
    report(capsys, told("full disk on sqlite", count, stores.entries))


@pytest.mark.postgres
@pytest.mark.parametrize("stores", ["postgresql"], indirect=True)
async def test_postgresql_that_stops_at_once(
    stores: Stores, server: postgres.Server, capsys: pytest.CaptureFixture[str]
) -> None:
    """An immediate stop under two writing gateways; after its recovery both go on by themselves."""
    chance, count, again = random.Random(9), share(60, 1), list[float]()
    for number in range(count):
        async with stores.fault(number) as store:
            both = [store.write(f"stop-{number}-{one}", rounds=15) for one in "ab"]
            for running in both:
                running.wait_published()
            await asyncio.sleep(chance.random() * 0.2)
            server.stop(signal.SIGQUIT)
            server.start()
            back = time.monotonic()
            said = [running.ended() for running in both]
            assert [r.process.returncode for r in both] == [0, 0], both[0].errors.read_text()[-2000:]
            again += [at - back for r in both if (at := r.published(back)) is not None]
            await store.settle(*said)
    report(capsys, told("immediate stop of PostgreSQL under two gateways", count, stores.entries, again))


@pytest.mark.postgres
@pytest.mark.parametrize("stores", ["postgresql"], indirect=True)
async def test_a_lost_leader_is_followed(stores: Stores, capsys: pytest.CaptureFixture[str]) -> None:
    """Of two gateways one dies while it holds the sequencer's lock; the other publishes what both said."""
    count, again = share(60, 1), list[float]()
    for number in range(count):
        async with stores.fault(number) as store:
            stays = store.write(f"stays-{number}", rounds=25)
            stays.wait_published()
            leader = store.write(f"leads-{number}", "--die", DEATHS[number % 3], rounds=200)
            said = leader.ended()
            lost = time.monotonic()
            rest = stays.ended()
            assert (leader.process.returncode, stays.process.returncode) == (9, 0)
            if (at := stays.published(lost)) is not None:
                again.append(at - lost)
            await store.settle(said, rest)
    report(capsys, told("leader lost with its lock held", count, stores.entries, again))
