"""An authority that certifies citizens, and a citizen's detached JWS, for tests to bend."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID

from gateway.keyring import base64url
from tests.unit.consent.household import AT

_NOW = datetime.fromtimestamp(AT, UTC)


def name(text: str) -> x509.Name:
    """A distinguished name."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def usage(**bits: bool) -> x509.KeyUsage:
    """A key usage with these bits, all others off."""
    every = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment")
    more = ("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{bit: bits.get(bit, False) for bit in (*every, *more)})


class Authority:
    """An authority that certifies citizens."""

    def __init__(self) -> None:
        """With a key and certificate of its own."""
        self.key = ec.generate_private_key(ec.SECP256R1())
        me, identifier = name("Authority"), x509.SubjectKeyIdentifier.from_public_key(self.key.public_key())
        builder = x509.CertificateBuilder().subject_name(me).issuer_name(me)
        builder = builder.public_key(self.key.public_key()).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(_NOW - timedelta(days=400)).not_valid_after(
            _NOW + timedelta(days=400)
        )
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(usage(key_cert_sign=True, crl_sign=True), critical=True)
        self.certificate = builder.add_extension(identifier, critical=False).sign(self.key, hashes.SHA256())

    def certify(self, key: Any, *, days: tuple[int, int] = (-1, 30), **bits: bool) -> x509.Certificate:
        """A certificate for `key`, valid between these days from now."""
        builder = x509.CertificateBuilder().subject_name(name("Citizen"))
        builder = builder.issuer_name(self.certificate.subject).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(_NOW + timedelta(days=days[0]))
        builder = builder.not_valid_after(_NOW + timedelta(days=days[1]))
        wanted = usage(**(bits or {"digital_signature": True}))
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        builder = builder.add_extension(wanted, critical=True).add_extension(issuer, critical=False)
        return builder.sign(self.key, hashes.SHA256())


def signed(content: bytes, certificate: x509.Certificate, key: Any, **header: Any) -> str:
    """A detached JWS over `content`."""
    der = base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()
    elliptic = isinstance(key, ec.EllipticCurvePrivateKey)
    said = {"alg": "ES256" if elliptic else "PS256", "x5c": [der], **header}
    head = base64url(json.dumps(said).encode())
    signing_input = f"{head}.{base64url(content)}".encode()
    if isinstance(key, ec.EllipticCurvePrivateKey):
        size = (key.curve.key_size + 7) // 8
        r, s = decode_dss_signature(key.sign(signing_input, ec.ECDSA(hashes.SHA256())))
        made = r.to_bytes(size, "big") + s.to_bytes(size, "big")
    else:
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
        made = key.sign(signing_input, pss, hashes.SHA256())
    return f"{head}..{base64url(made)}"
