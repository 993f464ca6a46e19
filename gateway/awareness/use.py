"""How the gateway was used in one month: true counts by sector, purpose, age band and kind of recipient.

Counted from the records while they are read in order of citizens; what leaves is the counts, and only
`publishing` may have them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from consent.catalogue import Catalogue
from consent.items import from_details
from consent.records import Move, State
from consent.subjects import SubjectKeys
from consent.tables import ConsentRow, ConsentVersionRow, TransferItemOutcomeRow, tables_of
from gateway.awareness.ages import BANDS, Bands
from gateway.awareness.window import Month
from gateway.oauth import clients
from gateway.oauth.client_document import KINDS
from gateway.transfers.tables import BundleRow

Cell = tuple[str, str, str]
"""What is counted, by what, and which: `("given", "sector", "finance")`."""

MEASURES = ("given", "withdrawn", "in_force", "transfers", "items_sent")
OTHER = "other"
_CONSENT, _VERSION, _OUTCOME, _BUNDLE = tables_of(
    ConsentRow, ConsentVersionRow, TransferItemOutcomeRow, BundleRow
)
_IN_FORCE = (State.ACTIVE.value, State.PAUSED.value)
_WHO = (_CONSENT.c.subject_id, _CONSENT.c.client_id, _CONSENT.c.purpose)


@dataclass(frozen=True, slots=True)
class _Seen:
    measure: str
    subject: str
    client: str
    purpose: str
    datasets: frozenset[str]


def cells(catalogue: Catalogue) -> list[Cell]:
    """Every cell there is, whatever was counted: which cells stand in a table says nothing."""
    known = {
        "sector": (*sorted(catalogue.sectors), OTHER),
        "purpose": (*sorted(catalogue.purposes), OTHER),
        "age": BANDS,
        "recipient": (*sorted(KINDS), OTHER),
    }
    return [(measure, by, value) for measure in MEASURES for by, found in known.items() for value in found]


async def counted(
    session: AsyncSession, keys: SubjectKeys, catalogue: Catalogue, month: Month
) -> Counter[Cell]:
    """The true counts of `month`. A consent that names several sectors is counted once in each of them."""
    counts: Counter[Cell] = Counter()
    kinds = _Kinds(session)
    bands = Bands(session, keys, month.end)
    async for seen in _everything(session, month):
        sectors = {_sector(catalogue, dataset) for dataset in seen.datasets}
        named: dict[str, Collection[str]] = {
            "sector": sectors,
            "purpose": {seen.purpose if seen.purpose in catalogue.purposes else OTHER},
            "age": {await bands.of(seen.subject)},
            "recipient": await kinds.of(seen.client, sectors),
        }
        counts.update((seen.measure, by, value) for by, found in named.items() for value in found)
    return counts


def _sector(catalogue: Catalogue, dataset: str) -> str:
    found = catalogue.datasets.get(dataset)
    return found.sector if found else OTHER


class _Kinds:
    """What kinds of recipient a client is for some sectors, as it is registered now."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._known: dict[str, dict[str, str]] = {}

    async def of(self, client_id: str, sectors: Collection[str]) -> set[str]:
        if client_id not in self._known:
            client = await clients.find(self._session, client_id)
            self._known[client_id] = dict(client.kinds) if client else {}
        return {self._known[client_id].get(sector, OTHER) for sector in sectors}


async def _everything(session: AsyncSession, month: Month) -> AsyncIterator[_Seen]:
    moved = _moved(month)
    for measure, query in (
        ("given", moved.where(_VERSION.c.move == Move.GIVE.value)),
        ("withdrawn", moved.where(_VERSION.c.move == Move.WITHDRAW.value)),
        ("in_force", _in_force(month)),
        ("transfers", _released(month)),
    ):
        async for row in _rows(session, query):
            terms = from_details(orjson.loads(row.terms))
            datasets = frozenset(item.dataset for item in terms.items)
            yield _Seen(measure, row.subject_id, row.client_id, row.purpose, datasets)
    async for row in _rows(session, _sent(month)):
        dataset = row.item.partition("/")[2]
        yield _Seen("items_sent", row.subject_id, row.client_id, row.purpose, frozenset({dataset}))


async def _rows(session: AsyncSession, query: Select[Any]) -> AsyncIterator[Any]:
    """Row by row in order of citizens: a nation's month does not lie in memory."""
    found = await session.stream(query.order_by(_CONSENT.c.subject_id), execution_options={"yield_per": 500})
    async for row in found:
        yield row


def _moved(month: Month) -> Select[Any]:
    joined = _VERSION.join(_CONSENT, _CONSENT.c.id == _VERSION.c.consent_id)
    query = select(*_WHO, _VERSION.c.terms).select_from(joined)
    return query.where(_VERSION.c.at >= month.begin, _VERSION.c.at < month.end)


def _in_force(month: Month) -> Select[Any]:
    """Consents as they stood at the end of the month."""
    newest = select(func.max(_VERSION.c.version)).where(
        _VERSION.c.consent_id == _CONSENT.c.id, _VERSION.c.at < month.end
    )
    then = _VERSION.c.version == newest.correlate(_CONSENT).scalar_subquery()
    joined = _CONSENT.join(_VERSION, (_VERSION.c.consent_id == _CONSENT.c.id) & then)
    living = or_(_CONSENT.c.state.in_(_IN_FORCE), _CONSENT.c.changed_at >= month.end)
    query = select(*_WHO, _VERSION.c.terms).select_from(joined)
    return query.where(
        _CONSENT.c.created_at < month.end,
        living,
        _VERSION.c.state.in_(_IN_FORCE),
        _CONSENT.c.end_at >= month.end,
    )


def _released(month: Month) -> Select[Any]:
    joined = _BUNDLE.join(_CONSENT, _CONSENT.c.id == _BUNDLE.c.consent_id)
    query = select(*_WHO, _CONSENT.c.terms).select_from(joined)
    return query.where(_BUNDLE.c.created_at >= month.begin, _BUNDLE.c.created_at < month.end)


def _sent(month: Month) -> Select[Any]:
    joined = _OUTCOME.join(_CONSENT, _CONSENT.c.id == _OUTCOME.c.consent_id)
    query = select(*_WHO, _OUTCOME.c.item).select_from(joined)
    return query.where(_OUTCOME.c.at >= month.begin, _OUTCOME.c.at < month.end, _OUTCOME.c.sent != "[]")
