"""A whole gateway over an old backup signs nothing, wherever its last checkpoint is; it turns yearly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from consent.ledger.verify import verify
from gateway.errors import Problem
from gateway.ledger import export
from tests.tables import with_tables
from tests.unit.gateway.ledger.conftest import Ledger
from tests.unit.gateway.ledger.test_publisher import go_back, state
from tests.world import World, open_world

YEAR = 366 * 86_400


async def entered(world: World) -> None:
    """One more request stands in the signed log."""
    await (await world.company()).push(world.asked())
    await world.parts.log.integrate_now()


@pytest.mark.parametrize("place", ["keys", "state"])
async def test_a_restored_backup_is_not_signed_from_either_place(
    tmp_path: Path, database_url: str, place: str
) -> None:
    """The last checkpoint lies with the keys, or in `ledger_state`: a smaller or another tree is refused."""
    (tmp_path / "state").mkdir()
    changes: dict[str, Any] = {"ledger_state": tmp_path / "state"} if place == "state" else {}
    async with open_world(tmp_path, database=await with_tables(database_url), **changes) as world:
        await entered(world)
        (file,) = (f for f in (tmp_path / place).glob("last-signed-*") if f.suffix != ".lock")
        stored = Ledger(world.database, file)
        backup = await state(stored)
        await entered(world)
        signed = file.read_bytes()
        await go_back(stored, *backup)
        with pytest.raises(Problem, match="ledger_halted"):
            await world.parts.log.integrate_now()
        await (await world.company()).push(world.asked())
        await (await world.company()).push(world.asked())
        with pytest.raises(Problem, match="ledger_halted"):
            await world.parts.log.integrate_now()

        assert file.read_bytes() == signed
        assert await state(stored) == backup


async def test_a_gateway_turns_with_the_year(tmp_path: Path, database_url: str) -> None:
    """From settings to export: next year's requests stand in next year's shard, continued from this one's."""
    name, url = "mydata.test/ledger/{year}", await with_tables(database_url)
    async with open_world(tmp_path, database=url, ledger_origin=name) as world:
        await entered(world)
        first, note = world.parts.log.vkey, (await world.parts.log.checkpoint()).encode()
        world.clock.forward(YEAR)
        await entered(world)
        async with world.database.reading() as session:
            await export(session, tmp_path / "out")
        answer = await world.http.get(f"{world.origin}/ledger/statements")
        report = verify(tmp_path / "out", first, note)

        assert (report.findings, len(report.shards)) == ([], 1)
        assert report.origin != first.partition("+")[0]
        assert answer.content == (tmp_path / "out/statements").read_bytes()
