"""A witness of other people's logs (C2SP tlog-witness): cosigns what continues what it saw, refuses the rest.

For a bank, a company or an agency to run, away from the gateway: it needs a folder, no database. A fork, a
rewrite or a shorter log gets no cosignature from it, and what the log signed stays behind as evidence.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from consent.ledger.checkpoint import Checkpoint, open_signed
from consent.ledger.cosignature import PrivateKey, cosign, cosigner_vkey
from consent.ledger.errors import LedgerFormatError
from consent.ledger.proof import verify_consistency
from consent.ledger.shards import is_later, key_named
from consent.ledger.submission import MAX_BYTES, Submission
from consent.ledger.tree import EMPTY_ROOT
from gateway.ledger.last_signed import LastSigned

SIZE_TYPE = "text/x.tlog.size"
KEPT_EVIDENCE = 1000
"""Files of each kind: what the log signed, never what somebody made up around it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the witness says: a status and a text."""

    status: int
    text: str
    kind: str = "text/plain; charset=utf-8"


class Witness:
    """Watches the logs whose keys it was given. Durable before it answers; safe for any number of threads."""

    def __init__(
        self,
        folder: Path,
        name: str,
        key: PrivateKey,
        logs: list[str],
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Keep state in `folder`; sign as `name`; `logs` are verification keys `origin+hash+base64`."""
        self._folder, self._name, self._key, self._now = folder, name, key, now
        self._logs = {text.partition("+")[0]: text for text in logs}
        self.vkey = cosigner_vkey(name, key.public_key())
        for part in ("state", "evidence"):
            (folder / part).mkdir(mode=0o700, parents=True, exist_ok=True)

    def add(self, body: bytes) -> Answer:
        """Answer an add-checkpoint request: 200 with a cosignature, else 400, 403, 404, 409 or 422."""
        try:
            asked = Submission.decode(body)
        except LedgerFormatError as error:
            return Answer(400, f"{error}\n")
        vkey = self._watched(asked.note.partition("\n")[0])
        if vkey is None:
            return Answer(404, "not a log this witness watches\n")
        try:
            new = _opened(asked.note, vkey)
        except LedgerFormatError:
            return Answer(403, "not signed by the log's key\n")
        if asked.old > new.size:
            return Answer(400, "the old size is larger than the new\n")
        return self._judge(asked, new, vkey)

    def latest(self, origin: str) -> str | None:
        """The last checkpoint cosigned of a log, as the log signed it."""
        vkey = self._watched(origin)
        return self._state(vkey).read() if vkey else None

    def _watched(self, origin: str) -> str | None:
        """The key of the log `origin` is, or is a later year's shard of."""
        earlier = [key for name, key in self._logs.items() if is_later(origin, name)]
        return self._logs.get(origin) or (earlier[0] if earlier else None)

    def _judge(self, asked: Submission, new: Checkpoint, vkey: str) -> Answer:
        state = self._state(vkey)
        known = state.read()
        old = _opened(known, vkey) if known else Checkpoint(new.origin, 0, EMPTY_ROOT)
        if is_later(old.origin, new.origin):
            return Answer(403, f"closed: this log is {old.origin} now\n")
        if asked.old != old.size:
            return Answer(409, f"{old.size}\n", SIZE_TYPE)
        if not verify_consistency((old.size, new.size), old.root, new.root, list(asked.proof)):
            fork = old.size == new.size and old.root != new.root
            self._keep(asked, new, "fork" if fork else "unproved")
            if fork:
                return Answer(409, f"{old.size}\n", SIZE_TYPE)
            return Answer(422, "this does not continue the log seen before\n")
        if not state.replace(known, asked.note):
            latest = _opened(state.read() or "", vkey)
            return Answer(409, f"{latest.size}\n", SIZE_TYPE)
        return Answer(200, cosign(new, self._name, self._key, int(self._now())))

    def _state(self, vkey: str) -> LastSigned:
        """One state a log, whatever the year: the turn of a year is no way around it."""
        origin = vkey.partition("+")[0]
        return LastSigned(self._folder / "state" / hashlib.sha256(origin.encode()).hexdigest()[:32])

    def _keep(self, asked: Submission, new: Checkpoint, kind: str) -> None:
        """The log signed what does not continue, or was not proved to continue, what it signed before.

        Anybody can bring a good checkpoint with a bad proof: so each is kept once, and apart from forks.
        """
        body, signed = asked.encode(), f"{new.origin}\n{new.size}\n{new.root.hex()}".encode()
        folder = self._folder / "evidence"
        place = folder / f"{kind}-{hashlib.sha256(signed).hexdigest()}"
        if not place.exists() and sum(1 for _ in folder.glob(f"{kind}-*")) < KEPT_EVIDENCE:
            place.write_bytes(body)


def _opened(note: str, vkey: str) -> Checkpoint:
    """A checkpoint of any year of the log of `vkey`; raises LedgerFormatError."""
    return open_signed(note, key_named(vkey, note.partition("\n")[0]))


def witness_app(witness: Witness) -> Starlette:
    """`POST /add-checkpoint`, and `GET /latest/<origin>` for anybody who compares."""

    async def add(request: Request) -> Response:
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > MAX_BYTES:
                return Response("too long\n", 413, media_type="text/plain")
        answer = await run_in_threadpool(witness.add, body)
        return Response(
            answer.text, answer.status, {"Content-Type": answer.kind, "Cache-Control": "no-store"}
        )

    async def latest(request: Request) -> Response:
        note = await run_in_threadpool(witness.latest, request.path_params["origin"])
        return Response(note or "not a log seen here\n", 200 if note else 404, media_type="text/plain")

    return Starlette(
        routes=[
            Route("/add-checkpoint", add, methods=["POST"]),
            Route("/latest/{origin:path}", latest, methods=["GET"]),
        ]
    )
