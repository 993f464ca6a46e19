"""A citizen's own signature over the text they agreed to: verified against authorities the operator trusts.

A compact JWS with detached content (RFC 7515 appendix F): ES256 or PS256, certificates under `x5c`. Its
content is `content_of`: the text as shown and the consent's id and version, so that it fits no other consent.
It proves that who holds the certified key signed; who that is, is the authority's word.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.x509 import verification

from consent.errors import ConsentError
from consent.receipt_jws import ReceiptError, unb64url
from consent.records import Consent
from consent.text import ShownText

MAX_BYTES = 16_384
MOST_CERTIFICATES = 4
_AGNOSTIC = verification.Criticality.AGNOSTIC


class SignatureError(ConsentError):
    """The citizen's signature is refused (`signature_refused`); `what` holds nothing of it."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature that held: the JWS, and the SHA-256 (hex) of it and of the signer's certificate."""

    jws: str
    sha256: str
    certificate_sha256: str
    algorithm: str


def content_of(text: ShownText, consent: Consent) -> bytes:
    """The bytes a citizen signs: the text as shown, a line, and which version of which consent it is."""
    return f"{text.body}\n{consent.id} {consent.version} {text.hash}\n".encode()


def anchors(folder: Path) -> list[x509.Certificate]:
    """The authorities in `folder`, every certificate of every `*.pem`. Raises ValueError, OSError."""
    files = sorted(folder.glob("*.pem"))
    return [one for file in files for one in x509.load_pem_x509_certificates(file.read_bytes())]


def verify(jws: str, content: bytes, trusted: Sequence[x509.Certificate], at: int) -> Signed:
    """The signature over `content`, by a key certified by one of `trusted` at the epoch second `at`.

    Raises SignatureError. One header (`alg`, `x5c` and nothing else), one curve or RSA of 2048 bits and more,
    key usage for signatures, a chain valid at `at`; chains with SHA-1 or short keys never are.
    """
    if len(jws) > MAX_BYTES or not jws.isascii() or jws.count(".") != 2:
        raise _refused("not a small compact JWS")
    head, payload, signature = jws.split(".")
    if payload:
        raise _refused("its content must be detached")
    algorithm, chain = _header(head)
    leaf = _trusted(chain, trusted, at)
    body = base64.urlsafe_b64encode(content).rstrip(b"=")
    try:
        _check(leaf, algorithm, unb64url(signature), head.encode() + b"." + body)
    except (InvalidSignature, ReceiptError):
        raise _refused("it is not over this text of this consent, or by another key") from None
    return Signed(
        jws=jws,
        sha256=hashlib.sha256(jws.encode()).hexdigest(),
        certificate_sha256=leaf.fingerprint(hashes.SHA256()).hex(),
        algorithm=algorithm,
    )


def _refused(what: str) -> SignatureError:
    return SignatureError("signature_refused", what=what)


def _header(head: str) -> tuple[str, list[x509.Certificate]]:
    try:
        found: dict[str, Any] = json.loads(unb64url(head))
        algorithm, chain = found["alg"], found["x5c"]
        if set(found) != {"alg", "x5c"} or algorithm not in ("ES256", "PS256"):
            raise ValueError
        if not isinstance(chain, list) or not 1 <= len(chain) <= MOST_CERTIFICATES:
            raise ValueError
        ders = [base64.b64decode(one, validate=True) for one in chain]
        return str(algorithm), [x509.load_der_x509_certificate(der) for der in ders]
    except (ReceiptError, ValueError, KeyError, TypeError, RecursionError, binascii.Error):
        raise _refused("the header must be alg (ES256 or PS256) and x5c") from None


def _trusted(chain: list[x509.Certificate], trusted: Sequence[x509.Certificate], at: int) -> x509.Certificate:
    """The signer's certificate, once a chain leads to one of `trusted`."""
    anyone = verification.ExtensionPolicy.permit_all()
    signer = anyone.require_present(x509.KeyUsage, _AGNOSTIC, _may_sign)
    authority = verification.ExtensionPolicy.webpki_defaults_ca()
    try:
        builder = verification.PolicyBuilder().store(verification.Store(list(trusted)))
        builder = builder.time(datetime.fromtimestamp(at, UTC)).max_chain_depth(MOST_CERTIFICATES)
        policy = builder.extension_policies(ca_policy=authority, ee_policy=signer)
        policy.build_client_verifier().verify(chain[0], chain[1:])
    except (verification.VerificationError, ValueError):
        raise _refused("no chain to a trusted authority is valid now") from None
    return chain[0]


def _may_sign(
    _policy: verification.Policy, _certificate: x509.Certificate, usage: x509.KeyUsage | None
) -> None:
    if usage is None or not (usage.digital_signature or usage.content_commitment):
        raise ValueError("the key is not for signatures")


def _check(leaf: x509.Certificate, algorithm: str, signature: bytes, signing_input: bytes) -> None:
    key = leaf.public_key()
    if algorithm == "ES256" and isinstance(key, ec.EllipticCurvePublicKey):
        if not isinstance(key.curve, ec.SECP256R1) or len(signature) != 64:
            raise InvalidSignature
        der = encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))
        key.verify(der, signing_input, ec.ECDSA(hashes.SHA256()))
    elif algorithm == "PS256" and isinstance(key, rsa.RSAPublicKey) and key.key_size >= 2048:
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256().digest_size)
        key.verify(signature, signing_input, pss, hashes.SHA256())
    else:
        raise InvalidSignature
