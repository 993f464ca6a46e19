"""`python -m bench.token.resource`: what a data door's check of a token costs, against one bare verification.

In one process on SQLite, without HTTP: token read, proof verified and durably spent, client, grant and
consent read live. Beside it `cryptography` verifying one ES256 signature, in turns.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from sqlmodel import SQLModel
from starlette.requests import Request

from gateway.database import Database
from gateway.oauth import ResourceServer
from gateway.oauth.dpop import token_hash
from tests.oauth_stage import Stage

ROUNDS, CHECKS, AT_ONCE = 7, 300, 16


async def checks(stage: Stage, guard: ResourceServer, token: str) -> float:
    """Microseconds of CPU, all threads, a check of a grant's token; sixteen callers at once."""
    ath, requests = token_hash(token), []
    for _ in range(CHECKS):
        proof = stage.proof("GET", "/data", ath=ath)
        headers = [(b"authorization", f"DPoP {token}".encode()), (b"dpop", proof.encode())]
        scope = {"type": "http", "method": "GET", "path": "/data", "headers": headers, "query_string": b""}
        requests.append(Request({**scope, "server": ("gateway.test", 443), "scheme": "https"}))

    async def caller(waiting: Iterator[Request]) -> None:
        for request in waiting:
            await guard.for_grant(request)

    waiting, before = iter(requests), time.process_time_ns()
    await asyncio.gather(*(caller(waiting) for _ in range(AT_ONCE)))
    return (time.process_time_ns() - before) / 1e3 / CHECKS


def bare() -> Callable[[], float]:
    """Gives a function that measures one verification of an ES256 signature, in microseconds."""
    key, data, algorithm = ec.generate_private_key(ec.SECP256R1()), b"x" * 300, ec.ECDSA(SHA256())
    signature, public = key.sign(data, algorithm), key.public_key()

    def measure() -> float:
        before = time.process_time_ns()
        for _ in range(CHECKS):
            public.verify(signature, data, algorithm)
        return (time.process_time_ns() - before) / 1e3 / CHECKS

    return measure


async def run(folder: Path) -> str:
    """The medians of alternating rounds, as one line."""
    database = Database(f"sqlite+aiosqlite:///{folder / 'bench.db'}")
    async with database.engine.begin() as connection:
        await connection.run_sync(SQLModel.metadata.create_all)
    stage = Stage(database, "https://gateway.test")
    await stage.register()
    token, guard = (await stage.tokens())["access_token"], ResourceServer(stage.server)
    verify, ours, theirs = bare(), [], []
    await checks(stage, guard, token)
    for _ in range(ROUNDS):
        ours.append(await checks(stage, guard, token))
        theirs.append(verify())
    await stage.http.aclose()
    await database.close()
    ratio = median(one / other for one, other in zip(ours, theirs, strict=True))
    return f"check {median(ours):.0f} us, bare verify {median(theirs):.0f} us, ratio {ratio:.1f}\n"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="mydata-bench-") as name:
        sys.stdout.write(asyncio.run(run(Path(name))))
