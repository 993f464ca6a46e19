"""The sandbox identity provider through its doors: the whole sign-in, and every way it says no."""

from __future__ import annotations

import hashlib
import json
import secrets
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from datetime import date
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jws
from joserfc.jwk import ECKey, KeySet

from connectors.sandbox.identity.config import Client, IdentityConfig, signing_key
from connectors.sandbox.identity.provider import create_provider
from connectors.sandbox.people import people

ISSUER = "https://id.example"
BACK = "https://gateway.example/sign-in/return"
VERIFIER = "v" * 43
CHALLENGE = urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
TODAY = date(2026, 11, 22)
PEOPLE = {person.handle: person for person in people(7, 4, today=TODAY)}


class Story:
    """A relying party with its key, its clock, and a browser."""

    def __init__(self) -> None:
        self.time = 1_795_000_000
        self.key = ECKey.generate_key("P-256", {"kid": "c1"})
        jwks = {"keys": [self.key.as_dict(private=False)]}
        clients = {
            name: Client(client_id=name, redirect_uris=(BACK,), jwks=jwks) for name in ("gateway", "other")
        }
        self.config = IdentityConfig(
            issuer=ISSUER,
            clients=clients,
            holders=frozenset({"hanbit-bank"}),
            people=PEOPLE,
            today=TODAY,
            key=signing_key(None),
            pairwise_secret=b"p" * 32,
            now=lambda: self.time,
            token=lambda: secrets.token_urlsafe(16),
        )
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(create_provider(self.config)), base_url=ISSUER
        )

    def asking(self, **changes: str | None) -> dict[str, str]:
        """The query of an authorization request."""
        asked = {
            "client_id": "gateway",
            "redirect_uri": BACK,
            "response_type": "code",
            "scope": "openid profile links",
            "state": "st",
            "nonce": "no",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        } | changes
        return {name: value for name, value in asked.items() if value is not None}

    async def code(self, person: str = "p01", **changes: str | None) -> str:
        """Sign in as a person; the code that came back."""
        page = await self.http.get("/authorize", params=self.asking(**changes))
        name = page.text.split('name=request value="')[1].split('"')[0]
        back = await self.http.post("/authorize", data={"request": name, "person": person})
        assert back.status_code == 303
        return parse_qs(urlsplit(back.headers["location"]).query)["code"][0]

    def statement(self, **changes: Any) -> str:
        """A client assertion."""
        claims = {
            "iss": "gateway",
            "sub": "gateway",
            "aud": ISSUER,
            "iat": self.time,
            "exp": self.time + 30,
            "jti": secrets.token_hex(8),
        } | changes
        header = {"alg": "ES256", "typ": "client-authentication+jwt", "kid": "c1"}
        return jws.serialize_compact(header, json.dumps(claims), self.key, algorithms=["ES256"])

    async def exchange(self, code: str, /, **changes: str) -> httpx.Response:
        """Send a code to the token endpoint."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": BACK,
            "code_verifier": VERIFIER,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": self.statement(),
        } | changes
        return await self.http.post("/token", data=form)

    async def opened(self, value: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Header and claims of a statement signed by the provider."""
        keys = KeySet.import_key_set((await self.http.get("/jwks")).json())
        verified = jws.deserialize_compact(value, keys, algorithms=["ES256"])
        return verified.headers(), json.loads(verified.payload)


@pytest.fixture
async def story() -> AsyncIterator[Story]:
    """A fresh provider and its relying party."""
    told = Story()
    async with told.http:
        yield told


async def test_whole_sign_in(story: Story) -> None:
    """Discovery, page, code, token: an ES256 id_token with nonce, pairwise sub, acr, name and age only."""
    found = (await story.http.get("/.well-known/openid-configuration")).json()
    assert found["issuer"] == ISSUER
    assert found["code_challenge_methods_supported"] == ["S256"]
    tokens = (await story.exchange(await story.code("p04"))).json()
    header, claims = await story.opened(tokens["id_token"])
    minor = story.config.people["p04"]
    assert header["alg"] == "ES256"
    assert claims["nonce"] == "no"
    assert (claims["iss"], claims["aud"]) == (ISSUER, "gateway")
    assert (claims["name"], claims["age"], claims["birthdate"]) == (minor.name, 15, str(minor.born.year))
    assert minor.id not in json.dumps(claims)
    assert not {"phone_number", "address", "email"} & claims.keys()


async def test_page_says_sandbox_in_both_languages(story: Story) -> None:
    """The page is marked as sandbox, lists everybody, runs no script, and speaks the asked language."""
    korean = await story.http.get("/authorize", params=story.asking())
    english = await story.http.get("/authorize", params=story.asking(ui_locales="en"))
    assert "체험용" in korean.text
    assert "sandbox" in english.text
    assert all(person.handle in korean.text for person in story.config.people.values())
    assert "<script" not in korean.text
    assert "form-action 'self' https://gateway.example" in korean.headers["content-security-policy"]


async def test_pairwise_subject(story: Story) -> None:
    """The same person has one subject at one client and another at another."""
    subjects = []
    for client in ("gateway", "gateway", "other"):
        code = await story.code(client_id=client)
        signed = story.statement(iss=client, sub=client)
        tokens = (await story.exchange(code, client_assertion=signed)).json()
        subjects.append((await story.opened(tokens["id_token"]))[1]["sub"])
    assert subjects[0] == subjects[1] != subjects[2]


async def test_link_assertion(story: Story) -> None:
    """With scope links there is a fresh one-minute statement for one holder naming the gateway as azp."""
    tokens = (await story.exchange(await story.code())).json()
    bearer = {"authorization": f"Bearer {tokens['access_token']}"}
    answers = [
        (await story.http.get("/link-assertions", params={"holder": "hanbit-bank"}, headers=bearer)).json()
        for _ in range(2)
    ]
    header, claims = await story.opened(answers[0]["assertion"])
    assert header["typ"] == "mydata-link+jwt"
    assert claims["sub"] == story.config.people["p01"].id
    assert (claims["aud"], claims["azp"]) == ("hanbit-bank", "mydata-gateway")
    assert claims["exp"] - claims["iat"] == 60
    assert claims["jti"] != (await story.opened(answers[1]["assertion"]))[1]["jti"]


@pytest.mark.parametrize(
    ("scope", "holder", "token", "expected"),
    [
        ("openid", "hanbit-bank", None, (403, "insufficient_scope")),
        ("openid links", "unknown", None, (404, "invalid_request")),
        ("openid links", "hanbit-bank", "wrong", (401, "invalid_token")),
    ],
)
async def test_link_refused(
    story: Story, scope: str, holder: str, token: str | None, expected: tuple[int, str]
) -> None:
    """No statement without the scope, for a holder nobody registered, or with a wrong token."""
    tokens = (await story.exchange(await story.code(scope=scope))).json()
    bearer = {"authorization": f"Bearer {token or tokens['access_token']}"}
    answer = await story.http.get("/link-assertions", params={"holder": holder}, headers=bearer)
    assert (answer.status_code, answer.json()["error"]) == expected


@pytest.mark.parametrize(
    "changes",
    [{"client_id": "nobody"}, {"redirect_uri": "https://evil.example/"}, {"redirect_uri": BACK + "/x"}],
)
async def test_never_sent_to_an_unregistered_address(story: Story, changes: dict[str, str]) -> None:
    """An unknown client or address gets a page, never a redirect."""
    answer = await story.http.get("/authorize", params=story.asking(**changes))
    assert answer.status_code == 400
    assert "location" not in answer.headers


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"nonce": None}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
    ],
)
async def test_bad_requests_go_back_with_an_error(
    story: Story, changes: dict[str, str | None], error: str
) -> None:
    """A registered client hears what was wrong, with state and iss."""
    answer = await story.http.get("/authorize", params=story.asking(**changes))
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    assert (query["error"], query["state"], query["iss"]) == ([error], ["st"], [ISSUER])


async def test_cancel_and_second_answer(story: Story) -> None:
    """Cancelling gives access_denied, and a page already answered cannot be answered again."""
    page = await story.http.get("/authorize", params=story.asking())
    name = page.text.split('name=request value="')[1].split('"')[0]
    first = await story.http.post("/authorize", data={"request": name, "person": "cancel"})
    again = await story.http.post("/authorize", data={"request": name, "person": "p01"})
    assert "error=access_denied" in first.headers["location"]
    assert again.status_code == 400


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code": "unknown"}, "invalid_grant"),
        ({"code_verifier": "w" * 43}, "invalid_grant"),
        ({"redirect_uri": BACK + "/x"}, "invalid_grant"),
        ({"grant_type": "refresh_token"}, "unsupported_grant_type"),
        ({"client_assertion_type": "other"}, "invalid_client"),
        ({"client_assertion": "a.b.c"}, "invalid_client"),
        ({"client_id": "other"}, "invalid_client"),
    ],
)
async def test_token_refused(story: Story, changes: dict[str, str], error: str) -> None:
    """A wrong code, proof, address, grant type or client gives no token."""
    answer = await story.exchange(await story.code(), **changes)
    assert answer.status_code in (400, 401)
    assert answer.json()["error"] == error


@pytest.mark.parametrize(
    "claims",
    [{"aud": f"{ISSUER}/token"}, {"iss": "nobody"}, {"sub": "other"}, {"exp": 1}, {"exp": 2_000_000_000}],
)
async def test_client_statement_refused(story: Story, claims: dict[str, Any]) -> None:
    """A statement for another audience, by another issuer, too old or too long does not authenticate."""
    answer = await story.exchange(await story.code(), client_assertion=story.statement(**claims))
    assert answer.status_code == 401


async def test_code_and_statement_work_once(story: Story) -> None:
    """A code replayed, a client statement replayed, and a code after a minute are refused."""
    code = await story.code()
    assert (await story.exchange(code)).status_code == 200
    assert (await story.exchange(code)).json()["reason"] == "unknown_or_used_code"
    signed = story.statement()
    assert (await story.exchange(await story.code(), client_assertion=signed)).status_code == 200
    replayed = await story.exchange(await story.code(), client_assertion=signed)
    assert replayed.json()["reason"] == "replayed_assertion"
    late = await story.code()
    story.time += 61
    assert (await story.exchange(late)).json()["error"] == "invalid_grant"


async def test_code_of_another_client(story: Story) -> None:
    """A code given to one client is worth nothing to another."""
    code = await story.code()
    signed = story.statement(iss="other", sub="other")
    assert (await story.exchange(code, client_assertion=signed)).json()["error"] == "invalid_grant"
