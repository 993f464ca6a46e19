"""Takes each new checkpoint to the witnesses of the policy and keeps their cosignatures (C2SP tlog-witness).

Nothing waits for a witness: not a grant, not a release, least of all a withdrawal. What is missing shows: in
/readyz, on /ledger/status, in the metrics, and in the checkpoint itself. Only the addresses in the policy are
called, and no redirection is followed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import httpx
import structlog

from consent.clock import Clock
from consent.ledger import proof
from consent.ledger.submission import Submission
from consent.ledger.verify import Finding, Policy
from consent.ledger.verify.note import ML_DSA, Head, Key, named
from consent.ledger.verify.note import open_note as open_cosigned
from gateway.database import Database
from gateway.ledger import cosigned, repository
from gateway.ledger.cosigned import Quorum, Seen
from gateway.ledger.nodes import prove
from gateway.telemetry import Metrics

HEARTBEAT_SECONDS = 60
"""A log that does not grow is cosigned anew this often: freshness is the witnesses' to give."""

TICK_SECONDS = 1.0
MAX_ANSWER = 16_384
ASK_SECONDS = 5.0
"""For so long one witness is waited for in all: what it sends drop by drop must not hide what others said."""

_ATTEMPTS = 2

_log = structlog.get_logger("mydata.ledger")

Post = Callable[[str, bytes], Awaitable[tuple[int, bytes]]]
"""Sends a body to an address of the policy; gives status and at most MAX_ANSWER bytes."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How the log stands with its witnesses, for readiness, page and metrics."""

    size: int
    quorum: Quorum
    witnesses: tuple[Seen, ...]
    degraded: bool


class Witnessing:
    """Asks the witnesses of one policy about one log. All methods belong to one event loop."""

    def __init__(
        self, database: Database, vkey: str, policy: Policy, post: Post, clock: Clock, metrics: Metrics
    ) -> None:
        """Ask with `post` every witness of `policy` that has an address."""
        self._database, self._vkey, self._policy = database, vkey, policy
        self._post, self._clock, self._metrics = post, clock, metrics
        own = [key for key in policy.logs if key.name == vkey.partition("+")[0]]
        self._log_keys = (Key(vkey), *(key for key in own if key.kind == ML_DSA))

    async def run(self) -> None:
        """Ask whenever there is a new checkpoint, and once a heartbeat; until cancelled."""
        while True:
            try:
                await self.ask()
                self._measure(await self.standing())
            except Exception as error:
                # Whatever a witness or the store does, the log itself goes on.
                _log.error("ledger_witnessing_failed", error=type(error).__name__)
            await asyncio.sleep(TICK_SECONDS)

    async def quorate(self) -> bool:
        """Whether what is published has its quorum, lately enough."""
        return not (await self.standing()).degraded

    async def standing(self) -> Standing:
        """What the store knows now."""
        async with self._database.reading() as session:
            stored = await repository.checkpoint(session)
            found, seen = await cosigned.quorum(session), await cosigned.witnesses(session)
        names = sorted(self._policy.witnesses)
        every = tuple(seen.get(name, Seen(name, 0, None, 0, "not asked yet")) for name in names)
        degraded = self._policy.quorum != "none" and cosigned.degraded(found, self._now())
        return Standing(stored[0] if stored else 0, found, every, degraded)

    async def ask(self) -> bool:
        """Ask everybody who has not cosigned the newest checkpoint lately; whether the quorum is met."""
        async with self._database.reading() as session:
            stored, second = await repository.checkpoint(session), await repository.second_line(session)
            known = await cosigned.witnesses(session)
            before = await cosigned.quorum(session)
        if stored is None:
            return False
        last = {name: known.get(name, Seen(name, 0, None, 0, None)) for name in self._policy.urls}
        said = await asyncio.gather(*(self._one(s, stored) for s in last.values() if self._due(s, stored[0])))
        last |= {seen.name: seen for seen in said}
        found = self._counted(before, (stored[0], stored[1], second), list(last.values()))
        changed = [seen for seen in said if known.get(seen.name) != seen]
        if changed or found != before:
            async with self._database.transaction() as session:
                await cosigned.remember(session, changed)
                await cosigned.forget_others(session, list(self._policy.urls))
                await cosigned.keep(session, found)
        return found.missing_since is None

    def _due(self, seen: Seen, size: int) -> bool:
        return seen.size < size or seen.line is None or self._now() - seen.at >= HEARTBEAT_SECONDS

    def _counted(self, before: Quorum, stored: tuple[int, str, str], seen: Sequence[Seen]) -> Quorum:
        """The quorum's state once these witnesses have spoken of the stored checkpoint."""
        now, (size, note, second) = self._now(), stored
        lines = sorted(s.line for s in seen if s.line is not None and s.size == size)
        if self._policy.met(self._open(note + "".join(lines)), now - 2 * HEARTBEAT_SECONDS, now):
            return Quorum(size, note + second + "".join(lines), max([0, *(s.at for s in seen)]), None)
        if before.missing_since is not None:
            return before
        _log.warning("ledger_quorum_missing", size=size, cosigned=len(lines))
        return replace(before, missing_since=now)

    async def _one(self, seen: Seen, stored: tuple[int, str]) -> Seen:
        """Ask one witness; what it says replaces what it said. A failure keeps the size it holds."""
        for _ in range(_ATTEMPTS):
            try:
                body = await self._submission(seen.size, stored)
                async with asyncio.timeout(ASK_SECONDS):
                    status, answer = await self._post(f"{self._policy.urls[seen.name]}/add-checkpoint", body)
            except (httpx.HTTPError, OSError, TimeoutError) as error:
                return self._refused(seen, f"cannot be reached: {type(error).__name__}")
            if status == 200:
                return self._accepted(seen, stored, answer)
            held = answer.strip()
            if status != 409 or not held.isdigit() or len(held) > 18 or int(held) == seen.size:
                return self._refused(seen, f"answered {status}")
            if int(held) > stored[0]:
                return self._refused(seen, f"knows {int(held)} entries, this log has {stored[0]}")
            seen = replace(seen, size=int(held), line=None)
        return self._refused(seen, "answered 409 twice")

    async def _submission(self, old: int, stored: tuple[int, str]) -> bytes:
        size, note = stored
        async with self._database.reading() as session:
            path = await prove(session, size, lambda read: proof.consistency(old, size, read))
        return Submission(old, tuple(path), note).encode()

    def _accepted(self, seen: Seen, stored: tuple[int, str], answer: bytes) -> Seen:
        """Keep the line by this witness's own key, and no other."""
        key = self._policy.witnesses[seen.name]
        for line in answer.decode(errors="replace").splitlines(keepends=True):
            with suppress(Finding):
                note = (stored[1] + line).encode()
                head = open_cosigned(note, self._keys_of(note), seen.name, (key,), whole=False)
                if at := head.times.get((key.name, key.id)):
                    return Seen(seen.name, stored[0], line, at, None)
        return self._refused(seen, "answered without its cosignature")

    def _refused(self, seen: Seen, reason: str) -> Seen:
        if seen.reason != reason:
            _log.warning("ledger_witness_refused", witness=seen.name, reason=reason)
        return replace(seen, reason=reason)

    def _open(self, note: str) -> Head:
        keys = [self._policy.witnesses[name] for name in self._policy.urls]
        data = note.encode()
        return open_cosigned(data, self._keys_of(data), "checkpoint", keys, whole=False)

    def _keys_of(self, note: bytes) -> tuple[Key, ...]:
        """The log's keys as they are called in the year of `note`."""
        return named(self._log_keys, note.partition(b"\n")[0].decode())

    def _measure(self, standing: Standing) -> None:
        self._metrics.quorum.set(0 if standing.degraded else 1)
        for seen in standing.witnesses:
            self._metrics.witnessed.labels(seen.name).set(seen.at)

    def _now(self) -> int:
        return int(self._clock().timestamp())


def poster(client: httpx.AsyncClient, policy: Policy) -> Post:
    """Post to the policy's addresses over `client`, which follows no redirection; bounded answers."""
    allowed = {f"{url}/add-checkpoint" for url in policy.urls.values()}

    async def post(url: str, body: bytes) -> tuple[int, bytes]:
        if url not in allowed:
            raise httpx.UnsupportedProtocol("not an address of the policy")
        async with client.stream("POST", url, content=body, headers={"content-type": "text/plain"}) as answer:
            data = b""
            async for part in answer.aiter_bytes():
                data += part
                if len(data) > MAX_ANSWER:
                    raise httpx.DecodingError("the answer is too long")
        return answer.status_code, data

    return post
