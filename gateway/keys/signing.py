"""The signing keys of one gateway: the newest generation, the private halves, and the ring made from both."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from gateway.keyring import Keyring, LiveKeyring, Local, Remote, SigningKey, kid_of, public_jwk
from gateway.keys import generations
from gateway.keys.custody import Custody, FolderCustody
from gateway.keys.errors import KeysError
from gateway.keys.manifest import ANNOUNCE_SECONDS, Entry, Manifest, State, due

_ATTEMPTS = 8


class _NotDue(Exception):
    """Another process was first."""


class SigningKeys:
    """Keeps a `LiveKeyring` in step with the newest generation and the clock.

    Any number of processes may share the folder. Methods block (files, the place of the keys): they are
    called from commands, at start, and in a thread, one call at a time; never inside a transaction.
    """

    def __init__(
        self, folder: Path, manifest: Manifest, places: Mapping[str, Custody], make_in: str, overlap: int
    ) -> None:
        """Begin with `manifest`; new keys are made in the place `make_in`; see `State` for `overlap`."""
        self.folder = folder
        self.manifest = manifest
        self.overlap = overlap
        self._places = places
        self._make_in = make_in
        self._opened: dict[str, Local | Remote] = {}
        self._live: LiveKeyring | None = None

    def live(self, now: int) -> LiveKeyring:
        """The ring that follows these keys, as of `now` at first."""
        if self._live is None:
            self._live = LiveKeyring(self._ring(now))
        return self._live

    def refresh(self, now: int) -> bool:
        """Look for a newer generation, then swap the ring if it is another one at `now`; whether it was."""
        if generations.newest(self.folder) > self.manifest.generation:
            self.manifest = generations.read(self.folder) or self.manifest
        live, ring = self.live(now), self._ring(now)
        if ring == live.newest:
            return False
        live.swap(ring)
        return True

    def rotate(self, alg: str, now: int) -> Entry:
        """Announce a new key of `alg`: it signs once it was published for ANNOUNCE_SECONDS."""
        wait = ANNOUNCE_SECONDS if self.manifest.of(alg) else 0
        return self._announce(alg, now, now + wait)

    def rotate_due(self, now: int, period: int) -> list[Entry]:
        """Announce what the schedule asks for at `now`. Of several processes one announces, all see it."""
        made = []
        for alg in due(self.manifest, now, period):
            with suppress(_NotDue):
                made.append(self._announce(alg, now, now + ANNOUNCE_SECONDS, period))
        return made

    def revoke(self, kid: str, now: int) -> Entry | None:
        """Take `kid` out of use and of publication at once; the key made to take over, if one had to be.

        Raises KeysError `keys_unknown`. Other processes follow at their next `refresh`.
        """
        for _ in range(_ATTEMPTS):
            entry = self.manifest.find(kid)
            if entry is None:
                raise KeysError("keys_unknown", f"{kid}: no signing key of this name")
            if entry.revoked_at is not None:
                return None
            heir = self._make(entry.alg, now, now) if self.manifest.orphans(kid, now) else None
            if self._publish(self.manifest.revoked(kid, now, heir), now):
                return heir
            self._discard(heir)
        raise KeysError("keys_unreadable", f"{self.folder}: other processes keep changing the keys")

    def sweep(self, now: int) -> None:
        """Destroy the private halves of what will never sign again."""
        for entry, state in self.manifest.states(now, self.overlap):
            if state in (State.GONE, State.REVOKED):
                self._places[entry.place].destroy(entry)
        folder = self._places.get(FolderCustody.place)
        if isinstance(folder, FolderCustody):
            folder.forget_strays({entry.name for entry in self.manifest.keys})

    def _announce(self, alg: str, now: int, active_from: int, period: int | None = None) -> Entry:
        for _ in range(_ATTEMPTS):
            if period is not None and alg not in due(self.manifest, now, period):
                raise _NotDue
            entry = self._make(alg, now, active_from)
            if self._publish(self.manifest.announced(entry), now):
                return entry
            self._discard(entry)
        raise KeysError("keys_unreadable", f"{self.folder}: other processes keep changing the keys")

    def _make(self, alg: str, now: int, active_from: int) -> Entry:
        private, name = self._places[self._make_in].make(alg)
        public = private.public_key()
        self._opened[kid_of(public)] = private
        return Entry.of(public, place=self._make_in, name=name, announced_at=now, active_from=active_from)

    def _publish(self, manifest: Manifest, now: int) -> bool:
        won = generations.write(self.folder, manifest)
        self.refresh(now)
        return won

    def _discard(self, entry: Entry | None) -> None:
        if entry is not None:
            self._opened.pop(entry.kid, None)
            self._places[entry.place].destroy(entry)

    def _ring(self, now: int) -> Keyring:
        states = list(self.manifest.states(now, self.overlap))
        signing = tuple(
            SigningKey(self._private(entry), entry.kid, entry.alg)
            for entry, state in states
            if state is State.ACTIVE
        )
        if not signing:
            raise KeysError("keys_missing", f"{self.folder}: no key signs; see `mydata keys rotate`")
        shown = (State.ANNOUNCED, State.RETIRED)
        published = tuple(entry.public_key() for entry, state in states if state in shown)
        return Keyring(signing, published, tuple(_told(entry) for entry, _ in states))

    def _private(self, entry: Entry) -> Local | Remote:
        if entry.kid not in self._opened:
            if entry.place not in self._places:
                raise KeysError("keys_place_unusable", f"{entry.kid}: lies in {entry.place}, see key_store")
            private = self._places[entry.place].open(entry)
            if kid_of(private.public_key()) != entry.kid:
                raise KeysError("keys_unreadable", f"{entry.name}: is another key than {entry.kid}")
            self._opened[entry.kid] = private
        return self._opened[entry.kid]


def _told(entry: Entry) -> dict[str, Any]:
    """The key as history tells it, with the members of OpenID Federation 1.0 for historical keys."""
    revoked = {} if entry.revoked_at is None else {"revoked": {"revoked_at": entry.revoked_at}}
    return {**public_jwk(entry.public_key()), "nbf": entry.active_from, **revoked}
