"""npm oidc-provider as a candidate, installed once into .cache/bench-peer from the committed lock file."""

from __future__ import annotations

import asyncio
import fcntl
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from bench.token.candidate import Candidate, database
from bench.token.signed import CLIENT_ID, ISSUER, KID, Signer
from bench.token.works import LIVING

HERE = Path(__file__).parent
CACHE = HERE.parents[2] / ".cache" / "bench-peer"
_FILES = ("package.json", "package-lock.json", ".npmrc", "peer.mjs", "store.mjs")
_PIPE = asyncio.subprocess.PIPE


async def install() -> Path:
    """The folder with node_modules; installs from the lock file when that has changed."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / ".lock").open("w") as lock:
        await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
        stamp, wanted = CACHE / ".installed", (HERE / "package-lock.json").read_text()
        for name in _FILES:
            shutil.copyfile(HERE / name, CACHE / name)
        if not stamp.exists() or stamp.read_text() != wanted:
            command = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent")
            process = await asyncio.create_subprocess_exec(*command, cwd=CACHE)
            if await process.wait():
                raise RuntimeError("npm ci failed in .cache/bench-peer")
            stamp.write_text(wanted)
    return CACHE


@asynccontextmanager
async def peer(store: str, signer: Signer, node: str, *, opaque: bool = False) -> AsyncIterator[Candidate]:
    """The peer on `store` (memory or postgresql), run by the `node` given; its tokens JWTs or `opaque`."""
    folder = await install()
    async with AsyncExitStack() as stack:
        told: dict[str, object] = {"issuer": ISSUER, "client": _client(signer), "citizens": LIVING}
        told["format"], pid = "opaque" if opaque else "jwt", None
        if store == "postgresql":
            told["socket"], pid = await stack.enter_async_context(database("bench"))
        process = await asyncio.create_subprocess_exec(
            node, "peer.mjs", cwd=folder, stdin=_PIPE, stdout=_PIPE, env=None
        )
        stack.push_async_callback(_end, process)
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("asked for pipes, got none")
        process.stdin.write(json.dumps(told).encode() + b"\n")
        async with asyncio.timeout(30):
            line = await process.stdout.readline()
        if not line:
            raise RuntimeError("the peer did not start; what it said is above")
        ready = json.loads(line)
        port = urlsplit(ready["origin"]).port
        yield Candidate(
            f"oidc-provider, {store}", int(port or 0), process.pid, pid, tuple(ready["refresh_tokens"])
        )


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    await process.wait()


def _client(signer: Signer) -> dict[str, object]:
    return {
        "client_id": CLIENT_ID,
        "jwks": {"keys": [{**signer.assertions.jwk, "use": "sig", "kid": KID, "alg": "ES256"}]},
        "redirect_uris": ["https://bench.example/callback"],
        "response_types": ["code"],
        "grant_types": ["client_credentials", "refresh_token", "authorization_code"],
        "token_endpoint_auth_method": "private_key_jwt",
        "id_token_signed_response_alg": "ES256",
        "dpop_bound_access_tokens": True,
        "scope": "company offline_access",
    }
