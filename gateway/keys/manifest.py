"""Which signing keys there are and what each may do now: a pure function of one small document and the clock.

    announced  published, not yet signing, for longer than anyone may keep the published set
    active     signs; one an algorithm
    retired    published while something it signed may still be shown
    gone       no longer in the set of now, only in the set of what was: receipts and bundles live for years
    revoked    taken out at once (compromise): nothing it signed is accepted any more

Nothing has to be written when a key becomes active or retired, so no crash can lose that, and processes
with one document and one clock agree.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, cast

import msgspec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from gateway.keyring import ALGORITHMS, PublicKey, algorithm_of, kid_of

ANNOUNCE_SECONDS = 3600
"""How long a new key is published before it signs; far more than JWKS caches and our own processes need."""

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]


class State(StrEnum):
    """What a key may do; see the module."""

    ANNOUNCED = "announced"
    ACTIVE = "active"
    RETIRED = "retired"
    GONE = "gone"
    REVOKED = "revoked"


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One key: its public half, and where (`place`, `name`) the private half lies. Epoch seconds."""

    kid: Text
    alg: Text
    public: Text
    place: Text
    name: Text
    announced_at: int
    active_from: int
    revoked_at: int | None = None

    @classmethod
    def of(cls, public: PublicKey, *, place: str, name: str, announced_at: int, active_from: int) -> Entry:
        """The entry of a new key."""
        der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        text = b64encode(der).decode()
        return cls(kid_of(public), algorithm_of(public), text, place, name, announced_at, active_from)

    def public_key(self) -> PublicKey:
        """The verifying half. Raises ValueError unless it is the key that `kid` and `alg` name."""
        public = cast(PublicKey, load_der_public_key(b64decode(self.public, validate=True)))
        if self.alg not in ALGORITHMS or algorithm_of(public) != self.alg or kid_of(public) != self.kid:
            raise ValueError("the public key is not the one its entry names")
        return public


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every signing key there ever was, oldest first. Generations only grow; each replaces the one before."""

    generation: int
    keys: tuple[Entry, ...]

    def find(self, kid: str) -> Entry | None:
        """The key named `kid`."""
        return next((entry for entry in self.keys if entry.kid == kid), None)

    def of(self, alg: str) -> list[Entry]:
        """The keys of one algorithm that sign, signed or will sign, by when."""
        mine = (e for e in self.keys if e.alg == alg and not _never(e))
        return sorted(mine, key=lambda e: e.active_from)

    def algorithms(self) -> list[str]:
        """The algorithms there are keys of, in order of preference."""
        return [alg for alg in ALGORITHMS if self.of(alg)]

    def states(self, now: int, overlap: int) -> Iterator[tuple[Entry, State]]:
        """Every key with its state at `now`; a retired one is gone after `overlap` seconds."""
        for alg in self.algorithms():
            mine = self.of(alg)
            for place, entry in enumerate(mine):
                yield entry, _state(mine, place, _standing(mine, now), now, overlap)
        yield from ((entry, State.REVOKED) for entry in self.keys if _never(entry))

    def announced(self, entry: Entry) -> Manifest:
        """The next generation, with one more key."""
        return Manifest(self.generation + 1, (*self.keys, entry))

    def orphans(self, kid: str, now: int) -> bool:
        """Whether nothing would sign by the algorithm of `kid` if it were revoked at `now`."""
        mine = self.of(next(e.alg for e in self.keys if e.kid == kid))
        at = _standing(mine, now)
        return _signs(mine, at, kid) and not any(e.revoked_at is None for e in mine[at + 1 :])

    def revoked(self, kid: str, now: int, heir: Entry | None = None) -> Manifest:
        """The next generation, without `kid`; if it was to sign, the next key signs at once.

        `heir` is a new key that takes over; there MUST be one where `orphans(kid, now)`.
        """
        mine = self.of(next(e.alg for e in self.keys if e.kid == kid))
        at = _standing(mine, now)
        heirs = [e.kid for e in mine[at + 1 :] if e.revoked_at is None][:1] if _signs(mine, at, kid) else []
        keys = tuple(_after(e, kid, heirs, now) for e in self.keys)
        return Manifest(self.generation + 1, keys if heir is None else (*keys, heir))


def _never(entry: Entry) -> bool:
    """Whether the key was revoked before it ever signed."""
    return entry.revoked_at is not None and entry.revoked_at < entry.active_from


def _signs(mine: list[Entry], at: int, kid: str) -> bool:
    return bool(mine) and mine[at].kid == kid


def _standing(mine: list[Entry], now: int) -> int:
    """Which of the keys of one algorithm is to sign; the first whatever the clock says: there is no other."""
    return max((place for place, entry in enumerate(mine) if entry.active_from <= now), default=0)


def _state(mine: list[Entry], place: int, standing: int, now: int, overlap: int) -> State:
    if mine[place].revoked_at is not None:
        return State.REVOKED
    if place > standing:
        return State.ANNOUNCED
    if place == standing:
        return State.ACTIVE
    return State.RETIRED if now < mine[place + 1].active_from + overlap else State.GONE


def _after(entry: Entry, kid: str, heirs: list[str], now: int) -> Entry:
    if entry.kid == kid:
        return msgspec.structs.replace(entry, revoked_at=now)
    if entry.kid in heirs:
        return msgspec.structs.replace(entry, active_from=min(entry.active_from, now))
    return entry


def due(manifest: Manifest, now: int, period: int) -> list[str]:
    """The algorithms whose newest key must be followed by another for none to sign longer than `period`."""
    found = []
    for alg in manifest.algorithms():
        newest = manifest.of(alg)[-1]
        if newest.active_from <= now and now >= newest.active_from + period - ANNOUNCE_SECONDS:
            found.append(alg)
    return found
