"""A client's certificate, as a TLS terminator hands it on: who may say it, how it is read, its worth.

The gateway never sees the TLS connection of a client behind a terminator (nginx). It believes a header, and
only from an address the operator named: from elsewhere the header is a forgery and the request is refused.
Pure: no clock, no network. RFC 8705 2 and 3.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import unquote_to_bytes

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.keyring import base64url
from gateway.settings import Settings

LONGEST = 16_384
"""Characters of the header; a certificate of an RSA-4096 key has some 3,000."""

VERIFIED = "SUCCESS"
"""What the terminator says (nginx `$ssl_client_verify`) of a certificate whose chain it has verified."""

_ESCAPED = re.compile(r"(?:[A-Za-z0-9._~*'()!/+=-]|%[0-9A-Fa-f]{2})+")
_PEM = re.compile(
    rb"-----BEGIN CERTIFICATE-----\r?\n(?:[A-Za-z0-9+/=]{1,76}\r?\n)+-----END CERTIFICATE-----(?:\r?\n)?"
)
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class ClientCertificateError(Exception):
    """What came is not believed. `code` is client_certificate_invalid; the text repeats nothing of it."""

    code = "client_certificate_invalid"

    def __init__(self, what: str) -> None:
        """Refuse because of `what`, a public sentence."""
        super().__init__(what)
        self.what = what
        self.params = {"what": what}


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A certificate whose private key the client has used in its TLS handshake.

    `thumbprint` is its `x5t#S256` (RFC 8705 3.1), `key` the DER of its public key. `chain_verified` is the
    terminator's word; without it only the key may be relied on, never a name in it.
    """

    thumbprint: str
    certificate: x509.Certificate = field(repr=False)
    key: bytes = field(repr=False)
    chain_verified: bool


@dataclass(frozen=True, slots=True)
class Terminators:
    """Who ends mTLS before the gateway: the `origin` clients call, trusted `networks`, the two headers."""

    origin: str
    networks: tuple[Network, ...]
    header: str
    verified_header: str

    def read(
        self, peer: str | None, certificates: Sequence[str], verdicts: Sequence[str], now: datetime
    ) -> ClientCertificate | None:
        """The certificate of a request whose connection came from `peer`; None where there is none.

        `certificates` and `verdicts` are all values of the two headers. Raises ClientCertificateError for
        a header from an address that is not trusted, for two, for one that cannot be read, and for a
        certificate that does not hold at `now`.
        """
        if not certificates and not verdicts:
            return None
        if not self.trusts(peer):
            raise ClientCertificateError("the certificate header is accepted from the TLS terminator only")
        if len(certificates) > 1 or len(verdicts) > 1:
            raise ClientCertificateError("the certificate header must be there once")
        if not certificates:
            return None
        return read_certificate(certificates[0], verified=list(verdicts) == [VERIFIED], now=now)

    def trusts(self, peer: str | None) -> bool:
        """Whether the address at the other end of the connection is a terminator."""
        try:
            address = ipaddress.ip_address(peer or "")
        except ValueError:
            return False
        return any(address in network for network in self.networks)


def read_certificate(escaped: str, *, verified: bool, now: datetime) -> ClientCertificate:
    """The one percent-encoded PEM certificate (nginx `$ssl_client_escaped_cert`), if it holds at `now`.

    Raises ClientCertificateError.
    """
    if len(escaped) > LONGEST or not _ESCAPED.fullmatch(escaped):
        raise ClientCertificateError("the certificate header is not a percent-encoded PEM certificate")
    pem = unquote_to_bytes(escaped)
    if not _PEM.fullmatch(pem):
        raise ClientCertificateError("the certificate header must hold exactly one PEM certificate")
    try:
        der = ssl.PEM_cert_to_DER_cert(pem.decode("ascii"))
        found = x509.load_der_x509_certificate(der)
        key = found.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        first, last = found.not_valid_before_utc, found.not_valid_after_utc
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ClientCertificateError("the certificate cannot be read") from error
    if not first <= now <= last:
        raise ClientCertificateError("the certificate has expired or is not yet valid")
    return ClientCertificate(base64url(hashlib.sha256(der).digest()), found, key, verified)


def networks(addresses: Sequence[str]) -> tuple[Network, ...]:
    """The addresses and networks (`10.0.0.0/8`) of `addresses`. Raises ValueError for anything else."""
    return tuple(ipaddress.ip_network(address) for address in addresses)


def terminators(settings: Settings) -> Terminators | None:
    """Who may hand on certificates of clients; None where mutual TLS is off."""
    if settings.mtls_origin is None:
        return None
    headers = settings.client_certificate_header, settings.client_certificate_verified_header
    return Terminators(settings.mtls_origin, networks(settings.trusted_proxies), *headers)
