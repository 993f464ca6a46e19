"""Plays the story once: build the world, run the steps, report, and keep it up if asked to."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import tempfile
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import httpx

from consent.calendar import korean_day
from gateway.demo.checks import Story, teller
from gateway.demo.company import Company, CompanyError
from gateway.demo.company_site import CompanySite, serving
from gateway.demo.leave import leave
from gateway.demo.participants import CLIENT
from gateway.demo.processes import ChildFailed
from gateway.demo.regulator import regulate
from gateway.demo.report import result, table
from gateway.demo.story import STEPS, Cast, cast_of
from gateway.demo.world import Plan, World, build

PERSON = "p01"


async def play(chosen: argparse.Namespace) -> int:
    """Run the demo; 0 only if every check held."""
    story = Story(teller(quiet=False))
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mydata-demo-")))
        plan = Plan(folder, chosen.seed, korean_day(datetime.now(UTC)), chosen.database, chosen.opa)
        story.step("Starting a gateway, an identity provider and five holders")
        try:
            world = await build(plan, stack)
        except ChildFailed as error:
            print(f"The demo could not start: {error}", file=sys.stderr)
            return 1
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=30, trust_env=False))
        visits = await stack.enter_async_context(httpx.AsyncClient(timeout=30, trust_env=False))
        cast = cast_of(world, story, http, visits, PERSON)
        held = await _act(cast)
        print(json.dumps(result(cast), ensure_ascii=False) if chosen.json else table(cast))
        if chosen.out and held:
            story.say(f"\nLeft in {leave(cast, chosen.out)}: see README.md there.")
        if chosen.serve:
            await _keep_up(world, cast)
    return 0 if held else 1


async def _act(cast: Cast) -> bool:
    """Run the steps; a step that cannot go on is a check that did not hold."""
    for step in (*STEPS, regulate):
        try:
            await step(cast)
        except (CompanyError, ChildFailed, RuntimeError, KeyError, StopIteration, httpx.HTTPError) as error:
            cast.story.check(f"{step.__name__} goes through", False, f"{type(error).__name__}: {error}")
            cast.story.say((cast.world.gateway.log).read_text(errors="replace")[-1500:])
            break
    cast.story.end()
    return cast.story.held


async def _keep_up(world: World, cast: Cast) -> None:
    """Serve until interrupted; say where."""
    origin = world.gateway.origin

    def fresh() -> Company:
        return Company(cast.http, origin, CLIENT, world.company_keys, world.redirect_uri)

    site = CompanySite(fresh, cast.asked, f"{origin}/my/consents")
    print(f"\nOpen on a phone-sized screen:  http://127.0.0.1:{world.company_port}/")
    print(f"  citizen's consents   {origin}/my/consents")
    print(f"  ledger checkpoint    {origin}/ledger/checkpoint")
    print(f"  identity provider    {world.identity.origin}")
    for sector, child in world.holders.items():
        print(f"  {sector:8} holder      {child.origin}")
    print("Ctrl-C ends everything.", flush=True)
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, done.set)
    async with serving(site.app(), world.company_port):
        await done.wait()
