"""What a regulator may demand (Decree 42-15(2), 42-16(2)): transfers and consents of a period."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from consent.receipts import Sign
from consent.rights_tables import SelfRequestRow
from consent.tables import ConsentRow, ConsentVersionRow, TransferItemOutcomeRow, table_of
from gateway.disclosure.folder import Folder
from gateway.disclosure.reading import rows_of
from gateway.transfers.tables import TransferRow

SCHEMA = "mydata-period/1"
_CONSENT, _VERSION = table_of(ConsentRow), table_of(ConsentVersionRow)
_TRANSFER, _OUTCOME, _OWN = table_of(TransferRow), table_of(TransferItemOutcomeRow), table_of(SelfRequestRow)


@dataclass(frozen=True, slots=True)
class Demand:
    """Who demands the records from `since` until `until` (epoch seconds, exclusive), in which `case`."""

    authority: str
    case: str
    since: int
    until: int


async def period(
    session: AsyncSession, place: Path, demand: Demand, *, issuer: str, at: int, sign: Sign
) -> dict[str, Any]:
    """Write the records of the period to `place`; the signed list of what was written. Never a value.

    transfers     each transfer asked for in it, to whom, and how it ended
    items         each item of a transfer, also of refused ones: asked, sent, withheld and why, received when
    consents      each consent to a third party that moved in it, with what is agreed now
    consent-moves each of those moves: what it made of the consent, by whom, why, the text's hash
    self-requests each request for one's own data, when it was refused, late, ready and taken
    """
    folder = Folder(place)
    own = ("sealed", "lease_until", "attempts", "digest")
    work = ("plan", "outcome", "lease_until", "attempts", "idempotency_key")
    asked = (_TRANSFER.c.created_at >= demand.since, _TRANSFER.c.created_at < demand.until)
    sent = (_OUTCOME.c.at >= demand.since, _OUTCOME.c.at < demand.until)
    mine = (_OWN.c.asked_at >= demand.since, _OWN.c.asked_at < demand.until)
    in_turn = (_TRANSFER.c.created_at, _TRANSFER.c.id)
    await folder.write("transfers", rows_of(session, _TRANSFER, *asked, without=work, by=in_turn))
    items = rows_of(session, _OUTCOME, *sent, json_in=("asked", "sent", "withheld"))
    await folder.write("items", items)
    await folder.write("consents", _consents(session, demand))
    moves = rows_of(session, _VERSION, *_moved(demand), json_in=("terms",))
    await folder.write("consent-moves", moves)
    requests = rows_of(session, _OWN, *mine, json_in=("asked", "received", "obligations"), without=own)
    await folder.write("self-requests", requests)
    return folder.close({"schema": SCHEMA, "issuer": issuer, "at": at, **asdict(demand)}, sign)


def _moved(demand: Demand) -> tuple[Any, ...]:
    return (_VERSION.c.at >= demand.since, _VERSION.c.at < demand.until)


def _consents(session: AsyncSession, demand: Demand) -> AsyncIterator[dict[str, Any]]:
    of = select(_VERSION.c.consent_id).where(and_(*_moved(demand)))
    return rows_of(session, _CONSENT, _CONSENT.c.id.in_(of), json_in=("asked", "terms"))
