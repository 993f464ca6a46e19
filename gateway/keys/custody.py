"""Where the private halves of signing keys lie: the seam before a folder, a token or a service."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Container
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.keyring import Local, Remote, kid_of
from gateway.keys.errors import KeysError
from gateway.keys.generations import sync, write_new
from gateway.keys.manifest import Entry

RSA_BITS = 3072
MAX_BYTES = 10_000
STRAY_SECONDS = 3600


class Custody(Protocol):
    """One place of private keys.

    Every call MAY block its thread (seconds, bounded), so nobody makes one on an event loop or inside a
    transaction; calls MAY come from several threads. A key that `make` gave MUST be there after a crash.
    Raises KeysError `keys_place_unusable` when the place cannot be reached, `keys_missing` for a key it does
    not hold.
    """

    place: str
    """The stable name under which entries point here."""

    def make(self, alg: str) -> tuple[Local | Remote, str]:
        """A new key that signs by `alg`, and its name here. MUST NOT touch any other key."""

    def open(self, entry: Entry) -> Local | Remote:
        """The private half of `entry`, by its name. MUST be the key whose public half the entry holds."""

    def destroy(self, entry: Entry) -> None:
        """Make the private half unusable for good, if the place can; doing it again does nothing."""


class FolderCustody:
    """PEM files in the folder of keys, readable by one user."""

    place = "file"

    def __init__(self, folder: Path) -> None:
        """Keep keys in `folder`."""
        self._folder = folder

    def make(self, alg: str) -> tuple[Local, str]:
        """A new key, durable under its own name."""
        private = new_key(alg)
        name = f"signing-{kid_of(private.public_key())}.pem"
        try:
            write_new(self._folder / name, pem(private))
            sync(self._folder)
        except OSError as error:
            raise KeysError(
                "keys_unreadable", f"{self._folder}: cannot be written: {error.strerror}"
            ) from error
        return private, name

    def open(self, entry: Entry) -> Local:
        """The key in the file the entry names."""
        return read_pem(self._folder / Path(entry.name).name)

    def destroy(self, entry: Entry) -> None:
        """Delete the file."""
        (self._folder / Path(entry.name).name).unlink(missing_ok=True)

    def forget_strays(self, known: Container[str]) -> None:
        """Delete key files that no entry names: what a process left that was killed while it made one."""
        for path in (*self._folder.glob("signing-*.pem"), *self._folder.glob(".signing-*.new")):
            with suppress(OSError):
                if path.name not in known and time.time() - path.stat().st_mtime > STRAY_SECONDS:
                    path.unlink()


MAKERS: dict[str, Callable[[], Local]] = {
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "PS256": lambda: rsa.generate_private_key(65537, RSA_BITS),
    "EdDSA": Ed25519PrivateKey.generate,
}
"""How a key of each algorithm is made (FAPI 2.0 5.4.1: RSA of 2048 bits or more)."""


def new_key(alg: str) -> Local:
    """A fresh key that signs by `alg` (one of MAKERS)."""
    return MAKERS[alg]()


def pem(key: Local) -> bytes:
    """The key as PKCS #8 PEM without a password."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def parse_pem(content: bytes, where: str) -> Local:
    """The key in `content`; KeysError names `where` when it is none we may sign with."""
    try:
        key = serialization.load_pem_private_key(content, password=None)
    except (ValueError, TypeError) as error:
        raise KeysError("keys_unreadable", f"{where}: is not a PEM private key without password") from error
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    if isinstance(key, Ed25519PrivateKey) or (isinstance(key, rsa.RSAPrivateKey) and key.key_size >= 2048):
        return key
    raise KeysError("keys_unreadable", f"{where}: must be a P-256, Ed25519 or RSA key (2048 bits or more)")


def read_pem(path: Path) -> Local:
    """The key in a PEM file only its owner can read."""
    return parse_pem(read_private(path), str(path))


def read_private(path: Path) -> bytes:
    """The bytes of a file only its owner can read; KeysError otherwise."""
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise KeysError("keys_exposed", f"{path}: other users can read this key; make it mode 0600")
            return file.read(MAX_BYTES)
    except FileNotFoundError as error:
        raise KeysError(
            "keys_missing", f"{path}: no such key; make the folder with `mydata keys init`"
        ) from error
    except OSError as error:
        raise KeysError("keys_unreadable", f"{path}: cannot be read: {error.strerror}") from error
