"""Shards: one log under a name for each year. The tree goes on; only the name it is signed under changes.

A sharded log is called `base/{year}` in settings and `base/2026`, then `base/2027` in its checkpoints. All
shards have one key, whose text (`origin+hash+base64`) says the name, too. The first entry of a shard says
what the one before was closed with; sizes go on counting: a later year's checkpoint continues any before.
"""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import UTC, datetime

from consent.ledger.errors import LedgerFormatError

YEAR = "/{year}"

_SHARD = re.compile(r"(.+)/([0-9]{4})")


def is_sharded(name: str) -> bool:
    """Whether `name`, as in settings, is that of a log which changes its origin with the year."""
    return name.endswith(YEAR)


def base_of(name: str) -> str:
    """What all shards of the log called `name` in settings have in common."""
    return name.removesuffix(YEAR)


def origin_at(name: str, moment: datetime) -> str:
    """The origin of `name`, as in settings, in the year (UTC) of `moment`."""
    return f"{base_of(name)}/{moment.astimezone(UTC).year:04}" if is_sharded(name) else name


def is_later(origin: str, earlier: str) -> bool:
    """Whether `origin` names a shard of a later year of the log that `earlier` is a shard of."""
    ours, before = _SHARD.fullmatch(origin), _SHARD.fullmatch(earlier)
    return bool(ours and before and ours[1] == before[1] and ours[2] > before[2])


def same_log(origin: str, other: str) -> bool:
    """Whether both are one origin, or two years of one log."""
    return origin == other or is_later(origin, other) or is_later(other, origin)


def key_named(key_text: str, origin: str) -> str:
    """The key `key_text` as it is called in another year of its log; raises LedgerFormatError."""
    name, _, rest = key_text.partition("+")
    if not same_log(name, origin):
        raise LedgerFormatError("the checkpoint is not of this log")
    try:
        data = base64.b64decode(rest.partition("+")[2], validate=True)
    except ValueError as error:
        raise LedgerFormatError("not a verification key origin+hash+base64") from error
    digest = hashlib.sha256(origin.encode() + b"\n" + data).digest()[:4]
    return f"{origin}+{digest.hex()}+{base64.b64encode(data).decode()}" if name != origin else key_text
