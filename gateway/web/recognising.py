"""That a client wishes to recognise the citizen (scope openid): on the page, in the kept text, in the store.

It is an item of its own, and personal claims are boxes of their own that come unticked.
"""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from consent.events import Event
from consent.parties import ClientInfo
from consent.subjects import SubjectId
from consent.text import Block
from gateway.errors import Language, Problem
from gateway.oauth import recognition
from gateway.oauth.interactions import Pending
from gateway.oauth.openid_request import SCOPES
from gateway.oauth.recognition import Recognition
from gateway.security.sessions import CitizenSession
from gateway.web.forms import Form
from gateway.web.site import Site
from gateway.web.views import RecognitionView, Switch
from gateway.web.words import words


def block(pending: Pending, language: Language) -> tuple[Block, ...]:
    """What the kept text says of it; nothing when it is not asked."""
    if not pending.openid.recognising:
        return ()
    t = words(language)
    boxes = [f"- {t(f'recognise.{name}')}: {t('recognise.own_box')}" for name in pending.openid.personal]
    return (Block("recognise", t("recognise.title"), (*_lines(pending, language), *boxes)),)


def view(pending: Pending, language: Language, ticked: frozenset[str]) -> RecognitionView | None:
    """What the page shows of it; None when it is not asked."""
    if not pending.openid.recognising:
        return None
    t = words(language)
    boxes = tuple(
        Switch(
            value=name,
            anchor=f"claim-{number}",
            label=t(f"recognise.{name}"),
            about=t(f"recognise.{name}_about"),
            chosen=name in ticked,
        )
        for number, name in enumerate(pending.openid.personal, start=1)
    )
    return RecognitionView(_lines(pending, language), boxes)


def ticked_of(form: Form, pending: Pending) -> frozenset[str]:
    """The personal claims ticked. Raises Problem `form_invalid` for a box the page did not have."""
    ticked = frozenset(form.all("claim"))
    if not ticked <= pending.openid.personal.keys():
        raise Problem("form_invalid", detail="a box that was not on the page")
    return ticked


async def keep(
    session: AsyncSession,
    site: Site,
    pending: Pending,
    citizen: CitizenSession,
    *,
    ticked: frozenset[str],
    spoken: Language,
) -> None:
    """Store the citizen's yes to being recognised with its ledger entry, in the transaction of the answer.

    MUST stand before the request is settled. Nothing is stored when it was not asked.
    """
    if not pending.openid.recognising:
        return
    now = site.now()
    given = recognition.agreed(pending.openid, citizen.subject, citizen.how, ticked, spoken)
    await recognition.keep(session, pending.interaction_id, pending.client.id, given, at=now)
    await site.journal.append(
        session,
        Event.CITIZEN_RECOGNITION_AGREED,
        subject=SubjectId(citizen.subject),
        party=pending.client.id,
        payload={"scope": given.scope, "claims": {name: list(where) for name, where in given.told.items()}},
        at=now,
        idem=f"recognition:{pending.interaction_id}",
    )


def agreed_before(pending: Pending, known: Recognition | None) -> bool:
    """Whether the citizen need not be asked again to be recognised as this request wants."""
    openid = pending.openid
    if not openid.recognising:
        return True
    if known is None or not set(openid.scope.split()) & set(SCOPES) <= set(known.scope.split()):
        return False
    return openid.personal.keys() <= known.told.keys()


def as_before(pending: Pending, known: Recognition | None) -> tuple[frozenset[str], Language]:
    """The personal claims told before and still asked for, and the language told, if any."""
    ticked = frozenset(pending.openid.personal) & frozenset(known.told if known else ())
    return ticked, "en" if known is not None and known.locale == "en" else "ko"


def told(known: Recognition | None, client: ClientInfo, language: Language) -> str | None:
    """What the page of a consent says of it; None where nothing was agreed to or nothing is told any more."""
    if known is None:
        return None
    t, who = words(language), (client.name or {}).get(language) or client.legal_name
    return t("recognise.known_locale" if known.locale else "recognise.known", who=who)


def _lines(pending: Pending, language: Language) -> tuple[str, ...]:
    t, client = words(language), pending.client
    who = client.name.get(language) or client.legal_name
    first = t("recognise.by_number", who=who)
    if client.openid.sector_identifier_uri is not None:
        first = t("recognise.by_shared_number", who=who, sector=client.openid.sector)
    return (first, t("recognise.sign_in"), t("recognise.never"))
