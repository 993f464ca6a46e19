"""What the server says about itself: RFC 8414 and OpenID discovery (identical), and RFC 9728."""

from __future__ import annotations

from typing import Any

from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from authlib.oauth2.rfc9101 import AuthorizationServerMetadata as RequestObjectMetadata

from gateway.oauth.clients import GRANT_TYPES
from gateway.oauth.granting import ACTIONS
from gateway.oauth.jarm import MODES
from gateway.oauth.jws import ALGORITHMS
from gateway.oauth.openid_metadata import openid_metadata, scopes
from gateway.oauth.openid_request import MANAGING
from gateway.oauth.resources import COMPANY, COMPANY_SCOPES
from gateway.oauth.server import GatewayAuthorizationServer
from gateway.oauth.tls_client import METHODS, PRIVATE_KEY_JWT

AUTHENTICATED = ("token", "revocation", "introspection")


def server_metadata(server: GatewayAuthorizationServer) -> dict[str, Any]:
    """The metadata document; Authlib's validator has passed it."""
    issuer, algorithms = server.issuer, list(ALGORITHMS)
    signed = list(server.minter.signing.ring.algorithms)
    document: dict[str, Any] = {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "pushed_authorization_request_endpoint": f"{issuer}/par",
        "revocation_endpoint": f"{issuer}/revoke",
        "introspection_endpoint": f"{issuer}/introspect",
        "jwks_uri": f"{issuer}/.well-known/jwks.json",
        "require_pushed_authorization_requests": True,
        "response_types_supported": ["code"],
        "response_modes_supported": list(MODES),
        "grant_types_supported": list(GRANT_TYPES),
        "scopes_supported": sorted({*COMPANY_SCOPES, *scopes()}),
        "grant_management_endpoint": f"{issuer}/grants",
        "grant_management_actions_supported": ["query", "revoke", *ACTIONS],
        "grant_management_action_required": False,
        "code_challenge_methods_supported": ["S256"],
        "dpop_signing_alg_values_supported": algorithms,
        "authorization_details_types_supported": list(server.details_types),
        "authorization_response_iss_parameter_supported": True,
        "authorization_signing_alg_values_supported": signed,
        "introspection_signing_alg_values_supported": signed,
        "request_parameter_supported": True,
        "request_uri_parameter_supported": False,
        "request_object_signing_alg_values_supported": algorithms,
        "require_signed_request_object": False,
        "ui_locales_supported": ["ko", "en"],
        **openid_metadata(server),
    }
    methods = [PRIVATE_KEY_JWT]
    if server.terminators is not None:
        methods = list(METHODS)
        document |= _mutual_tls(server.terminators.origin)
    for endpoint in AUTHENTICATED:
        document[f"{endpoint}_endpoint_auth_methods_supported"] = methods
        document[f"{endpoint}_endpoint_auth_signing_alg_values_supported"] = algorithms
    AuthorizationServerMetadata(document).validate(metadata_classes=[RequestObjectMetadata])
    return document


def _mutual_tls(origin: str) -> dict[str, Any]:
    """RFC 8705 3.3 and 5: where clients show certificates."""
    aliases = {
        "token_endpoint": f"{origin}/token",
        "pushed_authorization_request_endpoint": f"{origin}/par",
        "revocation_endpoint": f"{origin}/revoke",
        "introspection_endpoint": f"{origin}/introspect",
        "grant_management_endpoint": f"{origin}/grants",
        "userinfo_endpoint": f"{origin}/userinfo",
    }
    return {"tls_client_certificate_bound_access_tokens": True, "mtls_endpoint_aliases": aliases}


def resource_metadata(server: GatewayAuthorizationServer, path: str = "") -> dict[str, Any]:
    """Protected resource metadata (RFC 9728 2) of the data doors, or of the resource at `path`."""
    named: dict[str, dict[str, Any]] = {
        "": {
            "scopes_supported": [COMPANY],
            "authorization_details_types_supported": list(server.details_types),
        },
        "/userinfo": {"scopes_supported": scopes()},
        "/grants": {"scopes_supported": list(MANAGING)},
    }
    return {
        "resource": server.issuer + path if path else server.minter.audience,
        "authorization_servers": [server.issuer],
        "bearer_methods_supported": ["header"],
        **named[path],
        "dpop_signing_alg_values_supported": list(ALGORITHMS),
        "dpop_bound_access_tokens_required": server.terminators is None,
        "tls_client_certificate_bound_access_tokens": server.terminators is not None,
    }
