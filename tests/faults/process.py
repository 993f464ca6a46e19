"""A world whose gateway is a real `mydata serve` process, to be killed and started again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from gateway.database import Database
from gateway.demo.company import CompanyKeys
from gateway.demo.processes import Child
from tests.sandbox_servers import Around, open_sandbox
from tests.serving import left_port, outside
from tests.warm import start_mydata
from tests.world import World, fresh_keys, prepare, settings_for
from tests.world_clock import WorldClock


@dataclass
class ProcessWorld(World):
    """A `World` without parts in this process: they are in `gateway`, and in any other process started."""

    gateway: Child | None = None
    started: int = 0

    async def start(self, port: int | None = None) -> Child:
        """One more `mydata serve` on this world's store; at its own address unless `port` says otherwise."""
        self.started += 1
        own = urlsplit(self.origin).port
        arguments = ["serve", "--config", str(self.folder / "gateway.yaml")]
        arguments += ["--port", str(own if port is None else port), "--until-stdin-closes"]
        log = self.folder / f"gateway-{self.started}.log"
        process = await start_mydata(arguments, log)
        child = Child(log.stem, process, await process.ready(log), log)
        self.stack.push_async_callback(child.stop)
        if port is None:
            self.gateway = child
        return child

    async def kill(self) -> None:
        """SIGKILL: no handler runs, nothing is flushed, no connection is closed politely."""
        assert self.gateway is not None
        self.gateway.process.kill()
        await self.gateway.process.wait()

    async def restart(self) -> None:
        """Kill and start again."""
        await self.kill()
        await self.start()

    def said(self) -> str:
        """Everything every gateway process wrote to its log."""
        return "".join(file.read_text() for file in sorted(self.folder.glob("gateway-*.log")))


@asynccontextmanager
async def open_process_world(
    folder: Path, database: str | None = None, *, around: Around | None = None, **settings: object
) -> AsyncIterator[ProcessWorld]:
    """Sandbox in this process, gateway in another, with some `settings` changed; all ends with it."""
    clock, origin = WorldClock(), f"http://127.0.0.1:{left_port()}"
    async with AsyncExitStack() as stack:
        keys = fresh_keys(folder / "keys")
        sandbox = await stack.enter_async_context(open_sandbox(keys, origin, clock, around=around))
        chosen = settings_for(folder, origin, sandbox, database)
        written = chosen.model_dump(mode="json", exclude_none=True, exclude={"trusted_proxies"})
        (folder / "gateway.yaml").write_text(yaml.safe_dump({**written, **settings}))
        store = Database(chosen.database)
        stack.push_async_callback(store.close)
        http = await stack.enter_async_context(outside())
        world = ProcessWorld(folder, chosen, sandbox, clock, CompanyKeys(), http, stack, store)
        await prepare(world, migrate=True)
        await world.start()
        yield world
