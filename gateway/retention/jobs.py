"""Every job of the schedule, by the name the schedule gives it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Table, TextClause, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from consent.account_tables import AccountListRow
from consent.invitations import MandateInvitationRow, MandateTryRow
from consent.journal import Journal
from consent.mandates import MandateRow
from consent.notices import NoticeRow
from consent.tables import OPEN, OVER, ConsentRow, HolderLinkRow, table_of, tables_of
from gateway.oauth import abandonment, refusal_counts, replay
from gateway.oauth.openid_tables import STRAY, RecognitionRow
from gateway.oauth.tables import AuthorizationCodeRow, AuthorizationRequestRow
from gateway.retention.batch import ROWS, Batch, Step, ending
from gateway.retention.citizens import drop_links, forgetting
from gateway.retention.grants import forget_of_consents, forget_revoked
from gateway.retention.lapses import lapsing
from gateway.retention.records import forget_consents
from gateway.retention.rights import forget_self_requests, yearly
from gateway.retention.schedule import schedule
from gateway.retention.walk import Visit, Walk
from gateway.security.tables import CitizenSessionRow, SignInRow
from gateway.transfers.calls import HolderCallRow
from gateway.transfers.tables import NOT_EMPTIED, BundleRow, ListAuthorizationRow

_CONSENT, _LINK, _BUNDLE = tables_of(ConsentRow, HolderLinkRow, BundleRow)
_REQUEST, _CODE = tables_of(AuthorizationRequestRow, AuthorizationCodeRow)
_SESSION, _SIGN_IN = tables_of(CitizenSessionRow, SignInRow)
_RECOGNITION, _NOTICE = tables_of(RecognitionRow, NoticeRow)
_FLOW_COUNTED = text(
    "interaction_id NOT IN (SELECT interaction_id FROM authorization_request WHERE counted_at IS NULL)"
)


@dataclass(frozen=True, slots=True)
class Job:
    """One job: its steps are run in turn, each until it has no more. `name` stands in the schedule."""

    name: str
    steps: tuple[Step, ...]


class ReplayKeys:
    """One-time values are forgotten a tick after the mark has passed them.

    The mark is raised in one transaction and used in a later tick: by then no statement runs any more that
    was begun before it and has not seen it.
    """

    def __init__(self) -> None:
        """Know of no mark yet: after a start a tick passes before anything is forgotten."""
        self._mark: int | None = None
        self._next: int | None = None

    async def raise_mark(self, session: AsyncSession, now: int) -> Batch:
        """Raise the mark to what may be forgotten at the next tick."""
        self._mark, self._next = self._next, None
        self._next = await replay.raise_mark(session, now - _after("replay"))
        return Batch(0, False)

    async def forget(self, session: AsyncSession, _now: int) -> Batch:
        """Forget a batch of what lies before the mark of the tick before."""
        if self._mark is None:
            return Batch(0, False)
        gone = await replay.forget(session, before=self._mark, limit=2 * ROWS)
        return Batch(gone, gone == 2 * ROWS)


async def empty_bundles(session: AsyncSession, now: int) -> Batch:
    """Delete the sealed bytes of bundles whose time is over; that they existed stays known."""
    stale = select(_BUNDLE.c.id).where(NOT_EMPTIED, _BUNDLE.c.expires_at <= now - _after("bundle"))
    oldest = stale.order_by(_BUNDLE.c.expires_at, _BUNDLE.c.id).limit(ROWS)
    ids = (await session.execute(oldest.with_for_update(skip_locked=True))).scalars().all()
    if ids:
        await session.execute(update(_BUNDLE).where(_BUNDLE.c.id.in_(ids)).values(sealed=b""))
    return Batch(len(ids), len(ids) == ROWS)


def jobs(journal: Journal, party: str) -> tuple[Job, ...]:
    """Every job; `party` is the operator's code in the ledger."""
    keys = ReplayKeys()

    async def tell(session: AsyncSession, now: int) -> Batch:
        return Batch(await refusal_counts.tell(session, journal, party, now), False)

    return (
        Job("replay", (keys.raise_mark, keys.forget)),
        Job("authorization_request", (count_flows, _counted())),
        Job("authorization_code", (_ending(_CODE, "expires_at", where=_FLOW_COUNTED),)),
        Job("list_authorization", (_ending(table_of(ListAuthorizationRow), "ended_at"),)),
        Job("account_list", (_ending(table_of(AccountListRow), "ends_at"),)),
        Job("citizen_session", (_ending(_SESSION, "expires_at"),)),
        Job("citizen_sign_in", (_ending(_SIGN_IN, "expires_at"),)),
        Job("refusal_count", (tell,)),
        Job("bundle", (empty_bundles,)),
        Job("oauth_grant", (forget_revoked, *_walks("oauth_grant", forget_of_consents, _CONSENT.c.id))),
        Job("oauth_recognition", (_strays(),)),
        Job("notice", (_ending(_NOTICE, "at"), *yearly(journal, party))),
        Job("self_request", (forget_self_requests,)),
        Job("consent", (lapsing(journal), forget_consents)),
        Job("holder_call", (_ending(table_of(HolderCallRow), "at"),)),
        Job("mandate", (_ending(table_of(MandateRow), "ended_at"),)),
        Job("mandate_invitation", (_ending(table_of(MandateInvitationRow), "expires_at"),)),
        Job("mandate_try", (_ending(table_of(MandateTryRow), "since"),)),
        Job("holder_link", (*_walks("holder_link", drop_links, _CONSENT.c.subject_id), _made().step)),
        Job("citizen", (forgetting(journal, party),)),
    )


def _after(table: str) -> int:
    return schedule()[table].seconds


async def count_flows(session: AsyncSession, now: int) -> Batch:
    """Count where citizens left requests that are over; nothing ends by it."""
    counted = await abandonment.count(session, now)
    return Batch(0, counted == abandonment.AT_ONCE)


def _ending(table: Table, when: str, where: TextClause | None = None) -> Step:
    return ending(table, table.c[when], after=_after(table.name), where=where)


def _counted() -> Step:
    """A request goes when where its citizen left it has been counted."""
    return _ending(_REQUEST, "answer_by", where=text("counted_at IS NOT NULL"))


def _strays() -> Step:
    """Recognitions no grant was made of; the others go with their grant."""
    when = _RECOGNITION.c.created_at
    return ending(_RECOGNITION, when, after=_after("oauth_recognition"), where=STRAY)


def _walks(job: str, visit: Visit, what: ColumnElement[str]) -> tuple[Step, ...]:
    """Two walks over consents as they ended: by a move, and by their period."""
    by_move = Walk(f"{job}/over", _CONSENT.c.changed_at, _CONSENT.c.id, what, _after(job), visit, OVER)
    by_time = Walk(f"{job}/ran-out", _CONSENT.c.end_at, _CONSENT.c.id, what, _after(job), visit, OPEN)
    return by_move.step, by_time.step


def _made() -> Walk:
    """A walk over the links as they were made: some citizens never came to a consent."""
    subject, after = _LINK.c.subject_id, _after("holder_link")
    return Walk("holder_link/made", _LINK.c.made_at, subject, subject, after, drop_links)
