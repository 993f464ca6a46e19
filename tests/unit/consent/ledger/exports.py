"""Makes small logs and trails from the formats alone, as a gateway would export them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consent.canonical import canonical
from consent.ledger.census import Census, Member
from consent.ledger.checkpoint import Checkpoint, sign, vkey
from consent.ledger.entry import Entry, encode
from consent.ledger.proof import NodeReader, inclusion
from consent.ledger.tiles import Tile, bundle_path, bundles, hash_tiles, node_reader, pack
from consent.ledger.tree import RightEdge, leaf_hash
from consent.subjects import SubjectKey

ORIGIN = "mydata.test/ledger/2026"
SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
VKEY = vkey(ORIGIN, SIGNER.public_key())
CITIZEN = SubjectKey(bytes(range(100, 132)))
NEIGHBOUR = SubjectKey(bytes(range(50, 82)))
HOLDER = "nuri-telecom"
SALT = bytes(range(32, 64))
EVERY = 7
"""In a made log, each seventh entry is of the one citizen who has a trail."""


class MadeLog:
    """A log of `size` entries in memory: entries, tiles, checkpoint, and the trail of one citizen.

    `instead` is written where an event of the citizen would stand; `counted` makes a census the last entry.
    """

    def __init__(
        self,
        size: int,
        *,
        salted: bytes = b"",
        instead: Mapping[int, Entry] | None = None,
        counted: Callable[[MadeLog], Census] | None = None,
    ) -> None:
        self.entries: list[bytes] = []
        self.events: list[tuple[int, dict[str, object]]] = []
        self.edge = RightEdge()
        self.tiles: dict[Tile, bytes] = {}
        self.previous: str | None = None
        self.census: Census | None = None
        for position in range(size - bool(counted)):
            if instead and position in instead:
                self._add(instead[position])
            elif position % EVERY == 3:
                self.previous = self._own(position, self.previous)
            else:
                commitment = leaf_hash(salted + b"%d" % position)
                self._add(Entry(1_790_000_000 + position, "token:access:issued", "party-1", None, commitment))
        if counted:
            self.census = counted(self)
            self._state(self.census)
        for tile in hash_tiles(size):
            if tile.width < 256:
                self.tiles[tile] = self.edge.partial(tile.level)
        self.note = sign(Checkpoint(ORIGIN, size, self.edge.root()), SIGNER)

    def _own(self, position: int, previous: str | None) -> str:
        n = len(self.events) + 1
        body = {"발급": n, "\U0001f600": None, "\ufb01": [True, -1], "note": 'a"\\\n\u0001\u007f'}
        payload = {"event": "pull:holder:done", "by": "gateway-1", "body": body, "n": n, "prev": previous}
        self.events.append((position, payload))
        commitment = CITIZEN.com(n, canonical(payload))
        self._add(Entry(1_790_000_000 + position, "pull:holder:done", HOLDER, CITIZEN.tag(n), commitment))
        return leaf_hash(self.entries[-1]).hex()

    def _state(self, census: Census) -> None:
        """Say root and total as an entry of the log itself."""
        size, (root, total) = len(self.entries), census.root
        body = {"size": size, "root": _text(root), "total": total, "members": len(census.members)}
        self.said = {"event": "ledger:census:taken", "by": "gateway-1", "body": body}
        commitment = hmac.digest(SALT, canonical(self.said), hashlib.sha256)
        self._add(Entry(1_790_000_000 + size, "ledger:census:taken", "gateway", None, commitment))

    def member(self, n: int | None = None) -> Member:
        """What an honest census counts of the citizen; with `n`, as if there were only so many events."""
        n = len(self.events) if n is None else n
        return Member(CITIZEN.census_key(), n, leaf_hash(self.entries[self.events[n - 1][0]]))

    def _add(self, entry: Entry) -> None:
        self.entries.append(encode(entry))
        for full in self.edge.append(leaf_hash(self.entries[-1])):
            self.tiles[Tile(full.level, full.index)] = full.data

    def write(self, folder: Path) -> Path:
        """Export to `folder`."""
        files = {tile.path: data for tile, data in self.tiles.items()}
        for tile in bundles(len(self.entries)):
            first = tile.index * 256
            files[bundle_path(tile.index, tile.width)] = pack(self.entries[first : first + tile.width])
        files["checkpoint"] = self.note.encode()
        if self.census:
            files["statements"] = canonical(
                {"type": "mydata-ledger-statements", "version": 1, "statements": [self._stated()]}
            )
        for path, data in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        return folder

    def trail(self) -> dict[str, object]:
        """The citizen's trail, not encoded yet."""
        size = len(self.entries)
        read = node_reader(size, self.tiles.__getitem__)
        events = [
            {
                "index": position,
                "entry": _text(self.entries[position]),
                "payload": payload,
                "salt": _text(CITIZEN.salt(n)),
                "proof": [_text(node) for node in inclusion(position, size, read)],
            }
            for n, (position, payload) in enumerate(self.events, 1)
        ]
        trail = {"type": "mydata-ledger-trail", "version": 1, "checkpoint": self.note, "events": events}
        if self.census:
            trail["census"] = self._counted(self.census, read)
        copied: dict[str, object] = json.loads(json.dumps(trail))
        return copied

    def _stated(self) -> dict[str, object]:
        return {
            "index": len(self.entries) - 1,
            "entry": _text(self.entries[-1]),
            "payload": self.said,
            "salt": _text(SALT),
        }

    def _counted(self, census: Census, read: NodeReader) -> dict[str, object]:
        """What the census says of the citizen, as a trail has it."""
        index, path = census.prove(CITIZEN.census_key())
        member, last = census.members[index], len(self.entries) - 1
        proof = [_text(node) for node in inclusion(last, last + 1, read)]
        return {
            "event": {**self._stated(), "proof": proof},
            "h": _text(member.h),
            "n": member.n,
            "head": _text(member.head),
            "index": index,
            "members": len(census.members),
            "path": [[_text(node), total] for node, total in path],
        }


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
