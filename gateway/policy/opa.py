"""The policy evaluated by an OPA server: the reference engine (design 3.7).

One pooled session; no retries but one after a dropped keep-alive connection; one time limit over all; strict
builtin errors; the revision in the answer's provenance must be the one this gateway expects; and its clock
must agree with ours: the policy knows no time but the one we tell it.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from time import monotonic, time
from urllib.parse import urlsplit

import aiohttp
import msgspec
from opa_client.opa_async import AsyncOpaClient

from gateway.policy.breaker import Breaker
from gateway.policy.decision import MAX_ANSWER_BYTES, Decision
from gateway.policy.decision import parse as parse_answer
from gateway.policy.engine import PACKAGE, RULE, EngineHealth
from gateway.policy.errors import PolicyUnavailable
from gateway.policy.question import Question

_PATH = f"{PACKAGE.replace('.', '/')}/{RULE}"
MAX_SKEW_SECONDS = 30
"""How far OPA's clock (RFC 9110 6.6.1) may stand from ours; beyond it nobody knows which is right."""

_QUERY = {"strict-builtin-errors": "true", "provenance": "true"}


@dataclass(frozen=True, slots=True)
class OpaAddress:
    """Where OPA listens: `url`, or a unix socket; `ca` is the private authority of an https one."""

    url: str = "http://127.0.0.1:8181"
    unix_socket: Path | None = None
    ca: Path | None = None
    token: str | None = None
    timeout_seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came: `date` is the server's clock, "" when it told none."""

    status: int
    body: bytes
    date: str


class PooledOpaClient(AsyncOpaClient):  # type: ignore[misc]
    """The published client on a pooled session: TCP or unix socket, a private CA, one total time limit."""

    def __init__(self, address: OpaAddress) -> None:
        """Talk to `address`; the session opens with `_init_session`."""
        url = urlsplit(address.url)
        secure = url.scheme == "https"
        super().__init__(
            host=url.hostname or "127.0.0.1",
            port=url.port or (443 if secure else 80),
            ssl=secure,
            token=address.token,
            retries=0,
            timeout=address.timeout_seconds,
        )
        self._address = address

    async def _init_session(self) -> None:
        connector: aiohttp.BaseConnector
        if self._address.unix_socket is not None:
            connector = aiohttp.UnixConnector(path=str(self._address.unix_socket), limit=64)
        else:
            trust = ssl.create_default_context(cafile=self._address.ca) if self.ssl else True
            connector = aiohttp.TCPConnector(limit=64, ssl=trust, keepalive_timeout=30)
        self._session = aiohttp.ClientSession(
            connector=connector,
            headers=self.headers,
            timeout=aiohttp.ClientTimeout(total=self.timeout),
            trust_env=False,
        )

    async def ask(self, question: bytes) -> Reply:
        """What came of one question, its body bounded; transport errors are aiohttp's own."""
        url = f"{self.root_url}/data/{_PATH}"
        body = b'{"input":' + question + b"}"
        sent = {"data": body, "params": _QUERY, "headers": {"Content-Type": "application/json"}}
        async with self._request("POST", url, allow_redirects=False, **sent) as response:
            return Reply(response.status, await _bounded(response.content), response.headers.get("Date", ""))


class OpaEngine:
    """A `PolicyEngine` on an OPA server that serves the bundle of `revision`."""

    def __init__(
        self,
        address: OpaAddress,
        revision: str,
        *,
        breaker: Breaker | None = None,
        clock: Callable[[], float] = monotonic,
        now: Callable[[], float] = time,
    ) -> None:
        """Expect answers on `revision` only. Connects on the first question.

        `clock` counts seconds and never goes back; `now` is the epoch second questions are asked by.
        """
        self.revision = revision
        self.name = "opa"
        self._client = PooledOpaClient(address)
        self._breaker = breaker or Breaker(clock=clock)
        self._now = now
        self._opening = asyncio.Lock()
        self._open = False

    async def decide(self, question: Question) -> Decision:
        """Ask OPA once; raises PolicyUnavailable at once while the breaker is open."""
        answer = await self.evaluate(question.encode())
        return parse_answer(answer, question, engine=self.name, revision=self.revision)

    async def evaluate(self, question: bytes) -> bytes:
        """The bare answer to an encoded question, on the expected revision; else raises PolicyUnavailable."""
        with self._breaker.guard():
            await self._connect()
            return self._result(await self._ask(question))

    async def health(self) -> EngineHealth:
        """Ready when OPA is up with its bundle active (`/health?bundles`) and its revision is ours."""
        try:
            await self._connect()
            if not await self._client.check_health({"bundles": True}):
                return EngineHealth(False, self.name, self.revision, "bundle")
            self._result(await self._ask(b"{}"))
        except PolicyUnavailable as error:
            return EngineHealth(False, self.name, self.revision, error.cause)
        return EngineHealth(True, self.name, self.revision)

    async def close(self) -> None:
        """Close the session."""
        self._open = False
        await self._client.close_connection()

    async def _connect(self) -> None:
        async with self._opening:
            if not self._open:
                try:
                    await self._client._init_session()
                except (OSError, ssl.SSLError) as error:
                    raise PolicyUnavailable("unreachable", str(error)) from error
                self._open = True

    async def _ask(self, question: bytes) -> Reply:
        try:
            try:
                return await self._client.ask(question)
            except aiohttp.ServerDisconnectedError:
                return await self._client.ask(question)  # a kept-alive connection the server had closed
        except TimeoutError as error:
            raise PolicyUnavailable("timeout") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise PolicyUnavailable("unreachable", repr(error)) from error

    def _result(self, reply: Reply) -> bytes:
        if reply.status != 200:
            raise PolicyUnavailable("status", f"HTTP {reply.status}")
        self._refuse_other_time(reply.date)
        try:
            answer = msgspec.json.decode(reply.body, type=_Answer)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise PolicyUnavailable("malformed", str(error)) from error
        if answer.result is msgspec.UNSET:
            raise PolicyUnavailable("undefined", "OPA has no decision: policy or data not loaded")
        revisions = {bundle.revision for bundle in answer.provenance.bundles.values()}
        if revisions != {self.revision}:
            raise PolicyUnavailable("revision", f"OPA answers on {sorted(revisions)}")
        if answer.provenance.version:
            self.name = f"opa/{answer.provenance.version}"
        return bytes(answer.result)

    def _refuse_other_time(self, date: str) -> None:
        try:
            apart = abs(parsedate_to_datetime(date).timestamp() - self._now())
        except (ValueError, OverflowError) as error:
            raise PolicyUnavailable("clock", "OPA did not tell its time") from error
        if apart > MAX_SKEW_SECONDS:
            raise PolicyUnavailable("clock", f"OPA's clock stands {apart:.0f} s from this gateway's")


class _Bundle(msgspec.Struct):
    revision: str = ""


class _Provenance(msgspec.Struct):
    version: str = ""
    bundles: dict[str, _Bundle] = {}


class _Answer(msgspec.Struct):
    provenance: _Provenance
    result: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


async def _bounded(stream: aiohttp.StreamReader) -> bytes:
    body = bytearray()
    async for chunk in stream.iter_chunked(65536):
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise PolicyUnavailable("malformed", "answer too large")
    return bytes(body)
