"""What the server says about OpenID Connect (Discovery 3, RP-Initiated Logout 2.1).

Authlib's OpenID validator is not asked: it demands RS256, which FAPI 2.0 5.4.1 forbids.
"""

from __future__ import annotations

from typing import Any

from gateway.oauth import claims
from gateway.oauth.openid_request import PROMPTS
from gateway.oauth.openid_request import SCOPES as OPENID_SCOPES
from gateway.oauth.server import GatewayAuthorizationServer
from gateway.oauth.userinfo import PATH

END_SESSION_PATH = "/logout"


def openid_metadata(server: GatewayAuthorizationServer) -> dict[str, Any]:
    """The members that OpenID Connect adds to both documents."""
    signed = list(server.minter.signing.ring.algorithms)
    told: dict[str, Any] = {
        "userinfo_endpoint": server.issuer + PATH,
        "end_session_endpoint": server.issuer + END_SESSION_PATH,
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": signed,
        "userinfo_signing_alg_values_supported": signed,
        "claim_types_supported": ["normal"],
        "claims_supported": list(claims.SUPPORTED),
        "claims_parameter_supported": True,
        "prompt_values_supported": list(PROMPTS),
        "display_values_supported": ["page"],
    }
    if server.acr_values:
        told["acr_values_supported"] = list(server.acr_values)
    return told


def scopes() -> list[str]:
    """The scopes of a recognition."""
    return list(OPENID_SCOPES)
