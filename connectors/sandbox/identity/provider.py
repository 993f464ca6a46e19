"""The sandbox OpenID provider as a Starlette application."""

from __future__ import annotations

from typing import Any, cast

from joserfc.jwk import KeySet
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.sandbox.assertions import Verifier
from connectors.sandbox.identity.config import IdentityConfig
from connectors.sandbox.identity.memory import Access, AuthorizationRequest, Shelf, SignedIn
from connectors.sandbox.identity.sign_in import PROMPTS, SCOPES, SignIn
from connectors.sandbox.identity.tokens import ACCESS_SECONDS, ACR, Tokens
from connectors.sandbox.refused import Refused, oauth_answer

REQUEST_SECONDS = 600
CODE_SECONDS = 60


def public_keys(config: IdentityConfig) -> dict[str, object]:
    """The provider's JWK set, public parts only."""
    return {"keys": [config.key.as_dict(private=False)]}


def metadata(config: IdentityConfig) -> dict[str, object]:
    """The discovery document (OpenID Connect Discovery 1.0, 3)."""
    return {
        "issuer": config.issuer,
        "authorization_endpoint": f"{config.issuer}/authorize",
        "token_endpoint": f"{config.issuer}/token",
        "jwks_uri": f"{config.issuer}/jwks",
        "link_assertion_endpoint": f"{config.issuer}/link-assertions",
        "scopes_supported": sorted(SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["ES256"],
        "code_challenge_methods_supported": ["S256"],
        "acr_values_supported": [ACR],
        "prompt_values_supported": sorted(PROMPTS),
        "claims_supported": ["sub", "name", "age", "birthdate", "acr", "auth_time", "nonce"],
        "ui_locales_supported": ["ko", "en"],
        "authorization_response_iss_parameter_supported": True,
    }


def create_provider(config: IdentityConfig) -> Starlette:
    """The whole provider. State is in memory and ends with the process."""
    requests: Shelf[AuthorizationRequest] = Shelf(REQUEST_SECONDS, config.now, config.token)
    codes: Shelf[SignedIn] = Shelf(CODE_SECONDS, config.now, config.token)
    access: Shelf[Access] = Shelf(ACCESS_SECONDS, config.now, config.token)
    keys = {name: KeySet.import_key_set(cast(Any, client.jwks)) for name, client in config.clients.items()}
    sign_in = SignIn(config, requests, codes)
    tokens = Tokens(config, codes, access, Verifier(keys, config.now))

    async def discovery(_request: Request) -> Response:
        return JSONResponse(metadata(config))

    async def jwks(_request: Request) -> Response:
        return JSONResponse(public_keys(config), headers={"cache-control": "public, max-age=300"})

    async def healthy(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    return Starlette(
        routes=[
            Route("/.well-known/openid-configuration", discovery),
            Route("/jwks", jwks),
            Route("/authorize", sign_in.show, methods=["GET"]),
            Route("/authorize", sign_in.choose, methods=["POST"]),
            Route("/token", tokens.exchange, methods=["POST"]),
            Route("/link-assertions", tokens.link, methods=["GET"]),
            Route("/healthz", healthy),
        ],
        exception_handlers={Refused: oauth_answer},
    )
