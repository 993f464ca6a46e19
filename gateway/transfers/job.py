"""One transfer under way: everything needed to pull, treat and seal it, read in one look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from connectors.contract import Holder
from consent import repository as consents
from consent import repository_members
from consent.accounts import reference
from consent.calendar import korean_day_of
from consent.journal import Journal
from consent.records import Consent, State
from consent.subjects import SubjectId, SubjectKey
from gateway.oauth import clients
from gateway.oauth.clients import Client
from gateway.policy import record
from gateway.policy.decision import Grant, Obligation, RetainUntil, Stamp, Withheld
from gateway.policy.tables import PolicyDecisionRow
from gateway.security.links import open_link
from gateway.transfers.pull import Order, Wanted, transaction_id
from gateway.transfers.tables import TransferRow


@dataclass(frozen=True, slots=True)
class Job:
    """A transfer with its consent, its recipient, and what policy granted. `key` is the citizen's own."""

    transfer: TransferRow
    consent: Consent
    client: Client
    decision: PolicyDecisionRow
    granted: tuple[Grant, ...]
    withheld: tuple[Withheld, ...]
    obligations: tuple[Obligation, ...]
    key: SubjectKey
    links: Mapping[str, str] = field(repr=False)

    @property
    def retain_until(self) -> int:
        """Epoch seconds by which the recipient must have deleted what it received."""
        return next(o.until for o in self.obligations if isinstance(o, RetainUntil))

    @property
    def stamp(self) -> str | None:
        """`sandbox` unless policy knows a designation."""
        return next((o.value for o in self.obligations if isinstance(o, Stamp)), None)

    def order(self, holders: Mapping[str, Holder], now: int) -> Order:
        """What to pull for this job."""
        wanted, today = [], korean_day_of(now)
        for number, grant in enumerate(self.granted):
            item = self.consent.terms.item(grant.item)
            holder = holders.get(grant.holder)
            if item is None:
                continue
            wanted.append(
                Wanted(
                    holder=grant.holder,
                    dataset=grant.dataset,
                    fields=grant.fields,
                    since=item.history_from,
                    until=min(item.history_to or today, today),
                    transaction_id=transaction_id(
                        holder.manifest.org_code if holder else "", self.transfer.id, number
                    ),
                    accounts=item.accounts,
                )
            )
        return Order(
            transfer_id=self.transfer.id,
            consent_id=self.consent.id,
            consent_version=self.consent.version,
            consent_end=self.consent.terms.end_at,
            wanted=tuple(wanted),
            links=self.links,
            refer=partial(reference, self.key, self.consent.client_id),
        )


def ended(consent: Consent | None, version: int, now: int) -> str | None:
    """Why nothing may be sent any more under `version` of a consent; None while it may."""
    if consent is None:
        return "consent_not_found"
    standing = consent.standing(now)
    if standing is not State.ACTIVE:
        return ended_as(standing)
    return None if consent.version == version else "consent_changed"


def ended_as(state: State) -> str:
    """The code of what is not in force: a withdrawal counts as such from its first half on."""
    return f"consent_{(State.WITHDRAWN if state is State.WITHDRAWING else state).value}"


async def load(session: AsyncSession, journal: Journal, transfer: TransferRow, now: int) -> Job | str:
    """The job of a transfer, or the code that says why it must end instead.

    The consent is locked first, as by whoever ends it: in any other order the two could wait for each other.
    """
    consent = await consents.load(session, transfer.consent_id, lock=True)
    if consent is None or (why := ended(consent, transfer.consent_version, now)):
        return "consent_not_found" if consent is None else str(why)
    client = await clients.find(session, transfer.client_id)
    if client is None or not client.active:
        return "client_suspended"
    decision = await record.find(session, transfer.decision_id)
    if decision is None:
        return "decision_not_found"
    key = await journal.keys.key(session, consent.subject)
    sealed = await repository_members.links(session, consent.subject)
    return Job(
        transfer=transfer,
        consent=consent,
        client=client,
        decision=decision,
        granted=msgspec.json.decode(decision.granted, type=tuple[Grant, ...]),
        withheld=msgspec.json.decode(decision.withheld, type=tuple[Withheld, ...]),
        obligations=msgspec.json.decode(decision.obligations, type=tuple[Obligation, ...]),
        key=key,
        links={h: open_link(key, SubjectId(consent.subject), h, one) for h, one in sealed.items()},
    )
