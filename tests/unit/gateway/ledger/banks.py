"""Banks that witness a log under test, well or badly, and the stage they stand on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consent.ledger.checkpoint import Checkpoint, sign
from consent.ledger.verify import Policy, Trust
from gateway.ledger import export
from gateway.ledger.log import Log
from gateway.ledger.witness import Witness, witness_app
from gateway.ledger.witnessing import Witnessing, poster
from gateway.telemetry import Metrics
from tests.serving import listening, origin_of, outside, serving
from tests.unit.gateway.ledger.conftest import SIGNER, Ledger


class Bank:
    """A witness that can be closed and opened again at the same address."""

    def __init__(self, folder: Path, name: str, ledger: Ledger) -> None:
        self.name = name
        key = Ed25519PrivateKey.from_private_bytes(name.encode().ljust(32, b"."))
        self.witness = Witness(
            folder, f"{name}.test/witness", key, [ledger.log.vkey], now=lambda: ledger.clock.now
        )
        self.open = True
        self.bound = listening()
        self.app: Any = witness_app(self.witness)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve, or fail as a broken server does."""
        if self.open:
            await self.app(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 503, "headers": []})
        await send({"type": "http.response.body", "body": b"closed"})

    @property
    def line(self) -> str:
        """Its line of the policy."""
        return f"witness {self.name} {self.witness.vkey} {origin_of(self.bound)}"


class Stage:
    """A log, three banks, and two of them are a quorum."""

    def __init__(self, ledger: Ledger, banks: list[Bank], client: httpx.AsyncClient) -> None:
        self.ledger, self.banks, self.metrics = ledger, banks, Metrics()
        lines = [bank.line for bank in banks]
        self.text = "\n".join(
            [*lines, "group banks 2 " + " ".join(b.name for b in banks), "quorum banks", ""]
        )
        self.policy = Policy.read(self.text.encode())
        post = poster(client, self.policy)
        self.log = ledger.log
        self.asking = Witnessing(
            ledger.database, self.log.vkey, self.policy, post, ledger.clock, self.metrics
        )
        self.log.witnessing = self.asking

    async def grow(self, count: int = 1) -> bool:
        """Add entries, sign, ask; whether the quorum is met."""
        await self.ledger.append(count)
        await self.log.integrate_now()
        return await self.asking.ask()

    def trust(self, max_age: int | None = None) -> Trust:
        """What an auditor with the same policy brings."""
        read = Trust.of([self.log.vkey], self.text.encode(), max_age)
        return Trust(read.keys, read.policy, read.max_age, now=lambda: self.ledger.clock.now)

    async def exported(self, folder: Path) -> Path:
        """What the operator hands out now."""
        async with self.ledger.database.reading() as session:
            await export(session, folder, now=self.ledger.clock.now)
        return folder


class Dripping:
    """Begins an answer and never ends it."""

    begun = False

    async def __call__(self, _scope: Any, _receive: Any, send: Any) -> None:
        """A byte at a time."""
        self.begun = True
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(100):
            await send({"type": "http.response.body", "body": b".", "more_body": True})
            await asyncio.sleep(0.1)


class MadeUp:
    """Another tree of some size, well signed."""

    def __init__(self, log: Log, size: int) -> None:
        self.note = sign(Checkpoint(log.origin, size, b"f" * 32), SIGNER)

    def body(self, old: int) -> bytes:
        """The request that asks for its cosignature."""
        return f"old {old}\n\n{self.note}".encode()


async def bank_says(bank: Bank, body: bytes) -> tuple[int, str]:
    """The bank's answer to a request."""
    async with outside() as client:
        answer = await client.post(f"{origin_of(bank.bound)}/add-checkpoint", content=body)
        return answer.status_code, answer.text


@asynccontextmanager
async def lying(answers: list[tuple[int, bytes]]) -> AsyncIterator[str]:
    """A server that answers what it is told to."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        status, body = answers[0] if len(answers) == 1 else answers.pop(0)
        headers = [(b"location", b"http://127.0.0.1:9/")] if status == 307 else []
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    bound = listening()
    async with serving(app, [bound]):
        yield origin_of(bound)
