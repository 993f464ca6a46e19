"""Certificates of clients for tests: issued by an authority of this run, or by nobody."""

from __future__ import annotations

import hashlib
import ssl
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.keyring import SigningKey
from tests.oauth_keys import b64


@dataclass(frozen=True)
class Shown:
    """A certificate with its private key, as files and in every form a message carries."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    files: tuple[Path, Path]

    @property
    def thumbprint(self) -> str:
        """Its `x5t#S256`, computed apart from the product."""
        return b64(hashlib.sha256(self.certificate.public_bytes(Encoding.DER)).digest())

    @property
    def header(self) -> str:
        """What nginx hands on as `$ssl_client_escaped_cert`."""
        return quote(self.certificate.public_bytes(Encoding.PEM).decode(), safe="")

    def jwk(self, kid: str) -> dict[str, Any]:
        """Its key as a JWK with `x5c`."""
        members = {k: v for k, v in SigningKey.of(self.key).jwk().items() if k in ("kty", "crv", "x", "y")}
        chain = [b64encode(self.certificate.public_bytes(Encoding.DER)).decode()]
        return {**members, "use": "sig", "kid": kid, "x5c": chain}

    def context(self, authority: Path) -> ssl.SSLContext:
        """A client context that shows it, and trusts servers of `authority`."""
        made = ssl.create_default_context(cafile=str(authority))
        made.load_cert_chain(*map(str, self.files))
        return made


class ClientAuthority:
    """Issues client certificates; `bundle` is what a terminator verifies chains with."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("Clients of this test run")
        root = (
            _dated(self._name, self._name, self._key.public_key(), timedelta(0))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.bundle = folder / "clients.pem"
        self.bundle.write_bytes(root.public_bytes(Encoding.PEM))

    def issue(
        self, common_name: str, *, san: Sequence[x509.GeneralName] = (), later: timedelta = timedelta(0)
    ) -> Shown:
        """A certificate for clients of this name; `later` moves its dates."""
        return self._make(common_name, san, later, self._key)

    def self_signed(
        self, common_name: str, *, san: Sequence[x509.GeneralName] = (), later: timedelta = timedelta(0)
    ) -> Shown:
        """The same, signed by nobody but itself."""
        return self._make(common_name, san, later, None)

    def _make(
        self,
        common_name: str,
        san: Sequence[x509.GeneralName],
        later: timedelta,
        signer: ec.EllipticCurvePrivateKey | None,
    ) -> Shown:
        key, name = ec.generate_private_key(ec.SECP256R1()), _name(common_name)
        issuer = name if signer is None else self._name
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
        builder = _dated(name, issuer, key.public_key(), later).add_extension(usage, critical=False)
        if san:
            builder = builder.add_extension(x509.SubjectAlternativeName(san), critical=False)
        certificate = builder.sign(signer or key, hashes.SHA256())
        serial = certificate.serial_number
        files = self._folder / f"{serial:x}.pem", self._folder / f"{serial:x}.key"
        files[0].write_bytes(certificate.public_bytes(Encoding.PEM))
        files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        files[1].chmod(0o600)
        return Shown(certificate, key, files)


def _name(common_name: str) -> x509.Name:
    country = x509.NameAttribute(NameOID.COUNTRY_NAME, "KR")
    return x509.Name([country, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _dated(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, later: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC) + later
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=2))
    )
