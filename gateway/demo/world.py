"""The demo's world: keys, files and processes, all on loopback, all gone afterwards."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from gateway.demo.company import CompanyKeys
from gateway.demo.participants import HOLDERS, OPERATOR, client, registry
from gateway.demo.processes import Child, ChildFailed, free_port, start
from gateway.keys import create_keys, load_keys


@dataclass(frozen=True)
class Plan:
    """What to build: where, for whom, on which store and policy engine."""

    folder: Path
    seed: int
    today: date
    database: str | None = None
    opa: str | None = None


@dataclass
class World:
    """Everything that runs. Addresses are origins."""

    plan: Plan
    company_keys: CompanyKeys
    company_port: int
    gateway: Child
    identity: Child
    holders: dict[str, Child] = field(default_factory=dict)

    @property
    def config(self) -> Path:
        """The gateway's settings file."""
        return self.plan.folder / "gateway.yaml"

    @property
    def redirect_uri(self) -> str:
        """Where the company takes the citizen back."""
        return f"http://127.0.0.1:{self.company_port}/callback"

    @property
    def origins(self) -> tuple[str, ...]:
        """The origins a citizen's browser visits."""
        return (self.gateway.origin, self.identity.origin)


async def build(plan: Plan, stack: AsyncExitStack) -> World:
    """Start everything; `stack` ends it again. Raises ChildFailed naming the part that did not start."""
    folder = plan.folder
    create_keys(folder / "keys")
    keys, company_keys = load_keys(folder / "keys"), CompanyKeys()
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    identity = await _identity(plan, stack, origin, {"keys": [keys.holder_requests.jwk()]})
    holders = await _holders(plan, stack, identity, keys.holder_requests.jwk())
    origins = {sector: child.origin for sector, child in holders.items()}
    _yaml(folder / "registry.yaml", registry(identity.origin, origins))
    company_port = free_port()
    _yaml(folder / "client.yaml", client(company_keys, f"http://127.0.0.1:{company_port}/callback"))
    _yaml(folder / "gateway.yaml", _settings(plan, origin))
    config = str(folder / "gateway.yaml")
    await mydata("migrate", "--config", config)
    await mydata("client", "add", str(folder / "client.yaml"), "--config", config)
    arguments = [
        "-m",
        "gateway.cli",
        "serve",
        "--config",
        config,
        "--port",
        str(port),
        "--until-stdin-closes",
    ]
    gateway = await _started(stack, "gateway", arguments, folder)
    return World(plan, company_keys, company_port, gateway, identity, holders)


async def mydata(*arguments: str) -> str:
    """Run one `mydata` command as an operator would; its output. Raises ChildFailed with what it said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gateway.cli",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, error = await process.communicate()
    if process.returncode:
        raise ChildFailed(
            f"mydata {' '.join(arguments[:2])}: {error.decode().strip() or out.decode().strip()}"
        )
    return out.decode()


async def _identity(plan: Plan, stack: AsyncExitStack, origin: str, jwks: dict[str, Any]) -> Child:
    config = plan.folder / "identity.json"
    relying = {"client_id": OPERATOR, "redirect_uris": [f"{origin}/sign-in/return"], "jwks": jwks}
    people = {"seed": plan.seed, "today": plan.today.isoformat()}
    config.write_text(
        json.dumps({"clients": [relying], "holders": [h["id"] for h in HOLDERS.values()], **people})
    )
    arguments = ["-m", "connectors.sandbox.identity", "--config", str(config)]
    return await _started(stack, "identity", arguments, plan.folder)


async def _holders(
    plan: Plan, stack: AsyncExitStack, identity: Child, jwk: dict[str, str]
) -> dict[str, Child]:
    """The five holders, each a process of its own, started side by side."""

    async def one(sector: str) -> Child:
        config = plan.folder / f"{sector}.json"
        document = {
            "id": HOLDERS[sector]["id"],
            "org_code": HOLDERS[sector]["org_code"],
            "operators": {OPERATOR: {"keys": [jwk]}},
            "identity": {identity.origin: identity.ready["jwks"]},
            "people": {"seed": plan.seed, "today": plan.today.isoformat()},
        }
        config.write_text(json.dumps(document))
        arguments = ["-m", "connectors.sandbox", "holder", "--sector", sector, "--config", str(config)]
        return await _started(stack, sector, arguments, plan.folder)

    children = await asyncio.gather(*(one(sector) for sector in HOLDERS))
    return dict(zip(HOLDERS, children, strict=True))


async def _started(stack: AsyncExitStack, name: str, arguments: list[str], folder: Path) -> Child:
    child = await start(name, arguments, folder)
    stack.push_async_callback(child.stop)
    return child


def _settings(plan: Plan, origin: str) -> dict[str, Any]:
    folder = plan.folder
    return {
        "profile": "demo",
        "issuer": origin,
        "database": plan.database or f"sqlite+aiosqlite:///{folder / 'mydata.db'}",
        "keys": str(folder / "keys"),
        "registry": str(folder / "registry.yaml"),
        "policy_engine": "opa" if plan.opa else "embedded",
        **({"opa_url": plan.opa} if plan.opa else {}),
        "ledger_origin": f"mydata.local/ledger/{plan.today.year}",
        "log_level": "info",
    }


def _yaml(path: Path, document: object) -> None:
    path.write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), encoding="utf-8")
