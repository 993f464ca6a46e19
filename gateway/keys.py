"""The gateway's own keys, in one folder only its user can read.

    signing.pem          ES256     access tokens and receipts (published in the JWKS)
    holder-requests.pem  ES256     what the gateway signs to holders
    ledger.pem           Ed25519   checkpoints of the consent log
    subject-kek.key      32 bytes  wraps each subject's own key; losing it erases every subject
    pairwise.key         32 bytes  pairwise `sub` values of tokens
    pseudonyms.key       32 bytes  domain secret of the pseudonyms in bundles
    identity.key         32 bytes  names of proven people; a new one makes strangers of all citizens

No secret is ever shown by `repr`, logged, or put in an error.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.keyring import Keyring, SigningKey

__all__ = ["Keyring", "Keys", "KeysError", "SigningKey", "create_keys", "load_keys"]

SECRET_BYTES = 32


class KeysError(Exception):
    """The folder of keys cannot be made or used. `code` is stable; the text names files, never contents."""

    def __init__(self, code: str, message: str) -> None:
        """Refuse with `code`: keys_exist | keys_missing | keys_exposed | keys_unreadable."""
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Keys:
    """Every key of one gateway. Frozen; `repr` shows no secret."""

    signing: Keyring
    ledger: Ed25519PrivateKey = field(repr=False)
    holder_requests: SigningKey
    subject_kek: bytes = field(repr=False)
    pairwise: bytes = field(repr=False)
    pseudonyms: bytes = field(repr=False)
    identity: bytes = field(repr=False)


def create_keys(folder: Path) -> None:
    """Make a new set of keys in `folder` (mode 0700, files 0600).

    Raises KeysError `keys_exist` when any key file is already there: nothing is ever overwritten.
    """
    if taken := [name for name in _MAKERS if (folder / name).exists()]:
        raise KeysError(
            "keys_exist", f"{folder}: keys are already there ({', '.join(taken)}); nothing was changed"
        )
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        for name, make in _MAKERS.items():
            _write(folder / name, make())
    except FileExistsError as error:
        raise KeysError("keys_exist", f"{folder}: keys are already there; nothing was overwritten") from error
    except OSError as error:
        raise KeysError("keys_unreadable", f"{folder}: cannot be written: {error.strerror}") from error


def load_keys(folder: Path) -> Keys:
    """Read the keys of `folder`.

    Raises KeysError when a file is missing, malformed, or readable by other users of the machine.
    """
    return Keys(
        signing=Keyring((SigningKey.of(_p256(folder / "signing.pem")),)),
        ledger=_ed25519(folder / "ledger.pem"),
        holder_requests=SigningKey.of(_p256(folder / "holder-requests.pem")),
        subject_kek=_secret(folder / "subject-kek.key"),
        pairwise=_secret(folder / "pairwise.key"),
        pseudonyms=_secret(folder / "pseudonyms.key"),
        identity=_secret(folder / "identity.key"),
    )


def _new_p256() -> bytes:
    return _pem(ec.generate_private_key(ec.SECP256R1()))


def _new_ed25519() -> bytes:
    return _pem(Ed25519PrivateKey.generate())


def _new_secret() -> bytes:
    return secrets.token_bytes(SECRET_BYTES)


_MAKERS: dict[str, Callable[[], bytes]] = {
    "signing.pem": _new_p256,
    "holder-requests.pem": _new_p256,
    "ledger.pem": _new_ed25519,
    "subject-kek.key": _new_secret,
    "pairwise.key": _new_secret,
    "pseudonyms.key": _new_secret,
    "identity.key": _new_secret,
}


def _pem(key: ec.EllipticCurvePrivateKey | Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise KeysError("keys_exposed", f"{path}: other users can read this key; make it mode 0600")
            return file.read(10_000)
    except FileNotFoundError as error:
        raise KeysError(
            "keys_missing", f"{path}: no such key; make the folder with `mydata keys init`"
        ) from error
    except OSError as error:
        raise KeysError("keys_unreadable", f"{path}: cannot be read: {error.strerror}") from error


def _secret(path: Path) -> bytes:
    content = _read(path)
    if len(content) != SECRET_BYTES:
        raise KeysError("keys_unreadable", f"{path}: must hold exactly {SECRET_BYTES} bytes")
    return content


def _private(path: Path) -> object:
    try:
        return serialization.load_pem_private_key(_read(path), password=None)
    except (ValueError, TypeError) as error:
        raise KeysError("keys_unreadable", f"{path}: is not a PEM private key without password") from error


def _p256(path: Path) -> ec.EllipticCurvePrivateKey:
    key = _private(path)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise KeysError("keys_unreadable", f"{path}: must be a P-256 key")
    return key


def _ed25519(path: Path) -> Ed25519PrivateKey:
    key = _private(path)
    if not isinstance(key, Ed25519PrivateKey):
        raise KeysError("keys_unreadable", f"{path}: must be an Ed25519 key")
    return key
