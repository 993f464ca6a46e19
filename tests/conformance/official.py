"""What the official FAPI 2.0 modules look at in every answer, and how a test takes a module's name."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import httpx
import pytest

from gateway.oauth.id_token import at_hash
from gateway.oauth.jws import import_jwk, parse, verify
from tests.conformance.tables import variants_of
from tests.conformance.variants import LOOKS_AT_TLS
from tests.conformance.varied import NONCE, VariedStage
from tests.oauth_company import REDIRECT
from tests.oauth_keys import Key
from tests.oauth_stage import Stage

DUMMY = f"{REDIRECT}?dummy1=lorem&dummy2=ipsum"
"""The second client's address: a redirect URI may carry a query (RFC 6749 3.1.2), which must come back."""

_TEXT = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]+")


def official(name: str) -> pytest.MarkDecorator:
    """Give a test the name of one official module, once for each variant the module runs in."""
    return pytest.mark.parametrize(("module", "variant"), list(_runs(name)))


def official_each(what: str, cases: Mapping[str, Any]) -> pytest.MarkDecorator:
    """The same for several modules that differ in one value: `cases` of the argument `what`, by module."""
    made = [
        pytest.param(*run.values, cases[name], marks=run.marks, id=run.id)
        for name in cases
        for run in _runs(name)
    ]
    return pytest.mark.parametrize(("module", "variant", what), made)


def _runs(name: str) -> Iterator[Any]:
    for variant in variants_of(name):
        through_nginx = variant.shows_certificate and name in LOOKS_AT_TLS
        marks = [pytest.mark.nginx] if through_nginx else []
        yield pytest.param(name, variant, marks=marks, id=f"{name}-{variant.id}")


def refusal(response: httpx.Response, errors: Collection[str], *statuses: int) -> dict[str, Any]:
    """An OAuth error as every negative module wants it: JSON, one of `errors`, plain text, RFC 6749 5.2."""
    assert response.status_code in (statuses or (400,)), response.text
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    body: dict[str, Any] = response.json()
    assert body["error"] in errors, body
    assert response.status_code != 401 or body["error"] == "invalid_client", body
    assert _TEXT.fullmatch(body["error_description"]), body["error_description"]
    assert "error_uri" not in body or body["error_uri"].startswith("https://")
    return body


def error_page(response: httpx.Response) -> None:
    """The browser stays: an error is shown and nothing is sent to any client."""
    assert 400 <= response.status_code < 500, response.text
    assert "location" not in response.headers
    assert "invalid_request" in response.text or response.json()["code"]


async def granted(stage: VariedStage, **form: Any) -> dict[str, Any]:
    """The whole way with this pushed request; the token response, checked."""
    answered = await stage.token(await stage.code(**form))
    assert answered.status_code == 200, answered.text
    body: dict[str, Any] = answered.json()
    assert body["token_type"].lower() == stage.variant.token_type
    assert body["expires_in"] > 0
    assert (await stage.call(body["access_token"])).status_code == 200
    if stage.variant.recognises:
        await identified(stage, body, nonce=form.get("nonce", NONCE))
    else:
        assert "id_token" not in body
    return body


async def identified(stage: VariedStage, body: dict[str, Any], nonce: str | None) -> dict[str, Any]:
    """The claims of the id_token of a token response, checked (Core 3.1.3.7, FAPI 2.0 5.4)."""
    jws = parse(body["id_token"])
    published = (await stage.http.get("/.well-known/jwks.json")).json()["keys"]
    (jwk,) = [key for key in published if key["kid"] == jws.header["kid"]]
    assert jws.header["alg"] == jwk["alg"] != "RS256"
    assert verify(jws, import_jwk(jwk)[0])
    claims = dict(jws.claims)
    assert (claims["iss"], claims["aud"], claims.get("nonce")) == (stage.issuer, stage.client_id, nonce)
    assert claims["iat"] <= stage.now < claims["exp"]
    assert 0 < len(claims["sub"]) <= 255
    assert claims["at_hash"] == at_hash(body["access_token"], jwk["alg"])
    return claims


async def second_client(stage: Stage) -> tuple[str, Key, Key]:
    """Go on as a second client with keys of its own and a redirect URI with a query; who it was before."""
    return await stage.become("second-company", redirect_uris=[DUMMY])


async def answer(stage: Stage, *, allowed: bool = True, **form: Any) -> dict[str, str]:
    """Push, visit and let the citizen answer; the parameters that come back to the client."""
    interaction = await stage.interaction(**form)
    await stage.settle(interaction, allowed=allowed)
    return stage.told(await stage.resume(interaction))
