"""The hot statements on PostgreSQL (>= 15), for a whole batch at once, through asyncpg.

Locks are taken in one order by every batch of every process: consent, citizen and grant (the order of
`gateway.oauth.endings`) by the citizen's id, then one-time values by name. Where a citizen has several
consents in a batch, all its consents come before any citizen. So neither two batches nor a batch and a
withdrawal wait for each other in a circle, and a grant that ended while its citizen's row was waited for is
seen to have ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from consent.journal import Journal, Line, Link
from gateway.oauth import clients
from gateway.oauth.hot_rows import GRANT, GRANT_WIDTH, LIVE, TOKEN, grant, token
from gateway.oauth.unit import STALE, Known, Question, Seen, Unit

_LOOK = f"""
SELECT c.document, c.status,
       EXISTS (SELECT FROM replay p WHERE p.purpose = q.purpose AND p.key_hash = q.key_hash)
       OR EXISTS (SELECT FROM replay_mark m WHERE m.before > q.expires_at),
       {GRANT}, {TOKEN}
FROM unnest($1::text[], $2::bytea[], $3::text[], $4::text[], $5::bytea[], $6::bigint[])
     WITH ORDINALITY AS q(client, refresh, grant_id, purpose, key_hash, expires_at, position)
LEFT JOIN oauth_client c ON c.id = q.client
LEFT JOIN refresh_token ON refresh_token.token_hash = q.refresh
LEFT JOIN ({LIVE}) ON oauth_grant.id = COALESCE(q.grant_id, refresh_token.grant_id)
ORDER BY q.position
"""  # noqa: S608 - names of our own columns

_CLIENTS = "SELECT id, document, status FROM oauth_client WHERE id = ANY($1::text[])"

_STAND = "SELECT id FROM consent WHERE id = ANY($1::text[]) ORDER BY id FOR SHARE"

_HOLD = f"""
SELECT {GRANT}, subject.n, subject.head, subject.wrapped
FROM {LIVE} JOIN subject ON subject.id = oauth_grant.subject_id
WHERE oauth_grant.id = ANY($1::text[])
ORDER BY subject.id, consent.id
FOR SHARE OF consent FOR UPDATE OF subject FOR SHARE OF oauth_grant
"""  # noqa: S608

_SPEND = """
WITH stale AS MATERIALIZED (
  SELECT unit FROM unnest($11::int[], $12::int[]) AS u(unit, place)
  WHERE NOT EXISTS (
    SELECT FROM oauth_client c WHERE c.id = ($13::text[])[u.place]
    AND c.document = ($14::text[])[u.place] AND c.status = ($15::text[])[u.place])
), key AS MATERIALIZED (
  SELECT * FROM unnest($1::int[], $2::text[], $3::bytea[], $4::bigint[])
    AS k(unit, purpose, key_hash, expires_at)
  WHERE NOT EXISTS (SELECT FROM stale WHERE stale.unit = k.unit)
), spent AS (
  INSERT INTO replay (purpose, key_hash, expires_at)
  SELECT purpose, key_hash, expires_at FROM key
  WHERE NOT EXISTS (SELECT FROM replay_mark m WHERE m.before > key.expires_at)
  ON CONFLICT DO NOTHING RETURNING purpose, key_hash
), lost AS MATERIALIZED (
  SELECT unit, purpose FROM key
  WHERE NOT EXISTS (SELECT FROM spent s WHERE s.purpose = key.purpose AND s.key_hash = key.key_hash)
), line AS MATERIALIZED (
  SELECT * FROM unnest($5::int[], $6::bytea[], $7::bigint[], $8::bytea[], $9::bytea[], $10::bytea[])
    AS l(unit, entry, at, leaf, salt, body)
  WHERE NOT EXISTS (SELECT FROM lost WHERE lost.unit = l.unit)
  AND NOT EXISTS (SELECT FROM stale WHERE stale.unit = l.unit)
), entered AS (
  INSERT INTO ledger_outbox (entry, at) SELECT entry, at FROM line RETURNING id, entry
), opened AS (
  INSERT INTO ledger_payload (outbox_id, leaf, salt, body)
  SELECT e.id, l.leaf, l.salt, l.body FROM entered e JOIN line l ON l.entry = e.entry
)
SELECT unit, purpose FROM lost UNION ALL SELECT unit, NULL FROM stale
"""
"""One statement, so one transaction: one-time values, and the entries of the units that lost none of them.

Units whose client is no longer registered as they knew it take no part.
"""

_CHAIN = """
WITH line AS MATERIALIZED (
  SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bytea[],
                       $4::text[], $5::bigint[], $6::bytea[], $7::bytea[])
    AS l(entry, at, leaf, subject, n, tag, body)
), entered AS (
  INSERT INTO ledger_outbox (entry, at) SELECT entry, at FROM line RETURNING id, entry
), opened AS (
  INSERT INTO ledger_payload (outbox_id, subject, n, leaf, tag, body)
  SELECT e.id, l.subject, l.n, l.leaf, l.tag, l.body FROM entered e JOIN line l ON l.entry = e.entry
)
UPDATE subject SET n = last.n, head = last.leaf
FROM (SELECT DISTINCT ON (subject) subject, n, leaf FROM line ORDER BY subject, n DESC) last
WHERE subject.id = last.subject
"""

_LINE = ("entry", "at", "leaf", "subject", "n", "tag", "body")


async def look(connection: Any, questions: Sequence[Question]) -> list[Seen]:
    """The live rows each question names, all as of one moment."""
    plain = [q for q in questions if q.refresh is None and q.grant_id is None and q.given_up is None]
    if len(plain) == len(questions):
        return await _clients(connection, questions)
    rows = await connection.fetch(
        _LOOK,
        [q.client_id for q in questions],
        [q.refresh for q in questions],
        [q.grant_id for q in questions],
        [q.given_up and q.given_up.purpose for q in questions],
        [q.given_up and q.given_up.key_hash for q in questions],
        [q.given_up and q.given_up.expires_at for q in questions],
    )
    return [_seen(tuple(row)) for row in rows]


async def _clients(connection: Any, questions: Sequence[Question]) -> list[Seen]:
    rows = await connection.fetch(_CLIENTS, list({q.client_id for q in questions}))
    found = {row[0]: Known(clients.of_row(row[1], row[2]), row[1], row[2]) for row in rows}
    return [Seen(found.get(q.client_id)) for q in questions]


def _seen(row: tuple[Any, ...]) -> Seen:
    document, status, given_up = row[:3]
    known = Known(clients.of_row(document, status), document, status) if document is not None else None
    of = grant(row[3 : 3 + GRANT_WIDTH])
    return Seen(known, token(row[3 + GRANT_WIDTH :], of), of, given_up)


async def do(connection: Any, units: Sequence[Unit], journal: Journal) -> list[str | None]:
    """Carry the units out; for each the code of its refusal, or None."""
    if not any(unit.held for unit in units):
        return await _spend(connection, units)
    async with connection.transaction():
        held = {unit.held.grant.id: unit.held.grant for unit in units if unit.held}
        consents = {one.consent_id for one in held.values()}
        if len(consents) > len({one.subject_id for one in held.values()}):
            await connection.execute(_STAND, list(consents))
        rows = [tuple(row) for row in await connection.fetch(_HOLD, list(held))]
        live = {found.id: found for row in rows if (found := grant(row[:GRANT_WIDTH]))}
        links = {live[row[0]].subject_id: Link(*row[GRANT_WIDTH:]) for row in rows}
        outcomes = await _spend(connection, units)
        for place, unit in enumerate(units):
            if outcomes[place] is None and unit.held is not None:
                outcomes[place] = unit.held.refusal(live.get(unit.held.grant.id))
        lines = _chained(units, outcomes, links, journal)
        if lines:
            await connection.execute(_CHAIN, *_columns(lines, *_LINE))
    return outcomes


async def _spend(connection: Any, units: Sequence[Unit]) -> list[str | None]:
    keys = sorted(
        (once.purpose, once.key_hash, once.expires_at, place)
        for place, unit in enumerate(units)
        for once in unit.once
    )
    said = [(place, unit.line) for place, unit in enumerate(units) if unit.line is not None]
    knowing = [(place, unit.known) for place, unit in enumerate(units) if unit.known is not None]
    distinct = {id(known): known for _, known in knowing}
    numbers = {name: number for number, name in enumerate(distinct, 1)}
    lost = await connection.fetch(
        _SPEND,
        [key[3] for key in keys],
        [key[0] for key in keys],
        [key[1] for key in keys],
        [key[2] for key in keys],
        [place for place, _ in said],
        *_columns([line for _, line in said], "entry", "at", "leaf", "salt", "body"),
        [place for place, _ in knowing],
        [numbers[id(known)] for _, known in knowing],
        [known.client.id for known in distinct.values()],
        [known.document for known in distinct.values()],
        [known.status for known in distinct.values()],
    )
    outcomes: list[str | None] = [None] * len(units)
    purposes: dict[int, set[str]] = {}
    for place, purpose in lost:
        purposes.setdefault(place, set()).add(purpose)
    for place, gone in purposes.items():
        lost_codes = (once.code for once in units[place].once if once.purpose in gone)
        outcomes[place] = next(lost_codes, STALE)
    return outcomes


def _chained(
    units: Sequence[Unit], outcomes: Sequence[str | None], links: dict[str, Link], journal: Journal
) -> list[Line]:
    """The lines of the accepted units of citizens, in order; each continues its citizen's chain."""
    lines: list[Line] = []
    for unit, refused in zip(units, outcomes, strict=True):
        if refused is None and unit.said is not None and (subject := unit.said.subject) is not None:
            link = links[subject]
            line = journal.chained(unit.said, Link(link.n + 1, link.head, link.wrapped))
            links[subject] = Link(link.n + 1, line.leaf, link.wrapped)
            lines.append(line)
    return lines


def _columns(lines: Sequence[Line], *names: str) -> list[list[Any]]:
    return [[getattr(line, name) for line in lines] for name in names]
