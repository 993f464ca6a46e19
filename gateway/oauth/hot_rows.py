"""What the hot statements read, in the order they read it, and the records it makes.

The columns are those of the repositories (`grants`, `clients`): a column added there is read here, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gateway.oauth.consents import COLUMNS, CONSENT
from gateway.oauth.grants import GRANTS, REFRESH, Grant, RefreshToken, grant_of

_OF_CONSENT: tuple[Any, ...] = COLUMNS[1:]
_GRANT_KEYS = (*GRANTS.c, *(column.name for column in _OF_CONSENT))
_TOKEN_NAMES = tuple(column.name for column in REFRESH.c)

GRANT = ", ".join(str(column) for column in (*GRANTS.c, *(column.element for column in _OF_CONSENT)))
"""The columns of a grant with its live consent, of the tables `LIVE`."""
GRANT_WIDTH = len(_GRANT_KEYS)
TOKEN = ", ".join(str(column) for column in REFRESH.c)
LIVE = f"{GRANTS.name} JOIN {CONSENT.name} ON {CONSENT.name}.id = {GRANTS.name}.consent_id"


@dataclass(frozen=True, slots=True)
class _Row:
    """What `grant_of` reads of SQLAlchemy's rows."""

    _mapping: dict[Any, Any]


def grant(values: Sequence[Any]) -> Grant | None:
    """The grant of the columns `GRANT`; None where an outer join found none."""
    if values[0] is None:
        return None
    row: Any = _Row(dict(zip(_GRANT_KEYS, values, strict=True)))
    return grant_of(row)


def token(values: Sequence[Any], of: Grant | None) -> RefreshToken | None:
    """The refresh token of the columns `TOKEN`, of its grant; None where there is none."""
    if of is None or values[0] is None:
        return None
    row = dict(zip(_TOKEN_NAMES, values, strict=True))
    revoked, generation = row["revoked_at"] is not None, row["grant_generation"]
    return RefreshToken(row["client_id"], row["jkt"], row["expires_at"], revoked, of, generation)
