"""Who may build and who may approve a policy: named people with Ed25519 keys of their own.

Four eyes: a policy is in force only with two signatures over its revision, by two people with two keys, one
as builder, one as approver; neither signature passes for the other. Private keys never touch the gateway.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import yaml
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gateway.policy.errors import ApprovalRefused, BundleInvalid
from gateway.policy.tables import PolicyBundleRow

Part = Literal["built", "approved"]
Signers = Mapping[str, Ed25519PublicKey]
"""By name: who the operator trusts to build and approve."""

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,62}")


def message(part: Part, revision: str) -> bytes:
    """What is signed: the part played and the revision, under a label of its own."""
    return b"\0".join((b"mydata-policy/1", part.encode(), revision.encode()))


def sign(key: Ed25519PrivateKey, part: Part, revision: str) -> bytes:
    """The signature of one who built or approved `revision`."""
    return key.sign(message(part, revision))


def read_signers(file: Path) -> Signers:
    """The trusted people of a YAML file `name: base64 public key`; raises ApprovalRefused."""
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
        signers = {
            str(name): Ed25519PublicKey.from_public_bytes(b64decode(key, validate=True))
            for name, key in document.items()
        }
    except (OSError, AttributeError, TypeError, ValueError, Base64Error, yaml.YAMLError) as error:
        raise ApprovalRefused(f"{file}: must map names to base64 Ed25519 public keys") from error
    if bad := [name for name in signers if not _NAME.fullmatch(name)]:
        raise ApprovalRefused(f"{file}: {bad[0]!r} is not a name (a-z, 0-9, dot, hyphen)")
    if len({key.public_bytes_raw() for key in signers.values()}) != len(signers):
        raise ApprovalRefused(f"{file}: one key stands under two names")
    return signers


def read_private(file: Path) -> Ed25519PrivateKey:
    """The Ed25519 key in a PEM file; raises ApprovalRefused."""
    try:
        key = serialization.load_pem_private_key(file.read_bytes(), password=None)
    except (ValueError, TypeError) as error:
        raise ApprovalRefused(f"{file}: is not a PEM private key without password") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ApprovalRefused(f"{file}: must be an Ed25519 key")
    return key


def new_private() -> tuple[bytes, str]:
    """A new key as PEM, and the base64 public key for the file of signers."""
    key = Ed25519PrivateKey.generate()
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(*form), b64encode(key.public_key().public_bytes_raw()).decode()


def refuse_stranger(signers: Signers, name: str, key: Ed25519PrivateKey) -> None:
    """Raises ApprovalRefused unless `key` is the one the file has under `name`."""
    known = signers.get(name)
    if known is None or known.public_bytes_raw() != key.public_key().public_bytes_raw():
        raise ApprovalRefused(f"this is not the key of a signer named {name}")


def refuse_unless_built(row: PolicyBundleRow, signers: Signers) -> None:
    """Raises ApprovalRefused unless a trusted builder signed this revision."""
    if not _holds(signers, row.built_by, row.built_signature, "built", row.revision):
        raise ApprovalRefused(f"{row.revision}: not signed by a trusted builder")


def refuse_unless_approved(row: PolicyBundleRow, signers: Signers) -> None:
    """Raises BundleInvalid unless two different trusted people built and approved this revision."""
    try:
        refuse_unless_built(row, signers)
    except ApprovalRefused as error:
        raise BundleInvalid(str(error)) from error
    if row.approved_by is None or row.approved_by == row.built_by:
        raise BundleInvalid(f"{row.revision}: not approved by a second person")
    if not _holds(signers, row.approved_by, row.approved_signature, "approved", row.revision):
        raise BundleInvalid(f"{row.revision}: the approval is not that of a trusted signer")


def _holds(signers: Signers, name: str, signature: bytes | None, part: Part, revision: str) -> bool:
    key = signers.get(name)
    if key is None or signature is None:
        return False
    try:
        key.verify(signature, message(part, revision))
    except InvalidSignature:
        return False
    return True
