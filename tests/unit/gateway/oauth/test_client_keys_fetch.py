"""Key sets are fetched from the registered address only, over https, within bounds."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from gateway.database import in_transaction
from gateway.oauth.client_document import ClientDocumentError, is_jwks_uri
from gateway.oauth.client_keys import MAX_KEYS, usable
from gateway.oauth.client_keys_fetch import (
    CEILING_SECONDS,
    FLOOR_SECONDS,
    MAX_BYTES,
    USUAL_SECONDS,
    ClientKeysUnreadable,
    Fetcher,
    lifetime,
)
from tests.authority import Authority, make_authority
from tests.key_publisher import Publisher, publishing
from tests.oauth_keys import b64, ed25519, es256

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)


def key_set(*extra: dict[str, Any]) -> dict[str, Any]:
    """A key set a client may publish, with more keys."""
    enc = b64(X25519PrivateKey.generate().public_key().public_bytes_raw())
    encrypting = {"kty": "OKP", "crv": "X25519", "use": "enc", "kid": "e", "x": enc}
    return {"keys": [{**es256().jwk, "kid": "s", "use": "sig", "alg": "ES256"}, encrypting, *extra]}


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Who vouches for the publisher."""
    return make_authority(tmp_path)


@pytest.fixture
async def publisher(authority: Authority) -> AsyncIterator[Publisher]:
    """A company that publishes a good set."""
    async with publishing(authority, key_set()) as made:
        yield made


@pytest.fixture
def fetcher(authority: Authority) -> Fetcher:
    """A fetcher that trusts the run's authority and may go to this machine."""
    return Fetcher(authority.client_context(), LOOPBACK, in_transaction, seconds=1.0)


async def test_a_good_set_is_fetched(fetcher: Fetcher, publisher: Publisher) -> None:
    """The keys and how long they may be used come back."""
    publisher.headers = {"cache-control": "public, max-age=7200"}
    got = await fetcher.fetch(publisher.uri)
    assert [key["kid"] for key in got.jwks["keys"]] == ["s", "e"]
    assert got.seconds == 7200


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"redirect": True}, "status 302"),
        ({"status": 500}, "status 500"),
        ({"status": 204}, "status 204"),
        ({"media_type": "text/html"}, "is not application/json"),
        ({"headers": {"content-encoding": "gzip"}}, "is not application/json"),
        ({"document": b" " * (MAX_BYTES + 1)}, "over"),
        ({"document": b"{"}, "not JSON"),
        ({"document": b"[" * 60_000}, "not JSON"),
        ({"drips": True}, "in time"),
    ],
)
async def test_a_bad_answer_gives_nothing(
    fetcher: Fetcher, publisher: Publisher, wrong: dict[str, Any], said: str
) -> None:
    """Redirects, errors, other types, size and slowness are refused."""
    for name, value in wrong.items():
        setattr(publisher, name, value)
    with pytest.raises(ClientKeysUnreadable, match=said):
        await fetcher.fetch(publisher.uri)


async def test_only_whom_the_authorities_vouch_for(publisher: Publisher) -> None:
    """A server with a certificate of nobody we trust is not believed."""
    stranger = Fetcher(ssl.create_default_context(), LOOPBACK, in_transaction)
    with pytest.raises(ClientKeysUnreadable, match="connection failed"):
        await stranger.fetch(publisher.uri)


async def test_names_that_lead_inside_are_not_followed(authority: Authority, publisher: Publisher) -> None:
    """Loopback and private addresses are refused unless the operator listed them."""
    public_only = Fetcher(authority.client_context(), (), in_transaction)
    port = publisher.origin.rpartition(":")[2]
    for host in ("localhost", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254", "10.0.0.1"):
        with pytest.raises(ClientKeysUnreadable):
            await public_only.fetch(f"https://{host}:{port}/jwks.json")
    assert publisher.asked == 0


async def test_never_inside_a_transaction(fetcher: Fetcher, publisher: Publisher, database) -> None:
    """A fetch inside a transaction is a fault of ours and says so."""
    async with database.transaction():
        with pytest.raises(RuntimeError):
            await fetcher.fetch(publisher.uri)
    assert publisher.asked == 0


@pytest.mark.parametrize(
    ("address", "permitted"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.1", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:10.0.0.1", False),
        ("2002:0a00:0001::1", False),
        ("64:ff9b::a00:1", False),
        ("64:ff9b::808:808", True),
        ("64:ff9b:1::a00:1", False),
        ("::7f00:1", False),
        ("fec0::1", False),
        ("198.51.100.7", True),
    ],
)
def test_which_addresses_are_public(address: str, permitted: bool) -> None:
    """Private, local, shared and mapped addresses are inside; a listed network is allowed."""
    listed = (ipaddress.ip_network("198.51.100.0/24"),)
    assert Fetcher(ssl.create_default_context(), listed).permits(address) is permitted


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("", USUAL_SECONDS),
        ("no-store", USUAL_SECONDS),
        ("max-age=0", FLOOR_SECONDS),
        ("public, max-age=600", 600),
        ("max-age=999999999", CEILING_SECONDS),
        ("s-maxage=99999, max-age=900, private", 900),
        ("max-age=-5", USUAL_SECONDS),
        ("max-age=12345678901", USUAL_SECONDS),
    ],
)
def test_how_long_a_set_is_used(header: str, seconds: int) -> None:
    """What the publisher says counts between floor and ceiling."""
    assert lifetime(header) == seconds


@pytest.mark.parametrize(
    "uri",
    [
        "http://a.example/k",
        "https://",
        "https://u:p@a.example/k",
        "https://a.example/k#x",
        "https://a.example:99999/",
        "https://a.example/\n",
        "https://a.example\\@b.example/",
        "file:///etc/passwd",
        "https://예.example/",
        "https://a.example/" + "k" * 2000,
        7,
    ],
)
def test_addresses_that_cannot_be_registered(uri: object) -> None:
    """Only a plain https address."""
    assert not is_jwks_uri(uri)


def test_unknown_keys_are_left_out_and_a_kid_twice_is_kept() -> None:
    """RFC 7517 5: what we cannot use is ignored; FAPI 2.0 5.4.2: one kid twice is coped with."""
    other = {**ed25519().jwk, "kid": "s", "use": "sig"}
    curve = {"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA", "kid": "c"}
    found = usable(key_set(other, curve, {"kty": "AKP", "kid": "new"}, {**es256().jwk, "alg": "RS256"}))
    assert [key["kid"] for key in found["keys"]] == ["s", "s", "e"]


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"keys": []},
        {"keys": ["a"]},
        {"keys": [es256().jwk] * (MAX_KEYS + 1)},
        {"keys": [es256().jwk]},
        key_set({"kty": "oct", "k": "AAAA"}),
        key_set({**es256().jwk, "d": "AAAA"}),
        key_set({"kty": "unknown", "d": "AAAA"}),
    ],
)
def test_sets_that_are_refused_whole(document: object) -> None:
    """No set, too many keys, none we can use, or a secret among them."""
    with pytest.raises(ClientDocumentError) as refused:
        usable(document)
    assert refused.value.code == "client_keys_invalid"
