"""A portal beside a whole gateway: its accounts, its token, its calls."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.world import World, open_world

SECRETS = {"portal": "a-secret-of-the-portal", "viewer": "another-secret", "supervisor": "yet-another"}
MAY = {
    "portal": ["support", "withdraw"],
    "viewer": ["support"],
    "supervisor": ["metrics"],
}


@dataclass
class Portal:
    """What calls the support doors as one account."""

    world: World
    client_id: str = "portal"
    token: str = ""
    calls: int = 0

    async def signed_in(self) -> Portal:
        """With a support token."""
        answer = await self.ask_token()
        assert answer.status_code == 200, answer.text
        self.token = answer.json()["access_token"]
        return self

    async def ask_token(self, **changes: str) -> httpx.Response:
        """지원-101."""
        given = {"grant_type": "client_credentials", "client_id": self.client_id, "scope": "manage"}
        given |= {"client_secret": SECRETS.get(self.client_id, "")} | changes
        return await self.call("POST", "/mgmts/oauth/2.0/token", data=given)

    async def call(self, method: str, path: str, tran: str | None = None, **rest: Any) -> httpx.Response:
        """One call with a transaction id of its own."""
        self.calls += 1
        headers = {"x-api-tran-id": tran or f"PORTAL0001M{self.calls:014d}"}
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        url = f"{self.world.origin}{path}"
        return await self.world.http.request(method, url, headers=headers | rest.pop("headers", {}), **rest)

    async def told(self, path: str, **body: str) -> dict[str, Any]:
        """What a POST door says when it does what was asked."""
        answer = await self.call("POST", path, json=body)
        assert answer.status_code == 200, answer.text
        assert answer.json()["rsp_code"] == "00000"
        return dict(answer.json())

    def person(self, handle: str = "p01") -> str:
        """How the identity provider names somebody towards the gateway."""
        return self.world.sandbox.names(handle)


@asynccontextmanager
async def open_portal(folder: Path, database: str) -> AsyncIterator[Portal]:
    """A world with the accounts of a portal and of a supervisor."""
    accounts = [
        {"id": id, "name": id, "token_sha256": hashlib.sha256(secret.encode()).hexdigest(), "may": MAY[id]}
        for id, secret in SECRETS.items()
    ]
    file = folder / "readers.yaml"
    file.write_text(yaml.safe_dump({"readers": accounts}))
    async with open_world(folder, database, ledger_readers=file) as world:
        yield await Portal(world).signed_in()


async def entered(world: World, start: str) -> Counter[tuple[str, str]]:
    """Kind and party of every entry, promised or in the tree, whose kind begins so."""
    return Counter((one.kind, one.party) for one in await world.promised() if one.kind.startswith(start))
