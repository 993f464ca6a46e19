"""Clients known by certificate (RFC 8705 2): what a client registers, and which certificate is its own.

`tls_client_auth`: the terminator has verified the chain, and the subject, or one subject alternative name, is
exactly the registered one. `self_signed_tls_client_auth`: nobody vouches for the chain; the key of the
certificate is one of the registered JWK set.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.oauth.jws import PublicKey
from gateway.security.client_certificate import ClientCertificate

PRIVATE_KEY_JWT = "private_key_jwt"
BY_NAME = "tls_client_auth"
SELF_SIGNED = "self_signed_tls_client_auth"
METHODS = (PRIVATE_KEY_JWT, BY_NAME, SELF_SIGNED)
"""How a client may authenticate (FAPI 2.0 5.3.2.1-6); each registers one, and only that one is accepted."""

SUBJECTS = (
    "tls_client_auth_subject_dn",
    "tls_client_auth_san_dns",
    "tls_client_auth_san_uri",
    "tls_client_auth_san_ip",
    "tls_client_auth_san_email",
)
"""Members of a client document that name its certificate; exactly one (RFC 8705 2.1.2)."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The one name a client's certificate must carry; `member` is which of SUBJECTS it is."""

    member: str
    value: str

    def names(self, certificate: x509.Certificate) -> bool:
        """Whether the certificate carries it: a DN as a whole, a SAN as one among others."""
        return _NAMES[self.member](self.value, certificate)


def subject_of(values: Mapping[str, Any]) -> Subject | None:
    """The subject a client document registers; None unless exactly one that can be read is there."""
    given = [name for name in SUBJECTS if name in values]
    if len(given) != 1 or not _readable(given[0], values[given[0]]):
        return None
    return Subject(given[0], values[given[0]])


def is_its_own(certificate: ClientCertificate, keys: Iterable[PublicKey]) -> bool:
    """Whether the key of the certificate is one of `keys` (RFC 8705 2.2)."""
    der = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    return any(hmac.compare_digest(certificate.key, key.public_bytes(*der)) for key in keys)


def x5c_fits(jwk: Mapping[str, Any], key: PublicKey) -> bool:
    """Whether the first certificate of `x5c`, if any is given, is of this very key (RFC 7517 4.7)."""
    chain = jwk.get("x5c")
    if chain is None:
        return True
    if not isinstance(chain, list) or not chain or not isinstance(chain[0], str):
        return False
    pem = f"-----BEGIN CERTIFICATE-----\n{chain[0]}\n-----END CERTIFICATE-----\n"
    try:
        certified = x509.load_pem_x509_certificate(pem.encode("ascii")).public_key()
        written = certified.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except ValueError:
        return False
    return written == key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _readable(member: str, value: object) -> bool:
    if not isinstance(value, str) or not 0 < len(value) <= 500 or not value.isprintable():
        return False
    try:
        if member.endswith("_dn"):
            return bool(list(x509.Name.from_rfc4514_string(value)))
        if member.endswith("_ip"):
            ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def _alternatives(certificate: x509.Certificate) -> x509.SubjectAlternativeName | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return None


def _has(kind: type[x509.DNSName | x509.RFC822Name | x509.UniformResourceIdentifier]) -> _Match:
    def match(value: str, certificate: x509.Certificate) -> bool:
        names = _alternatives(certificate)
        return names is not None and value in names.get_values_for_type(kind)

    return match


def _subject_dn(value: str, certificate: x509.Certificate) -> bool:
    try:
        return certificate.subject == x509.Name.from_rfc4514_string(value)
    except ValueError:
        return False


def _ip(value: str, certificate: x509.Certificate) -> bool:
    names = _alternatives(certificate)
    return names is not None and ipaddress.ip_address(value) in names.get_values_for_type(x509.IPAddress)


_Match = Callable[[str, x509.Certificate], bool]
_NAMES: Mapping[str, _Match] = {
    "tls_client_auth_subject_dn": _subject_dn,
    "tls_client_auth_san_dns": _has(x509.DNSName),
    "tls_client_auth_san_uri": _has(x509.UniformResourceIdentifier),
    "tls_client_auth_san_ip": _ip,
    "tls_client_auth_san_email": _has(x509.RFC822Name),
}
