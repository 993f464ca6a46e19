"""The accounts a citizen may choose from, asked of the holders while the question is on the page.

The question is a request that waits for its answer, or what of a consent is taken back.
Every holder is asked once a question, side by side, within seconds. One that does not answer leaves a plain
sentence and all accounts; it never keeps the page from being shown. Names are sealed where they are kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from connectors.errors import HolderError
from consent import repository_accounts, repository_members
from consent.accounts import Listed, Offer, label, place, reference
from consent.catalogue import Catalogue
from consent.items import Item, Terms
from consent.records import Consent
from consent.subjects import SubjectId, SubjectKey
from gateway.oauth.interactions import Pending
from gateway.security.links import open_link
from gateway.transfers import listings
from gateway.web.site import Listing, Site

SECONDS = 4.0
AGAIN_SECONDS = 60
"""A holder that did not answer is asked again no sooner."""
MOST = 200
HOUR = 3600
LINGER_SECONDS = 600
"""A page opened late in an hour can still be answered."""
_log = structlog.get_logger("mydata.accounts")


@dataclass(frozen=True, slots=True)
class Question:
    """What lists are asked for: its id, whose accounts, for which client, until when.

    `waits`: it is a request, and its answer may come meanwhile.
    """

    id: str
    subject: SubjectId
    client: str
    ends: int
    waits: bool


def asked_by(pending: Pending, subject: str) -> Question:
    """The question a request puts to a citizen."""
    id, ends = pending.interaction_id, pending.answer_by
    return Question(id, SubjectId(subject), pending.client.id, ends, waits=True)


def taken_back(consent: Consent, now: int) -> Question:
    """What a citizen may take back of a consent: the same question for an hour, over ten minutes later."""
    hour = now // HOUR
    id, ends = f"narrow-{consent.id}-{consent.version}-{hour}", (hour + 1) * HOUR + LINGER_SECONDS
    return Question(id, SubjectId(consent.subject), consent.client_id, ends, waits=False)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One list to be asked for."""

    holder: str
    dataset: str


def place_of(item: Item, catalogue: Catalogue) -> str | None:
    """The list the accounts of `item` are in; None where its rows belong to no account."""
    account = catalogue.dataset(item.dataset).account
    return None if account is None else place(item.holder, account.field)


def wanted_of(terms: Terms, catalogue: Catalogue, unavailable: Iterable[str] = ()) -> dict[str, Wanted]:
    """The lists `terms` need, by place; holders that cannot be reached now are left out."""
    found: dict[str, Wanted] = {}
    for item in terms.items:
        name = place_of(item, catalogue)
        if name is not None and item.accounts is None and item.holder not in unavailable:
            found.setdefault(name, Wanted(item.holder, item.dataset))
    return found


async def offered(
    site: Site, question: Question, terms: Terms, unavailable: Iterable[str], *, ask: bool
) -> dict[str, Offer]:
    """What can be chosen, by item name; holders that are `unavailable` are not asked.

    `ask`: ask holders for what is not known, outside any transaction.
    """
    found = await _by_place(site, question, wanted_of(terms, site.catalogue, unavailable), ask=ask)
    by_item = {item.name: place_of(item, site.catalogue) for item in terms.items}
    return {name: found[one] for name, one in by_item.items() if one is not None and one in found}


async def taken(session: AsyncSession, before: Consent, *, at: int) -> None:
    """In the transaction of a narrowing: holders are told that the lists for it are not needed."""
    for asked in (at, at - HOUR):
        await listings.end_of(session, taken_back(before, asked).id, at=at)


async def keep_chosen(
    session: AsyncSession,
    site: Site,
    subject: SubjectId,
    agreed: Terms,
    offers: Mapping[str, Offer],
    *,
    at: int,
) -> None:
    """In the transaction of a yes: the masked names of the chosen accounts, for the citizen's own pages."""
    chosen = [
        (item.holder, one)
        for item in agreed.items
        for one in (offers.get(item.name) or Offer()).open
        if one.ref in (item.accounts or ())
    ]
    if chosen:
        key = await site.journal.keys.key(session, subject)
        await repository_accounts.keep_labels(session, (subject, key), chosen, at=at)


async def _by_place(
    site: Site, question: Question, wanted: Mapping[str, Wanted], *, ask: bool
) -> dict[str, Offer]:
    if not wanted or site.list_accounts is None:
        return {}
    subject, now = question.subject, site.now()
    async with site.database.reading() as session:
        key = await site.journal.keys.key(session, subject)
        known = await repository_accounts.lists(session, question.id, subject, key)
        sealed = await repository_members.links(session, subject)
    offers = {name: offer for name, (offer, _) in known.items() if name in wanted}
    stale = {name: one for name, one in wanted.items() if _stale(known.get(name), now)}
    if ask and stale:
        links = {h: open_link(key, subject, h, one) for h, one in sealed.items()}
        holders = {one.holder for one in stale.values()} & links.keys()
        async with site.database.transaction() as session:
            if not await _opened(session, question, holders, at=now):
                return offers
        fresh = await _ask(site, (question, key), stale, links)
        async with site.database.transaction() as session:
            of = (question.id, subject, key)
            await repository_accounts.keep_lists(session, of, fresh, at=now, ends=question.ends)
        offers |= fresh
    return offers


async def _opened(session: AsyncSession, question: Question, holders: Iterable[str], *, at: int) -> bool:
    """Whether there is still somebody to ask for."""
    id, subject = question.id, question.subject
    if question.waits:
        return await listings.open_for(session, id, subject, holders, at=at)
    await listings.open_until(session, id, subject, holders, at=at, ends=question.ends)
    return True


def _stale(known: tuple[Offer, int] | None, now: int) -> bool:
    return known is None or (known[0].missing is not None and known[1] + AGAIN_SECONDS <= now)


async def _ask(
    site: Site, of: tuple[Question, SubjectKey], wanted: Mapping[str, Wanted], links: Mapping[str, str]
) -> dict[str, Offer]:
    question, key = of
    id = listings.listing_id(question.id)

    async def one(want: Wanted) -> Offer:
        link = links.get(want.holder)
        if site.list_accounts is None or link is None:
            return Offer(missing="no_link")
        listing = Listing(id, question.ends, want.dataset)
        try:
            async with asyncio.timeout(SECONDS):
                found = await site.list_accounts(want.holder, link, listing)
        except HolderError as error:
            code = error.reason.value
        except TimeoutError:
            code = "timeout"
        else:
            accounts = (
                Listed(
                    reference(key, question.client, want.holder, account.key),
                    label(account.name, account.key),
                    account.blocked,
                )
                for account in found[:MOST]
            )
            return Offer(tuple({listed.ref: listed for listed in accounts}.values()))
        _log.warning("accounts_not_listed", holder=want.holder, problem=code)
        return Offer(missing=code)

    results = await asyncio.gather(*(one(want) for want in wanted.values()))
    return dict(zip(wanted, results, strict=True))
