"""No input breaks a door: whatever comes, it answers at once, and never with a 500.

In process, so that an exception nobody named fails the test with its place instead of becoming a response.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gateway.database import Database
from gateway.oauth.dpop import token_hash
from tests.oauth_stage import Stage, asked_details, redirected

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""One store is enough here: the readers do not know it."""

FORM = "application/x-www-form-urlencoded"
DOORS = st.sampled_from(["/par", "/token", "/revoke", "/introspect"])
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
HEADER_BYTES = st.binary(max_size=80).map(lambda data: data.translate(None, b"\r\n\x00"))
tried = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
async def inside(database: Database) -> AsyncIterator[Stage]:
    """An authorization server spoken to in process; exceptions of the app come out."""
    made = Stage(database, "https://gateway.example")
    await made.register()
    yield made
    await made.http.aclose()


async def held(sent: Awaitable[httpx.Response]) -> httpx.Response:
    """The response, within five seconds and not a 500."""
    async with asyncio.timeout(5):
        response = await sent
    assert response.status_code < 500, response.text
    return response


def some(*names: str, values: st.SearchStrategy[Any] = JSON) -> st.SearchStrategy[dict[str, Any]]:
    """Some of these members with any values."""
    return st.dictionaries(st.sampled_from(names), values, min_size=1, max_size=3)


@tried
@given(
    path=DOORS,
    body=st.binary(max_size=200),
    media=st.sampled_from([FORM, FORM + ";charset=utf-8", "a/b", ""]),
)
@example(path="/par", body=b"&" * 100, media=FORM)
@example(path="/par", body=b"client_assertion=" + b"." * 90_000, media=FORM)
async def test_any_body(inside: Stage, path: str, body: bytes, media: str) -> None:
    """Any bytes under any media type, at every door."""
    await held(inside.http.post(path, content=body, headers={"content-type": media}))


@tried
@given(path=DOORS, fields=st.dictionaries(TEXT, TEXT, max_size=6))
async def test_any_fields(inside: Stage, path: str, fields: dict[str, str]) -> None:
    """Any fields beside a good assertion."""
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    form = {"client_assertion_type": kind, "client_assertion": inside.assertion(), **fields}
    await held(inside.http.post(path, data=form))


FIELDS = (
    "grant_type", "code", "redirect_uri", "code_verifier", "refresh_token", "scope", "client_id", "token",
    "response_type", "code_challenge", "code_challenge_method", "authorization_details", "dpop_jkt", "state",
    "nonce", "request", "request_uri", "response_mode", "ui_locales", "client_assertion_type",
    "client_secret", "prompt", "max_age", "acr_values", "login_hint", "id_token_hint", "claims", "display",
)  # fmt: skip


@tried
@given(path=DOORS, fields=some(*FIELDS, values=TEXT))
async def test_any_values_of_known_fields(inside: Stage, path: str, fields: dict[str, str]) -> None:
    """Any value where a door looks for one."""
    await held(inside.push(**fields) if path == "/par" else inside.post(path, **fields))
    for grant_type in ("authorization_code", "refresh_token", "client_credentials"):
        await held(inside.post("/token", **{**fields, "grant_type": grant_type}))


CLAIMS = ("iss", "sub", "aud", "exp", "nbf", "iat", "jti", "htm", "htu", "ath", "nonce", "cnf")
HEADER = ("alg", "typ", "kid", "jwk", "crit", "b64", "x5c", "zip")


@tried
@given(path=DOORS, claims=some(*CLAIMS), header=some(*HEADER) | st.just({"kid": "k0"}))
@example(path="/token", claims={"exp": 10**400}, header={"kid": "k0"})
@example(path="/token", claims={"jti": "\ud800"}, header={"kid": "k0"})
@example(path="/token", claims={"sub": "\x00"}, header={"kid": "k0"})
async def test_any_assertion(
    inside: Stage, path: str, claims: dict[str, Any], header: dict[str, Any]
) -> None:
    """Any claims and header, signed by the client's own key."""
    await held(inside.post(path, client_assertion=inside.assertion(None, header, **claims)))


@tried
@given(claims=some(*CLAIMS), header=some(*HEADER) | st.just({}))
@example(claims={"jti": "\x00"}, header={})
@example(claims={"iat": 1e300}, header={})
@example(claims={"htu": "https://[::1"}, header={})
@example(claims={"htu": "https://gateway.example:99999/token"}, header={})
@example(claims={}, header={"jwk": {"kty": "RSA", "n": "AQAB", "e": ""}})
@example(claims={}, header={"jwk": {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43}})
async def test_any_proof(inside: Stage, claims: dict[str, Any], header: dict[str, Any]) -> None:
    """Any claims and header of a proof, at PAR, at the token endpoint and at the resource."""
    for path in ("/par", "/token"):
        await held(inside.post(path, inside.proof("POST", path, None, header, **claims)))
    proof = inside.proof("GET", "/data", None, header, **{"ath": token_hash("x"), **claims})
    response = await held(inside.http.get("/data", headers={"Authorization": "DPoP x", "DPoP": proof}))
    assert response.status_code == 401


@tried
@given(authorization=HEADER_BYTES, proof=HEADER_BYTES)
@example(authorization=b"DPoP", proof=b"")
@example(authorization=b"DPoP \xff\xfe", proof=b"a.b.c")
async def test_any_header(inside: Stage, authorization: bytes, proof: bytes) -> None:
    """Any bytes in the Authorization and DPoP headers are a 401 with a challenge."""
    headers = [(b"Authorization", authorization), (b"DPoP", proof)]
    response = await held(inside.http.get("/data", headers=headers))
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("DPoP ")
    await held(inside.http.post("/token", headers=[(b"DPoP", proof)], data={"grant_type": "x"}))


@tried
@given(value=JSON, place=st.integers(0, 20), raw=st.text(max_size=40))
@example(value=[[[]]], place=0, raw="[" * 20_000)
@example(value="\x00", place=1, raw='[{"type":"mydata_transfer","type":1}]')
async def test_any_details(inside: Stage, value: Any, place: int, raw: str) -> None:
    """Any JSON anywhere in the authorization_details, and any text instead of them."""
    details: Any = asked_details(inside.today)
    targets = [(details, 0), *((details[0], name) for name in details[0])]
    targets += [(details[0]["items"][0], name) for name in details[0]["items"][0]]
    holder, name = targets[place % len(targets)]
    holder[name] = value
    for text in (json.dumps(details), raw.encode("utf-8", "replace").decode()):
        response = await held(inside.push(authorization_details=text))
        assert response.status_code in (201, 400)


@tried
@given(reference=TEXT, query=st.text(st.characters(max_codepoint=255), max_size=40), interaction=TEXT)
@example(reference="\x00", query="request_uri=%00", interaction="..")
@example(reference="", query="", interaction="0/")
async def test_any_reference(inside: Stage, reference: str, query: str, interaction: str) -> None:
    """Any request_uri, any query and any interaction: an error page without redirect."""
    uri = f"urn:ietf:params:oauth:request_uri:{reference}"
    for path in (
        f"/authorize?client_id={inside.client_id}&request_uri={quote(uri)}",
        f"/authorize?{quote(query, safe='%&=+?/#')}",
        f"/authorize/resume/{quote(interaction, safe='')}",
    ):
        response = await held(inside.http.get(path))
        assert "location" not in response.headers


@settings(tried, max_examples=25)
@given(state=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1))
@example(state="&code=forged&iss=https://evil.example#x\r\nLocation: https://evil.example")
async def test_any_state_comes_back(inside: Stage, state: str) -> None:
    """A state that is accepted returns unchanged and alone; nothing in it becomes another parameter."""
    interaction = await inside.interaction(state=state)
    await inside.settle(interaction)
    told = redirected(await held(inside.resume(interaction)))
    assert told["state"] == state
    assert set(told) == {"code", "state", "iss"}
    assert told["iss"] == inside.issuer
