"""Records of one dataset in, NDJSON out, one line a record, by a compiled plan.

A record that does not fit is dropped under a counted name and stops no other: `utf8`, `json`, `object`
(not a JSON object), `depth`, or `treatment:field`. One that was not chosen is left out under the name of why
(`gateway.bundles.rows`) before anything else of it is decoded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from gateway.bundles.plan import Plan, Unfit
from gateway.bundles.pseudonym import SubjectKeys
from gateway.bundles.rows import Judge


@dataclass(frozen=True, slots=True)
class Treated:
    """What came of the records of one dataset. `replaced` counts labels put into texts, by label.

    `filtered` counts the rows that were not chosen, by why; None when every row was.
    """

    body: bytes = field(repr=False)
    records: int
    unreadable: Mapping[str, int]
    replaced: Mapping[str, int]
    filtered: Mapping[str, int] | None = None


def treat(plan: Plan, keys: SubjectKeys, records: Iterable[bytes], judge: Judge | None = None) -> Treated:
    """Treat `records` (each a JSON object in UTF-8) for the citizen of `keys`. Never raises for a record.

    `judge` says which rows were not chosen; without one all leave.
    """
    found: list[str] = []
    run = plan.bind(keys, found)
    decode, encode = msgspec.json.Decoder(plan.record).decode, msgspec.json.Encoder().encode
    unreadable: Counter[str] = Counter()
    replaced: Counter[str] = Counter()
    filtered: Counter[str] = Counter()
    lines: list[bytes] = []
    for record in records:
        try:
            record.decode()
            if judge is not None and (why := judge(record)) is not None:
                filtered[why] += 1
                continue
            projected = decode(record)
            run(projected)
            lines.append(encode(projected))
        except (UnicodeDecodeError, msgspec.MsgspecError, RecursionError, Unfit) as error:
            unreadable[_cause(error)] += 1
            found.clear()
        if found:
            replaced.update(found)
            found.clear()
    lines.append(b"")
    left = None if judge is None else dict(filtered)
    return Treated(b"\n".join(lines), len(lines) - 1, dict(unreadable), dict(replaced), left)


def _cause(error: Exception) -> str:
    match error:
        case Unfit():
            return str(error)
        case UnicodeDecodeError():
            return "utf8"
        case RecursionError():
            return "depth"
        case msgspec.ValidationError():
            return "object"
        case _:
            return "json"
