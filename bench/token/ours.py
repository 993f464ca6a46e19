"""The gateway as an operator runs it: `mydata serve` in a process of its own, settings as they come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import orjson
import yaml
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from bench.token.candidate import Candidate, database
from bench.token.citizens import settle
from bench.token.signed import CLIENT_ID, ISSUER, KID, Signer
from gateway.demo.processes import start
from gateway.demo.world import mydata
from gateway.keys import create_keys
from tests import postgres
from tests.oauth_keys import b64

STORES = ("sqlite", "postgresql")


@asynccontextmanager
async def gateway(store: str, signer: Signer, folder: Path, profile: Path | None) -> AsyncIterator[Candidate]:
    """Our server on a new `store`; with `profile`, under cProfile, which writes that file at the end."""
    async with AsyncExitStack() as stack:
        url, pid = f"sqlite+aiosqlite:///{folder / 'mydata.db'}", None
        if store == "postgresql":
            socket, pid = await stack.enter_async_context(database("bench"))
            url = postgres.url(socket, "bench")
        config = await _prepare(folder, url, signer)
        arguments = ["-m", "bench.token.profiled", str(profile)] if profile else ["-m", "gateway.cli"]
        arguments += ["serve", "--config", config, "--port", "0", "--until-stdin-closes"]
        child = await start(f"gateway-{store}", arguments, folder)
        stack.push_async_callback(child.stop)
        citizens = await settle(url, folder / "keys")
        port = urlsplit(child.origin).port
        yield Candidate(f"mydata, {store}", int(port or 0), child.process.pid, pid, citizens)
        if profile and child.process.stdin:
            child.process.stdin.close()  # a signal would end it before the profile is written
            async with asyncio.timeout(30):
                await child.process.wait()


async def _prepare(folder: Path, url: str, signer: Signer) -> str:
    await asyncio.to_thread(create_keys, folder / "keys")  # makes the folder, too
    names = {"ko": "시험", "en": "Bench"}
    _write(
        folder / "registry.yaml",
        {
            "operator": {
                "role": "processor",
                "code": "bench",
                "name": names,
                "contact": "bench@bench.example",
            },
            "identity": {"issuer": "https://identity.example", "client_id": "bench", "name": names},
            "holders": [],
            "consortia": [],
        },
    )
    _write(
        folder / "gateway.yaml",
        {
            "profile": "demo",
            "issuer": ISSUER,
            "database": url,
            "keys": str(folder / "keys"),
            "registry": str(folder / "registry.yaml"),
        },
    )
    (folder / "client.json").write_bytes(orjson.dumps(_client(signer)))
    config = str(folder / "gateway.yaml")
    await mydata("migrate", "--config", config)
    await mydata("client", "add", str(folder / "client.json"), "--config", config)
    return config


def _write(file: Path, value: object) -> None:
    file.write_text(yaml.safe_dump(value, allow_unicode=True), encoding="utf-8")


def _client(signer: Signer) -> dict[str, object]:
    sealed_to = b64(X25519PrivateKey.generate().public_key().public_bytes_raw())
    keys = [
        {**signer.assertions.jwk, "use": "sig", "kid": KID, "alg": "ES256"},
        {"kty": "OKP", "crv": "X25519", "use": "enc", "kid": "e0", "x": sealed_to},
    ]
    return {
        "client_id": CLIENT_ID,
        "name": {"ko": "시험", "en": "Bench"},
        "contact": "bench@bench.example",
        "redirect_uris": ["https://bench.example/callback"],
        "kinds": {"finance": "licensed_operator"},
        "grant_types": ["client_credentials", "refresh_token"],
        "jwks": {"keys": keys},
    }
