"""All SQL of account lists and of the masked names of chosen accounts. Never commits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import orjson
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from consent.account_tables import AccountLabelRow, AccountListRow
from consent.accounts import Listed, Offer
from consent.repository import insert_or_keep
from consent.subjects import SubjectId, SubjectKey
from consent.tables import table_of

_LIST = table_of(AccountListRow)
_LABEL = table_of(AccountLabelRow)


async def keep_lists(
    session: AsyncSession,
    question: tuple[str, SubjectId, SubjectKey],
    offers: Mapping[str, Offer],
    *,
    at: int,
    ends: int,
) -> None:
    """Store what holders listed for a question (interaction, citizen, their key), by place; older goes."""
    interaction, subject, key = question
    mine = (_LIST.c.interaction_id == interaction) & _LIST.c.place.in_(offers)
    await session.execute(delete(_LIST).where(mine))
    for place, offer in offers.items():
        plain = orjson.dumps([(one.ref, one.label, one.blocked) for one in offer.accounts])
        await session.execute(
            insert_or_keep(session, _LIST, "id").values(
                id=f"{interaction}/{place}",
                interaction_id=interaction,
                place=place,
                subject_id=subject,
                missing=offer.missing,
                sealed=key.seal(plain, _list_context(subject, interaction, place)),
                listed_at=at,
                ends_at=ends,
            )
        )


async def lists(
    session: AsyncSession, interaction: str, subject: SubjectId, key: SubjectKey
) -> dict[str, tuple[Offer, int]]:
    """What was listed for a question and this citizen, by place, with when. Another citizen's is nothing."""
    query = select(_LIST).where(_LIST.c.interaction_id == interaction, _LIST.c.subject_id == subject)
    found = {}
    for row in await session.execute(query):
        plain = key.unseal(row.sealed, _list_context(subject, interaction, row.place))
        accounts = tuple(Listed(*one) for one in orjson.loads(plain))
        found[row.place] = (Offer(accounts, row.missing), row.listed_at)
    return found


async def keep_labels(
    session: AsyncSession,
    citizen: tuple[SubjectId, SubjectKey],
    chosen: Iterable[tuple[str, Listed]],
    *,
    at: int,
) -> None:
    """Store the masked names of chosen accounts, each with its holder; one that is known stays as it is."""
    subject, key = citizen
    statement = insert_or_keep(session, _LABEL, "subject_id", "ref")
    for holder, one in chosen:
        sealed = key.seal(one.label.encode(), _label_context(subject, one.ref))
        values = {"subject_id": subject, "ref": one.ref, "holder": holder, "sealed": sealed, "made_at": at}
        await session.execute(statement.values(**values))


async def labels(session: AsyncSession, subject: SubjectId, key: SubjectKey) -> dict[str, str]:
    """The masked names of a citizen's chosen accounts, by reference."""
    query = select(_LABEL.c.ref, _LABEL.c.sealed).where(_LABEL.c.subject_id == subject)
    return {
        row.ref: key.unseal(row.sealed, _label_context(subject, row.ref)).decode()
        for row in await session.execute(query)
    }


def _list_context(subject: SubjectId, interaction: str, place: str) -> str:
    return f"account-list/{subject}/{interaction}/{place}"


def _label_context(subject: SubjectId, ref: str) -> str:
    return f"account-label/{subject}/{ref}"
