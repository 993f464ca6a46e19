"""A dishonest operator: holds the key, the database, all the gateway's copies, and cheats in each known way.

What stands against it is what others hold: a citizen's kept trail, an auditor's kept checkpoint, a witness,
a mirror, what a holder knows to have handed out, and the entries, which whoever has them can add up.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from consent.canonical import canonical
from consent.ledger.census import Census, Member
from consent.ledger.checkpoint import Checkpoint, sign
from consent.ledger.entry import Entry, decode
from consent.ledger.proof import consistency
from consent.ledger.submission import Submission
from consent.ledger.tiles import node_reader
from consent.ledger.verify import Trust, source_of, verify
from gateway.ledger.mirror import mirror
from gateway.ledger.witness import Witness
from tests.unit.consent.ledger.exports import EVERY, HOLDER, NEIGHBOUR, ORIGIN, SIGNER, VKEY, MadeLog

SEEN, NOW = 300, 420
LAST = max(position for position in range(NOW - 1) if position % EVERY == 3)
"""Where the citizen's newest event stands."""
HANDED_OUT = len(range(3, NOW, EVERY))
"""What the holder knows: how often it gave this citizen's data."""


@dataclass
class World:
    """What others hold before the cheat: all of it honest, of the log at 300 entries."""

    folder: Path
    witness: Witness
    honest: MadeLog = field(default_factory=lambda: MadeLog(SEEN))

    def __post_init__(self) -> None:
        """The witness cosigns the honest log once."""
        assert self.witness.add(Submission(0, (), self.honest.note).encode()).status == 200
        self.kept_trail = canonical(self.honest.trail())
        self.kept_checkpoint = self.honest.note.encode()
        self.mirrored = self.folder / "mirror"
        assert not self.mirror(self.honest.write(self.folder / "seen"))

    def mirror(self, export: Path) -> bool:
        """Whether somebody who keeps a copy of the log refuses to let it grow by this."""
        self.mirrored.mkdir(exist_ok=True)
        return bool(mirror(self.mirrored, source_of(str(export)), Trust.of([VKEY]), entries=True).findings)


@dataclass
class Shown:
    """What the operator shows afterwards, to whom it asks."""

    log: MadeLog
    trail: bytes | None = None
    tampered: Callable[[Path], object] = lambda _: None


def caught_by(world: World, shown: Shown) -> set[str]:
    """Everybody who notices."""
    export = shown.log.write(world.folder / "shown")
    shown.tampered(export)
    size = len(shown.log.entries)
    path = consistency(SEEN, size, node_reader(size, shown.log.tiles.__getitem__)) if size >= SEEN else []
    asked = Submission(SEEN if size >= SEEN else size, tuple(path), shown.log.note)
    trail = shown.trail if shown.trail is not None else canonical(shown.log.trail())
    alone = {finding.code for finding in verify(export, VKEY).findings}
    noticed = {
        "anybody": bool(alone),
        "who adds up": "census_sum" in alone,
        "mirror": world.mirror(export),
        "holder who counts": _fewer(shown.log, trail),
        "auditor": bool(verify(export, VKEY, world.kept_checkpoint).findings),
        "citizen": bool(verify(export, VKEY, None, world.kept_trail).findings),
        "reader of the trail": bool(verify(export, VKEY, None, trail).findings),
        "citizen who compares": _shorter(trail, world.kept_trail),
        "witness": world.witness.add(asked.encode()).status != 200,
    }
    return {who for who, saw in noticed.items() if saw}


def _shorter(now: bytes, kept: bytes) -> bool:
    """The trail of today does not begin with the one kept."""
    old, new = (json.loads(data)["events"] for data in (kept, now))
    return [event["payload"] for event in new[: len(old)]] != [event["payload"] for event in old]


def _fewer(log: MadeLog, trail: bytes) -> bool:
    """The log, or the citizen's trail, tells of fewer handings-out than the holder knows of."""
    logged = sum(decode(entry).party == HOLDER for entry in log.entries)
    return min(logged, len(json.loads(trail)["events"])) < HANDED_OUT


def _without(trail: dict[str, object], n: int) -> bytes:
    """A trail with one event left out."""
    events = [event for at, event in enumerate(trail["events"], 1) if at != n]  # type: ignore[var-annotated, arg-type]
    return canonical({**trail, "events": events})


def _swap(folder: Path) -> None:
    """Two bundles of the export change places."""
    one, two = folder / "tile/entries/000", folder / "tile/0/000"
    first = one.read_bytes()
    one.write_bytes(first[:40] + bytes([first[40] ^ 1]) + first[41:])
    assert two.is_file()


def honest() -> Shown:
    """No cheat: the log grew."""
    return Shown(MadeLog(NOW))


def rewrite() -> Shown:
    """Every event that is nobody's is another one now, all signed anew."""
    return Shown(MadeLog(NOW, salted=b"rewritten"))


def rollback() -> Shown:
    """The last hundred entries never happened."""
    return Shown(MadeLog(200))


def fork() -> Shown:
    """Two people are shown two histories of one size."""
    return Shown(MadeLog(SEEN, salted=b"fork"))


def change_an_entry() -> Shown:
    """One bit of one entry, tiles and checkpoint as they were."""
    return Shown(MadeLog(NOW), tampered=_swap)


def sign_nonsense() -> Shown:
    """A checkpoint over a root that no entries give."""
    log = MadeLog(NOW)
    log.note = sign(Checkpoint(ORIGIN, NOW, b"r" * 32), SIGNER)
    return Shown(log, trail=canonical(MadeLog(NOW).trail()))


def hide_an_event() -> Shown:
    """The third event is left out of a citizen's trail."""
    log = MadeLog(NOW)
    return Shown(log, trail=_without(log.trail(), 3))


def hide_the_last_event() -> Shown:
    """The newest event is left out of a citizen's trail: one the citizen holds no copy of."""
    log = MadeLog(NOW)
    return Shown(log, trail=_without(log.trail(), len(log.events)))


def hide_a_kept_event() -> Shown:
    """The citizen is shown a trail that ends before one they already hold."""
    log = MadeLog(NOW)
    trail = log.trail()
    return Shown(log, trail=canonical({**trail, "events": trail["events"][:20]}))  # type: ignore[index]


def hide_the_last_event_counted() -> Shown:
    """The newest event is left out of a citizen's trail, and a census has counted it."""
    log = MadeLog(NOW, counted=lambda log: Census([log.member()]))
    return Shown(log, trail=_without(log.trail(), len(log.events)))


def count_one_less() -> Shown:
    """The newest event is left out of the trail, and the census is made to fit."""
    log = MadeLog(NOW, counted=lambda log: Census([log.member(len(log.events) - 1)]))
    return Shown(log, trail=_without(log.trail(), len(log.events)))


def leave_somebody_out() -> Shown:
    """A census that counts a neighbour who has no events, and not the citizen; no trail carries it."""
    log = MadeLog(NOW, counted=lambda _: Census([Member(NEIGHBOUR.census_key(), 0, bytes(32))]))
    return Shown(log, trail=canonical({**MadeLog(NOW - 1).trail()}))


def never_log() -> Shown:
    """The newest handing-out was never logged; something else stands in its place."""
    return Shown(MadeLog(NOW, instead={LAST: _entry("token:access:issued", "party-1", None)}))


def log_for_nobody() -> Shown:
    """The newest handing-out is logged as nobody's."""
    return Shown(MadeLog(NOW, instead={LAST: _entry("pull:holder:done", HOLDER, None)}))


def file_under_another() -> Shown:
    """The newest handing-out is logged as a neighbour's."""
    return Shown(MadeLog(NOW, instead={LAST: _entry("pull:holder:done", HOLDER, NEIGHBOUR.tag(1))}))


def invent_an_event() -> Shown:
    """Somebody's event that never happened, under the name of a company that keeps no copies."""
    return Shown(MadeLog(NOW, instead={LAST - 1: _entry("token:access:issued", "party-1", NEIGHBOUR.tag(1))}))


def _entry(kind: str, party: str, tag: bytes | None) -> Entry:
    return Entry(1_790_000_000 + LAST, kind, party, tag, b"c" * 32)


CHEATS: dict[str, Callable[[], Shown]] = {
    "no cheat": honest,
    "rewrite": rewrite,
    "rollback": rollback,
    "fork": fork,
    "change an entry": change_an_entry,
    "sign nonsense": sign_nonsense,
    "hide an event": hide_an_event,
    "hide a kept event": hide_a_kept_event,
    "hide the last event": hide_the_last_event,
    "hide the last event, counted": hide_the_last_event_counted,
    "count one less": count_one_less,
    "leave somebody out": leave_somebody_out,
    "never log an event": never_log,
    "log an event for nobody": log_for_nobody,
    "file an event under another": file_under_another,
    "invent an event": invent_an_event,
}
