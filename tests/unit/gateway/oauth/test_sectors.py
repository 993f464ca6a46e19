"""A sector confirms its clients itself, over https, within the bounds of every fetch."""

from __future__ import annotations

import ipaddress
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.database import in_transaction
from gateway.oauth.client_document import ClientDocumentError
from gateway.oauth.client_keys_fetch import Fetcher
from gateway.oauth.clients import parse_client
from gateway.oauth.sectors import check_sector
from tests.authority import Authority, make_authority
from tests.key_publisher import Publisher, publishing
from tests.oauth_keys import es256
from tests.oauth_stage import document

MINE = ["https://one.example/cb", "https://two.example/cb"]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Who vouches for the sector's server."""
    return make_authority(tmp_path)


@pytest.fixture
async def sector(authority: Authority) -> AsyncIterator[Publisher]:
    """A sector that lists both addresses and one of somebody else."""
    async with publishing(authority, [*MINE, "https://other.example/cb"]) as made:
        made.media_type = "application/json"
        yield made


@pytest.fixture
def fetcher(authority: Authority) -> Fetcher:
    """A fetcher that trusts the run's authority and may go to this machine."""
    return Fetcher(authority.client_context(), (ipaddress.ip_network("127.0.0.0/8"),), in_transaction)


def values(sector: Publisher, **members: Any) -> dict[str, Any]:
    """A document that names the sector."""
    return {"redirect_uris": MINE, "sector_identifier_uri": sector.uri, **members}


async def test_a_listed_client_belongs_to_its_sector(fetcher: Fetcher, sector: Publisher) -> None:
    """Every redirect URI is listed; a client that names no sector asks nobody."""
    await check_sector(fetcher, values(sector))
    assert sector.asked == 1
    await check_sector(fetcher, {"redirect_uris": MINE})
    assert sector.asked == 1


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (MINE[:1], "does not list https://two.example/cb"),
        ([], "does not list"),
        ({"keys": []}, "a JSON array"),
        ([1], "a JSON array"),
        (b"{", "cannot be read"),
    ],
)
async def test_a_client_the_sector_does_not_list_is_refused(
    fetcher: Fetcher, sector: Publisher, told: Any, said: str
) -> None:
    """One address missing is enough."""
    sector.document = told
    with pytest.raises(ClientDocumentError, match=said):
        await check_sector(fetcher, values(sector))


async def test_a_sector_elsewhere_is_not_followed(fetcher: Fetcher, sector: Publisher) -> None:
    """A redirect and an address inside the operator's network are no sectors."""
    sector.redirect = True
    with pytest.raises(ClientDocumentError, match="status 302"):
        await check_sector(fetcher, values(sector))
    with pytest.raises(ClientDocumentError, match="not a public one"):
        await check_sector(fetcher, values(sector, sector_identifier_uri="https://10.0.0.1/s"))


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"subject_type": "public"}, "subject_type"),
        ({"redirect_uris": MINE}, "sector_identifier_uri"),
        ({"sector_identifier_uri": "http://127.0.0.1/s"}, "sector_identifier_uri"),
        ({"sector_identifier_uri": 7}, "sector_identifier_uri"),
        ({"userinfo_signed_response_alg": "RS256"}, "userinfo_signed_response_alg"),
        ({"userinfo_signed_response_alg": "none"}, "userinfo_signed_response_alg"),
        ({"id_token_signed_response_alg": "RS256"}, "id_token_signed_response_alg"),
        ({"post_logout_redirect_uris": "https://one.example/"}, "post_logout_redirect_uris"),
        ({"post_logout_redirect_uris": ["http://one.example/"]}, "post_logout_redirect_uris"),
        ({"post_logout_redirect_uris": ["https://one.example/#x"]}, "post_logout_redirect_uris"),
    ],
)
def test_what_a_client_may_register_of_openid(members: dict[str, Any], said: str) -> None:
    """Each member has one meaning; another is refused by name."""
    with pytest.raises(ClientDocumentError, match=said):
        parse_client({**document("some-client", es256()), **members})
