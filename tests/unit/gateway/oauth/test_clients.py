"""Client documents: what may be registered, and that a suspension is seen at once."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.database import Database
from gateway.oauth import clients
from gateway.oauth.clients import ClientDocumentError, parse_client
from tests.oauth_keys import b64, es256, rs
from tests.oauth_stage import document

GOOD = document("deundeun-budget", es256())
ENC = GOOD["jwks"]["keys"][1]
SIG = GOOD["jwks"]["keys"][0]


def test_a_good_document() -> None:
    """Everything registered is in the client."""
    client = parse_client(GOOD)
    assert (client.id, client.kinds["finance"]) == ("deundeun-budget", "licensed_operator")
    assert client.encryption_key["crv"] == "X25519"
    assert client.check_redirect_uri(GOOD["redirect_uris"][0])
    assert client.check_grant_type("refresh_token")
    assert not client.check_client_secret("")


@pytest.mark.parametrize(
    ("bend", "what"),
    [
        ({"client_id": "X"}, "client_id"),
        ({"client_id": "a" * 65}, "client_id"),
        ({"name": {"ko": "이름"}}, "name"),
        ({"contact": ""}, "contact"),
        ({"redirect_uris": []}, "redirect_uris"),
        ({"redirect_uris": ["http://deundeun.example/cb"]}, "redirect_uris"),
        ({"redirect_uris": ["https://deundeun.example/cb#f"]}, "redirect_uris"),
        ({"redirect_uris": ["https://u@deundeun.example/cb"]}, "redirect_uris"),
        ({"redirect_uris": ["app://cb"]}, "redirect_uris"),
        ({"redirect_uris": ["https://[bad/cb"]}, "redirect_uris"),
        ({"kinds": {"finance": "king"}}, "kinds"),
        ({"grant_types": ["password"]}, "grant_types"),
        ({"jwks": {}}, "jwks"),
        ({"jwks": {"keys": [SIG]}}, "X25519"),
        ({"jwks": {"keys": [SIG, {**ENC, "d": "AA"}]}}, "X25519"),
        ({"jwks": {"keys": [SIG, {**ENC, "x": b64(b"short")}]}}, "32 bytes"),
        ({"jwks": {"keys": [ENC]}}, "signing keys"),
        ({"jwks": {"keys": [SIG, SIG, ENC]}}, "kid"),
        ({"jwks": {"keys": [{**SIG, "d": "AA"}, ENC]}}, "private"),
        ({"jwks": {"keys": [{**SIG, "alg": "RS256"}, ENC]}}, "alg"),
        ({"jwks": {"keys": [{**rs(bits=1024).jwk}, ENC]}}, "2048"),
        ({"client_secret": "x"}, "client_secret"),
        ({"require_signed_request_object": "yes"}, "require_signed_request_object"),
        ({"require_signed_request_object": None}, "require_signed_request_object"),
    ],
)
def test_what_is_refused(bend: dict[str, Any], what: str) -> None:
    """Each fault is named."""
    with pytest.raises(ClientDocumentError, match=what) as refused:
        parse_client({**GOOD, **bend})
    assert refused.value.code == "client_document_invalid"


@pytest.mark.parametrize("must", [True, False])
def test_a_client_may_bind_itself_to_signed_requests(must: bool) -> None:
    """RFC 9101 10.5; nobody must by default."""
    assert parse_client({**GOOD, "require_signed_request_object": must}).require_signed_request_object is must
    assert parse_client(GOOD).require_signed_request_object is False


def test_a_missing_member_is_named() -> None:
    """The first missing member."""
    with pytest.raises(ClientDocumentError, match="contact is missing"):
        parse_client({name: value for name, value in GOOD.items() if name != "contact"})


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_http_on_the_loopback_of_native_clients(host: str) -> None:
    """FAPI 2.0 5.3.2.2-8."""
    assert parse_client({**GOOD, "redirect_uris": [f"http://{host}:9/callback"]})


async def test_repository(database: Database) -> None:
    """Added once, found, listed, suspended; the same id again changes nothing."""
    async with database.transaction() as session:
        await clients.add(session, GOOD, at=1)
    with pytest.raises(ClientDocumentError) as refused:
        async with database.transaction() as session:
            await clients.add(session, {**GOOD, "contact": "other"}, at=2)
    assert refused.value.code == "client_exists"
    async with database.transaction() as session:
        assert await clients.suspend(session, "deundeun-budget", at=3)
        assert not await clients.suspend(session, "nobody", at=3)
    async with database.reading() as session:
        found = await clients.find(session, "deundeun-budget")
        assert found is not None
        assert (found.active, found.contact) == (False, GOOD["contact"])
        assert [client.id for client in await clients.every(session)] == ["deundeun-budget"]
        assert await clients.find(session, "nobody") is None
