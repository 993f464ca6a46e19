"""Client authentication by certificate (RFC 8705 2) and tokens bound to one (RFC 8705 3)."""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from gateway.oauth.clients import Client
from gateway.oauth.refusals import OAuthRefusal
from gateway.oauth.tls_client import SELF_SIGNED, is_its_own
from gateway.security.client_certificate import ClientCertificate

CONFIRMATION = "x5t#S256"
"""The member of `cnf` that binds a token to a certificate (RFC 8705 3.1)."""
NOT_BY_KEY = "the tokens of this client are bound to its certificate, not to a DPoP key"


def authenticate(client: Client, certificate: ClientCertificate | None, *, alone: bool) -> None:
    """Prove that the connection is the client's; `alone` says that no assertion came beside the certificate.

    Raises OAuthRefusal. What the certificate proves is the terminator's handshake, so nothing is spent.
    """
    if not alone:
        raise OAuthRefusal("client_method_other")
    if certificate is None:
        raise OAuthRefusal("client_certificate_missing")
    if client.auth_method == SELF_SIGNED:
        own = is_its_own(certificate, (key.key for key in client.keys))
    else:
        named = client.tls_subject
        own = certificate.chain_verified and named is not None and named.names(certificate.certificate)
    if not own:
        raise OAuthRefusal("client_certificate_mismatch")
    if not client.active:
        raise OAuthRefusal("client_suspended")


def binding(certificate: ClientCertificate | None) -> dict[str, str]:
    """The `cnf` of a token bound to the certificate of this request. Raises OAuthRefusal without one."""
    if certificate is None:
        raise OAuthRefusal("client_certificate_missing", error="invalid_request", status=400)
    return {CONFIRMATION: certificate.thumbprint}


def fits(cnf: Mapping[str, str], certificate: ClientCertificate | None) -> bool:
    """Whether a token with this `cnf` is bound to `certificate`."""
    if certificate is None:
        return False
    return hmac.compare_digest(cnf[CONFIRMATION].encode(), certificate.thumbprint.encode())


def unwanted_proof() -> OAuthRefusal:
    """The refusal of a DPoP proof from a client whose tokens are bound to its certificate instead."""
    return OAuthRefusal("dpop_invalid", check="proof.client", what=NOT_BY_KEY)
