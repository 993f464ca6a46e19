"""Reading a page without building what is not needed: the envelope, the raw rows, and a few fields of each.

A row's bytes pass through untouched; only the fields a spec names (key, time, version) are decoded.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import msgspec

from connectors.contract import Json, Reason
from connectors.errors import HolderError

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_rows = msgspec.json.Decoder(list[msgspec.Raw])
_value = msgspec.json.Decoder(Any)


def corrupt(detail: str, *, final: bool = False) -> HolderError:
    """The error for a body that is not what the standard says."""
    return HolderError(Reason.CORRUPT, detail, final=final)


class PageBody:
    """One JSON object a holder answered with. Raises HolderError(CORRUPT) for anything else."""

    def __init__(self, body: bytes) -> None:
        """Read the outermost object; values stay raw until asked for."""
        try:
            body.decode()  # a raw value is never looked into, so wrong UTF-8 must be found here
            self._top = _object.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise corrupt("the body is not a JSON object") from None

    def value(self, path: str) -> Json:
        """The decoded value at a dotted path; None if there is none."""
        raw = self._raw(path)
        return None if raw is None else _decoded(_value, raw)

    def rows(self, path: str) -> list[msgspec.Raw] | None:
        """The raw members of the array at a dotted path; None if there is none."""
        raw = self._raw(path)
        if raw is None or bytes(raw) == b"null":
            return None
        found: list[msgspec.Raw] = _decoded(_rows, raw)
        return found

    def _raw(self, path: str) -> msgspec.Raw | None:
        *parents, last = path.split(".")
        level = self._top
        for name in parents:
            if name not in level:
                return None
            level = _decoded(_object, level[name])
        return level.get(last)


class RowReader:
    """Reads a fixed set of top-level fields of each row."""

    def __init__(self, names: Iterable[str]) -> None:
        """Read `names`; other fields are skipped, not built."""
        self._names = tuple(dict.fromkeys(names))
        fields = [(f"f{index}", Any, msgspec.UNSET) for index in range(len(self._names))]
        rename = {f"f{index}": name for index, name in enumerate(self._names)}
        self._decoder = msgspec.json.Decoder(msgspec.defstruct("Row", fields, rename=rename))

    def read(self, row: msgspec.Raw) -> dict[str, Json]:
        """The named fields that are there; raises HolderError(CORRUPT) if the row is no object."""
        found = _decoded(self._decoder, row)
        pairs = ((name, getattr(found, f"f{index}")) for index, name in enumerate(self._names))
        return {name: value for name, value in pairs if value is not msgspec.UNSET}


def _decoded(decoder: Any, raw: msgspec.Raw) -> Any:
    try:
        return decoder.decode(raw)
    except (msgspec.MsgspecError, RecursionError):
        raise corrupt("a value is not of the type the standard says") from None


def spliced(row: msgspec.Raw, added: Mapping[str, Json]) -> bytes:
    """The row's bytes with fields put in front; the caller knows that the row does not have them."""
    body = bytes(row).strip()
    if not added:
        return body
    front = json.dumps(added, ensure_ascii=False, separators=(",", ":")).encode()
    rest = body[1:].lstrip()
    return front[:-1] + (b"}" if rest == b"}" else b"," + rest)


def key_of(fields: Mapping[str, Json], names: Iterable[str]) -> str:
    """A key that no two different field values share; raises HolderError(CORRUPT) if a field is missing."""
    values = [fields.get(name) for name in names]
    if any(not isinstance(value, str | int | float) or isinstance(value, bool) for value in values):
        raise corrupt("a record has no usable key")
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


def moment_of(value: Json, form: str, zone: str) -> datetime:
    """The aware moment a wire value stands for; raises HolderError(CORRUPT)."""
    sign = -1 if zone[0] == "-" else 1
    offset = timezone(sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6])))
    try:
        moment = datetime.strptime(value, form)  # noqa: DTZ007 - the zone of the standard is put on below
        return moment if moment.tzinfo else moment.replace(tzinfo=offset)
    except (ValueError, TypeError):
        raise corrupt("a record has no usable time") from None


def local_day(moment: datetime, zone: str) -> date:
    """The civil date of a moment in the standard's zone."""
    sign = -1 if zone[0] == "-" else 1
    shift = sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6]))
    return (moment.astimezone(UTC) + shift).date()
