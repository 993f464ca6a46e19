"""Two gateway processes on one PostgreSQL database: each transfer is carried by one of them, once."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from consent.events import Event
from consent.ledger.verify import verify
from gateway.demo.participants import HOLDERS
from gateway.demo.world import mydata
from tests.faults.process import open_process_world
from tests.tables import fresh_database
from tests.world import SETTLED, Given

TRANSFERS = 6


@pytest.mark.postgres
async def test_each_transfer_is_carried_once(tmp_path: Path, postgres_socket: str) -> None:
    """Six transfers, two workers: one attempt, one bundle, one entry of each kind a transfer; one log."""
    async with open_process_world(tmp_path, await fresh_database(postgres_socket)) as world:
        await world.start(port=0)
        citizen = await world.citizen()
        given = [await world.given(await world.company(), citizen) for _ in range(TRANSFERS)]

        ended = await asyncio.gather(*(carried(one, f"two-workers-{n}") for n, one in enumerate(given)))

        assert Counter(transfer["state"] for transfer in ended) == {"ready": TRANSFERS}
        assert [row["attempts"] for row in await world.rows("transfer")] == [1] * TRANSFERS
        assert len(await world.rows("bundle")) == TRANSFERS
        kinds = await world.kinds()
        for kind, times in (
            (Event.TRANSFER_REQUEST_RECEIVED, 1),
            (Event.PULL_HOLDER_INTENDED, len(HOLDERS)),
            (Event.BUNDLE_RELEASE_SEALED, 1),
        ):
            assert kinds[kind] == times * TRANSFERS, kind
        export = tmp_path / "export"
        said = await mydata("ledger", "export", str(export), "--config", str(tmp_path / "gateway.yaml"))
        assert not verify(export, said.rsplit("--key ", 1)[1].strip()).findings
        assert "Traceback" not in world.said()


async def carried(given: Given, key: str) -> dict[str, Any]:
    """Ask, and wait for the end."""
    transfer = await given.company.ask_transfer(key)
    for _ in range(600):
        if transfer["state"] in SETTLED:
            break
        await asyncio.sleep(0.1)
        transfer = await given.company.transfer(transfer["id"])
    return transfer
