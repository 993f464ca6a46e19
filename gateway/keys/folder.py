"""The folder of keys, which only its user can read; see `gateway.keys` for what lies in it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.keyring import DEFAULT, Local, SigningKey
from gateway.keys import generations
from gateway.keys.all import SECRET_BYTES, Keys
from gateway.keys.custody import Custody, FolderCustody, new_key, pem, read_pem, read_private
from gateway.keys.errors import KeysError
from gateway.keys.kek import Keks
from gateway.keys.manifest import Entry, Manifest
from gateway.keys.signing import SigningKeys

OVERLAP_SECONDS = 86_400
FIRST = "signing.pem"
"""The first key of the default algorithm; later ones are named by their kid."""


def create_keys(folder: Path, algorithms: Sequence[str] = (DEFAULT,)) -> None:
    """Make a new set of keys in `folder` (mode 0700, files 0600), with a signing key of each algorithm.

    Raises KeysError `keys_exist` when any key file is already there: nothing is ever overwritten.
    """
    if taken := [name for name in (FIRST, *_MAKERS) if (folder / name).exists()]:
        raise KeysError(
            "keys_exist", f"{folder}: keys are already there ({', '.join(taken)}); nothing was changed"
        )
    now = int(time.time())
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        for name, make in _MAKERS.items():
            generations.write_new(folder / name, make())
        first = new_key(DEFAULT)
        generations.write_new(folder / FIRST, pem(first))
        entries = [_entry(first, FIRST, now)]
        for alg in algorithms:
            if alg != DEFAULT:
                private, name = FolderCustody(folder).make(alg)
                entries.append(_entry(private, name, now))
        won = generations.write(folder, Manifest(1, tuple(entries)))
    except FileExistsError as error:
        raise KeysError("keys_exist", f"{folder}: keys are already there; nothing was overwritten") from error
    except OSError as error:
        raise KeysError("keys_unreadable", f"{folder}: cannot be written: {error.strerror}") from error
    if not won:
        raise KeysError("keys_exist", f"{folder}: signing keys are already there; nothing was overwritten")


def load_keys(
    folder: Path,
    *,
    places: Mapping[str, Custody] | None = None,
    make_in: str = FolderCustody.place,
    overlap: int = OVERLAP_SECONDS,
    now: int | None = None,
) -> Keys:
    """Read the keys of `folder`; signing keys may lie in `places` too, and new ones are made in `make_in`.

    Raises KeysError when a file is missing, malformed, or readable by other users of the machine, or a place
    cannot be reached. Blocks.
    """
    manifest = generations.read(folder) or _before_generations(folder)
    known = {FolderCustody.place: FolderCustody(folder), **(places or {})}
    house = SigningKeys(folder, manifest, known, make_in, overlap)
    return Keys(
        signing=house.live(int(time.time()) if now is None else now),
        house=house,
        ledger=ed25519(read_pem(folder / "ledger.pem"), str(folder / "ledger.pem")),
        holder_requests=SigningKey.of(
            p256(read_pem(folder / "holder-requests.pem"), str(folder / "holder-requests.pem"))
        ),
        subject_kek=Keks.of(folder),
        pairwise=_secret(folder / "pairwise.key"),
        pseudonyms=_secret(folder / "pseudonyms.key"),
        identity=_secret(folder / "identity.key"),
    )


def p256(key: Local, where: str) -> ec.EllipticCurvePrivateKey:
    """`key`, which must be a P-256 key; KeysError names `where`."""
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise KeysError("keys_unreadable", f"{where}: must be a P-256 key")
    return key


def ed25519(key: Local, where: str) -> Ed25519PrivateKey:
    """`key`, which must be an Ed25519 key; KeysError names `where`."""
    if not isinstance(key, Ed25519PrivateKey):
        raise KeysError("keys_unreadable", f"{where}: must be an Ed25519 key")
    return key


def _before_generations(folder: Path) -> Manifest:
    """What a folder holds that was made before keys rotated: one key, as old as its file."""
    path = folder / FIRST
    key = p256(read_pem(path), str(path))
    return Manifest(0, (_entry(key, FIRST, int(path.stat().st_mtime)),))


def _entry(private: Local, name: str, now: int) -> Entry:
    return Entry.of(
        private.public_key(), place=FolderCustody.place, name=name, announced_at=now, active_from=now
    )


def _new_secret() -> bytes:
    return secrets.token_bytes(SECRET_BYTES)


_MAKERS: dict[str, Callable[[], bytes]] = {
    "holder-requests.pem": lambda: pem(new_key(DEFAULT)),
    "ledger.pem": lambda: pem(new_key("EdDSA")),
    "subject-kek.key": _new_secret,
    "pairwise.key": _new_secret,
    "pseudonyms.key": _new_secret,
    "identity.key": _new_secret,
}


def _secret(path: Path) -> bytes:
    content = read_private(path)
    if len(content) != SECRET_BYTES:
        raise KeysError("keys_unreadable", f"{path}: must hold exactly {SECRET_BYTES} bytes")
    return content
