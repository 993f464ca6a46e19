"""Links a citizen to holders at sign-in, all side by side; one that is down delays and spoils nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from connectors.errors import HolderError
from consent import repository_members
from consent.events import Event
from consent.subjects import SubjectId
from gateway.security.links import seal_link
from gateway.web.identity import IdentityError, Person
from gateway.web.site import Site

_SECONDS = 12.0
_log = structlog.get_logger("mydata.links")


@dataclass(frozen=True, slots=True)
class Linked:
    """The links made, and for every other holder the code of why not."""

    made: Mapping[str, str] = field(repr=False)
    unavailable: Mapping[str, str]


async def make_links(site: Site, person: Person, holders: Iterable[str]) -> Linked:
    """Link `person` to each of `holders`. Calls the provider and the holders: no transaction may be open."""
    names = tuple(holders)
    results = await asyncio.gather(*(_link(site, person, holder) for holder in names))
    made = {holder: link for holder, (link, _) in zip(names, results, strict=True) if link is not None}
    missing = {holder: code for holder, (link, code) in zip(names, results, strict=True) if link is None}
    return Linked(made, missing)


async def keep_links(session: AsyncSession, site: Site, subject: SubjectId, links: Mapping[str, str]) -> None:
    """Store the links sealed, each with its ledger entry, in the caller's transaction."""
    if not links:
        return
    key, now = await site.journal.keys.key(session, subject), site.now()
    for holder, link in links.items():
        sealed = seal_link(key, subject, holder, link)
        if await repository_members.keep_link(session, subject, holder, sealed, now):
            await site.journal.append(
                session, Event.HOLDER_LINK_MADE, subject=subject, party=holder, payload={}, at=now
            )


async def _link(site: Site, person: Person, holder: str) -> tuple[str | None, str]:
    try:
        async with asyncio.timeout(_SECONDS):
            statement = await site.identity.vouch(person, holder)
            return await site.make_link(holder, statement), ""
    except (HolderError, IdentityError) as error:
        code = error.code
    except TimeoutError:
        code = "holder_timeout"
    _log.warning("holder_not_linked", holder=holder, problem=code)
    return None, code
