"""What deciding costs of a whole transfer: the gateway as a process, five holders, one consent a citizen."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, closing
from datetime import UTC, datetime
from pathlib import Path

import httpx

from bench.token.cpu import spent
from consent.calendar import korean_day
from gateway.demo.checks import Story
from gateway.demo.story import (
    Cast,
    answer,
    cast_of,
    discover_and_push,
    open_it,
    sign_in_and_read,
    transfer,
)
from gateway.demo.world import Plan, World, build

GRANTED: tuple[Callable[[Cast], Awaitable[None]], ...] = (discover_and_push, sign_in_and_read, answer)
SENT: tuple[Callable[[Cast], Awaitable[None]], ...] = (transfer, open_it)


async def share(citizens: int) -> dict[str, float]:
    """CPU of the gateway from "asked" to "downloaded", and the time its decisions took of that.

    A decision is timed by the gateway itself (`policy_decision.eval_us`) on the thread that serves: an upper
    bound of its CPU. The first citizen warms up and is not counted.
    """
    whole = 0
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        world = await build(Plan(folder, 7, korean_day(datetime.now(UTC))), stack)
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=30, trust_env=False))
        for number in range(citizens + 1):
            cost = await _sent(world, http, f"p{number + 1:02}")
            if number:
                whole += cost
            else:
                before = _decided(folder)
        counted = _decided(folder)
    decisions, micros = counted[0] - before[0], counted[1] - before[1]
    return {
        "transfers": citizens,
        "decisions_a_transfer": decisions / citizens,
        "gateway_cpu_ms_a_transfer": round(whole / citizens / 1e6, 1),
        "policy_ms_a_transfer": round(micros / citizens / 1e3, 1),
        "policy_share": round(micros * 1e3 / whole, 3),
    }


async def _sent(world: World, http: httpx.AsyncClient, person: str) -> int:
    """Nanoseconds of the gateway's CPU that one citizen's transfer took."""
    async with httpx.AsyncClient(timeout=30, trust_env=False) as visits:
        cast = cast_of(world, Story(lambda _line: None), http, visits, person)
        for step in GRANTED:
            await step(cast)
        await asyncio.sleep(1)  # what agreeing left to do
        begun = spent([world.gateway.process.pid])
        for step in SENT:
            await step(cast)
        cost = spent([world.gateway.process.pid]) - begun
    if cast.transfer["state"] != "ready":  # some have little with a holder; that is no failure
        raise RuntimeError(f"{person}: {cast.transfer}")
    return cost


def _decided(folder: Path) -> tuple[int, int]:
    """How many decisions there are, and their microseconds."""
    with closing(sqlite3.connect(f"file:{folder / 'mydata.db'}?mode=ro", uri=True)) as database:
        count, micros = database.execute("select count(*), sum(eval_us) from policy_decision").fetchone()
    return int(count), int(micros)
