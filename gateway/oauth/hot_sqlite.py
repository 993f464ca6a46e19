"""The hot statements on SQLite: one unit after the other, in the one transaction of their batch.

They run in the writer's own thread, where nothing else can write. No statement fails on a conflict, so a unit
that is refused needs no savepoint: it has changed nothing but what a refusal may.
"""

from __future__ import annotations

import sqlite3

from consent.journal import Journal, Line, Link
from gateway.oauth import clients
from gateway.oauth.hot_rows import GRANT, GRANT_WIDTH, LIVE, TOKEN, grant, token
from gateway.oauth.unit import STALE, Known, Question, Seen, Unit

_CLIENT = "SELECT document, status FROM oauth_client WHERE id = ?"
_GRANT = f"SELECT {GRANT} FROM {LIVE} WHERE oauth_grant.id = ?"  # noqa: S608 - names of our own columns
_TOKEN = (
    f"SELECT {GRANT}, {TOKEN} FROM {LIVE} JOIN refresh_token ON refresh_token.grant_id = oauth_grant.id"  # noqa: S608
    " WHERE refresh_token.token_hash = ?"
)
_SPENT = (
    "SELECT 1 FROM replay WHERE purpose = ? AND key_hash = ?"
    " UNION ALL SELECT 1 FROM replay_mark WHERE before > ? LIMIT 1"
)
_SPEND = (
    "INSERT INTO replay (purpose, key_hash, expires_at) SELECT ?1, ?2, ?3"
    " WHERE NOT EXISTS (SELECT 1 FROM replay_mark WHERE before > ?3) ON CONFLICT DO NOTHING"
)
_ENTER = "INSERT INTO ledger_outbox (entry, at) VALUES (?, ?)"
_OPENING = (
    "INSERT INTO ledger_payload (outbox_id, subject, n, leaf, tag, salt, body) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_LINK = "SELECT n, head, wrapped FROM subject WHERE id = ?"
_CHAIN = "UPDATE subject SET n = ?, head = ? WHERE id = ?"


def look(connection: sqlite3.Connection, question: Question) -> Seen:
    """The live rows a question names."""
    row = connection.execute(_CLIENT, (question.client_id,)).fetchone()
    known = Known(clients.of_row(*row), *row) if row else None
    of = refresh = None
    if question.refresh is not None:
        if row := connection.execute(_TOKEN, (question.refresh,)).fetchone():
            of = grant(row[:GRANT_WIDTH])
            refresh = token(row[GRANT_WIDTH:], of)
    elif question.grant_id is not None and (
        row := connection.execute(_GRANT, (question.grant_id,)).fetchone()
    ):
        of = grant(row)
    given_up = False
    if (once := question.given_up) is not None:
        named = (once.purpose, once.key_hash, once.expires_at)
        given_up = connection.execute(_SPENT, named).fetchone() is not None
    return Seen(known, refresh, of, given_up)


def do(connection: sqlite3.Connection, unit: Unit, journal: Journal) -> str | None:
    """Carry one unit out; the code of its refusal, or None."""
    if (known := unit.known) is not None:
        row = connection.execute(_CLIENT, (known.client.id,)).fetchone()
        if row != (known.document, known.status):
            return STALE
    keys = [(once, (once.purpose, once.key_hash, once.expires_at)) for once in unit.once]
    if lost := [once for once, key in keys if connection.execute(_SPEND, key).rowcount != 1]:
        return lost[0].code
    if (held := unit.held) is not None:
        row = connection.execute(_GRANT, (held.grant.id,)).fetchone()
        if dead := held.refusal(grant(row) if row else None):
            return dead
    if unit.line is not None:
        _store(connection, unit.line)
    if (said := unit.said) is not None:
        n, head, wrapped = connection.execute(_LINK, (said.subject,)).fetchone() or (0, None, None)
        line = journal.chained(said, Link(n + 1, head, wrapped))
        _store(connection, line)
        connection.execute(_CHAIN, (line.n, line.leaf, said.subject))
    return None


def _store(connection: sqlite3.Connection, line: Line) -> None:
    outbox_id = connection.execute(_ENTER, (line.entry, line.at)).lastrowid
    opening = (outbox_id, line.subject, line.n, line.leaf, line.tag, line.salt, line.body)
    connection.execute(_OPENING, opening)
