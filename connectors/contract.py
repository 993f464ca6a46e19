"""The contract between the gateway and whatever fetches records from a holder (정보제공자).

A connector yields records and then the checkpoint that seals exactly those records, so that
progress can never be stored ahead of data. It decides nothing else: retry, budget, time limits,
origin pinning and cancellation belong to the runtime (`connectors.runtime`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

Json = Any
"""A JSON value: what `json.loads` may return."""


class Reason(StrEnum):
    """Why records are missing or a pull ended. Stable: recipients and citizens see these codes."""

    HOLDER_DOWN = "holder_down"
    THROTTLED = "throttled"
    CORRUPT = "corrupt"
    FOREIGN_NEXT = "foreign_next"
    CONTRACT = "contract"
    CURSOR_EXPIRED = "cursor_expired"
    DENIED = "denied"
    REVOKED = "revoked"
    NO_LINK = "no_link"
    UNKNOWN_DATASET = "unknown_dataset"
    BUDGET = "budget"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
    TOO_LARGE = "too_large"
    ACCOUNT_GONE = "account_gone"


class Outcome(StrEnum):
    """How the pull of one dataset ended."""

    COMPLETE = "complete"
    EMPTY = "empty"
    PARTIAL = "partial"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a dataset.

    `key` is stable over repeated pulls. `body` is one JSON object in UTF-8 whose top-level names are
    the field ids of the catalogue; fields the standard has and the catalogue does not are allowed and
    never decoded further on. `at` is when the recorded thing happened, if known. `version`, if given,
    MUST sort as text in the order the versions were made (a timestamp, a zero-padded number): of two
    records with one key the greater version is kept; without versions, the one that arrived last.
    """

    key: str = field(repr=False)
    body: bytes = field(repr=False)
    at: datetime | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Tombstone:
    """The holder says explicitly that the record `key` was deleted."""

    key: str = field(repr=False)
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Seals everything yielded since the previous checkpoint. `cursor` MUST be new in this pull."""

    cursor: Json
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """A known hole. Never silent: it travels to the manifest and to the citizen."""

    dataset: str
    reason: Reason
    detail: str = ""
    retry_after: datetime | None = None


Event = Record | Tombstone | Checkpoint | Gap


@dataclass(frozen=True, slots=True)
class Dataset:
    """One dataset a holder offers. `id` is the catalogue id, e.g. `finance.deposit-transactions`."""

    id: str
    standard: str


@dataclass(frozen=True, slots=True)
class Budget:
    """What one pull may spend at a holder."""

    requests: int = 200
    attempts: int = 4
    seconds: float = 20.0
    page_bytes: int = 8 * 1024 * 1024
    total_bytes: int = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a holder is: identity, sector, base address, standard and datasets, and what a pull may cost.

    `origin` (scheme, host, port) is the only origin requests of this holder may ever go to.
    """

    id: str
    sector: str
    name: Mapping[str, str]
    origin: str
    org_code: str
    datasets: Sequence[Dataset]
    budget: Budget = field(default_factory=Budget)


@dataclass(frozen=True, slots=True)
class PullRequest:
    """What to pull, for one person under one consent. `since` and `until` bound the history, inclusive.

    `accounts` are the keys of the accounts the citizen chose; None: all. A connector that can ask for single
    accounts SHOULD ask for no others; rows of others are dropped later in any case.
    """

    dataset: str
    fields: tuple[str, ...]
    since: date
    until: date
    transaction_id: str
    accounts: frozenset[str] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Account:
    """One account (계좌, 회선, 계량기) of a person at a holder.

    `key` is what records carry in the account field of the catalogue, `name` what the holder calls the
    product. `blocked` says why it cannot be chosen: `closed`, or `left_out` (by the person, at the holder).
    """

    key: str = field(repr=False)
    name: str = field(default="", repr=False)
    blocked: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of the holder: where it came from, its body and its headers (lower-case names)."""

    url: str = field(repr=False)
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


Check = Callable[[int, Page], None]
"""Looks at an answer (HTTP status, page) before the runtime judges it by its status alone. It may raise
`connectors.errors.HolderError` to name the reason better; a passing reason (throttled, corrupt, holder
down) is then retried within the budget, any other ends the pull."""


class Io(Protocol):
    """The connector's only way out. Implemented by the runtime.

    `get`/`post` MUST attach the holder token, refuse any URL outside the manifest's origin, refuse a
    request already answered in this pull, count against the budget, retry what may be retried, bound the
    body size, and return the answer of a 2xx. They raise `connectors.errors.HolderError` with a `Reason`
    otherwise. `headers` MUST NOT name Authorization.
    """

    async def get(
        self,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        accept: str = "application/json",
        headers: Mapping[str, str] | None = None,
        check: Check | None = None,
    ) -> Page:
        """GET `path` (or an absolute URL inside the origin)."""
        ...

    async def post(
        self,
        path: str,
        body: Mapping[str, Json],
        *,
        headers: Mapping[str, str] | None = None,
        check: Check | None = None,
    ) -> Page:
        """POST a JSON body to `path`. MUST only be used for reads: a failed POST is sent again."""
        ...


class Holder(Protocol):
    """What a connector implements, or gets for free from a YAML spec (`connectors.spec`).

    `pull` MUST yield records before the checkpoint that seals them, MUST NOT yield a record whose key it
    knows to be of another person, MUST NOT sleep, retry, log bodies or keep state between pulls.
    """

    manifest: Manifest

    def pull(self, request: PullRequest, io: Io) -> AsyncIterator[Event]:
        """Yield the events of one dataset, oldest page first where the standard allows."""
        ...


@runtime_checkable
class ListsAccounts(Protocol):
    """What a connector implements besides when its holder can list a person's accounts."""

    manifest: Manifest

    async def accounts(self, request: PullRequest, io: Io) -> list[Account]:
        """The accounts the records of `request.dataset` may belong to; empty when they belong to none.

        Raises HolderError. MUST NOT keep state or log anything of them.
        """
        ...
