"""Everything the citizen's pages need, handed in once and never changed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from cryptography.x509 import Certificate
from sqlalchemy.ext.asyncio import AsyncSession

from connectors.contract import Account
from consent.catalogue import Catalogue
from consent.clock import Clock
from consent.endings import Patience
from consent.items import Terms
from consent.journal import Journal
from consent.parties import HolderInfo
from consent.records import Consent
from gateway.awareness.questionnaire import Questionnaire
from gateway.database import Database
from gateway.errors import Language
from gateway.oauth.answering import Answering
from gateway.receipts import Receipts
from gateway.security.rate_limit import RateLimit
from gateway.security.sessions import Sessions
from gateway.transfers.own.ask import OwnAsking
from gateway.web.identity import IdentityProvider
from gateway.web.rendering import Renderer

MakeLink = Callable[[str, str], Awaitable[str]]
"""(holder id, the provider's statement) -> the holder's link; raises connectors.errors.HolderError."""

AfterWithdrawal = Callable[[AsyncSession, Consent], Awaitable[None]]
"""What else is written in the transaction of a withdrawal (notices to holders). MUST NOT call anyone."""

AfterChange = Callable[[AsyncSession, Consent, Consent], Awaitable[None]]
"""What else is written in the transaction that moved a consent from the first to the second. MUST NOT call
anyone."""

Receipt = Callable[[Consent], Awaitable[bytes | None]]
"""The signed receipt of a consent (a compact JWS); None while its entry is not in the log yet."""


@dataclass(frozen=True, slots=True)
class Withheld:
    """An item the law will not let through as asked: the reason code and the article."""

    reason: str
    article: str


MayGrant = Callable[[], Awaitable[None]]
"""Raises Problem while no consent may be given (the ledger lags). Refusing and withdrawing never ask."""

Precheck = Callable[[Terms, str], Awaitable[Mapping[str, Withheld]]]
"""(terms, client id) -> the items, by name, that would be refused whatever the citizen says."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A question for a list of accounts: `id` names it to the holder, `end` (epoch seconds) ends it."""

    id: str
    end: int
    dataset: str


ListAccounts = Callable[[str, str, Listing], Awaitable[Sequence[Account]]]
"""(holder id, the citizen's link there, listing) -> their accounts; raises connectors.errors.HolderError."""


@dataclass(frozen=True, slots=True)
class Site:
    """`origin` is the gateway's public origin; `party` the operator's code in the ledger.

    `provider` names the identity provider by language; `identity_key` (32 bytes) keys the names of proven
    people. The hooks are optional: without `receipt` no receipt is offered here. `sign_ins` bounds how often
    one address may begin one, `patience` how long parties of an ended consent have to answer. `tell_holders`
    says, after a commit, that there is something to tell them.
    """

    origin: str
    party: str
    database: Database
    clock: Clock
    catalogue: Catalogue
    holders: Mapping[str, HolderInfo]
    journal: Journal
    sessions: Sessions
    renderer: Renderer
    identity: IdentityProvider
    provider: Mapping[Language, str]
    identity_key: bytes = field(repr=False)
    make_link: MakeLink
    answering: Answering
    after_withdrawal: AfterWithdrawal | None = None
    after_change: AfterChange | None = None
    receipt: Receipt | None = None
    receipts: Receipts | None = None
    anchors: tuple[Certificate, ...] = ()
    precheck: Precheck | None = None
    may_grant: MayGrant | None = None
    list_accounts: ListAccounts | None = None
    tell_holders: Callable[[], None] = lambda: None
    own: OwnAsking | None = None
    questionnaire: Questionnaire | None = None
    patience: Patience = field(default_factory=Patience)
    sign_ins: RateLimit = field(default_factory=RateLimit)

    @property
    def secure(self) -> bool:
        """Whether the public origin is https."""
        return self.origin.startswith("https://")

    def now(self) -> int:
        """Epoch seconds."""
        return int(self.clock().timestamp())
