"""Clients that publish their keys: new ones count at once, old ones end, outages are borne a while."""

from __future__ import annotations

import ipaddress
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from consent.events import Event
from consent.ledger.entry import decode
from consent.ledger_tables import OUTBOX
from gateway.database import Database, in_transaction
from gateway.oauth import clients
from gateway.oauth.client_keys_fetch import Fetcher
from gateway.oauth.client_keys_refresh import (
    AGAIN_SECONDS,
    STALE_SECONDS,
    ClientKeysRefresh,
    follow,
)
from tests.authority import make_authority
from tests.key_publisher import Publisher, publishing
from tests.oauth_keys import Key, es256
from tests.oauth_stage import Stage, document

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)


def published(*named: tuple[str, Key]) -> dict[str, Any]:
    """A key set with these signing keys and one to encrypt to."""
    made = document("any", es256())["jwks"]["keys"]
    signing = [{**key.jwk, "use": "sig", "kid": kid, "alg": key.alg} for kid, key in named]
    return {"keys": [*signing, made[-1]]}


@dataclass
class Company:
    """A stage whose client publishes its keys, and what refreshes them."""

    stage: Stage
    publisher: Publisher
    refresh: ClientKeysRefresh

    async def calls(self, key: Key, kid: str) -> int:
        """The status of a token request signed by `key` under `kid`."""
        assertion = self.stage.assertion(key, {"kid": kid})
        answer = await self.stage.post("/token", grant_type="client_credentials", client_assertion=assertion)
        return answer.status_code

    async def kinds(self) -> list[str]:
        """The kinds of the entries that are promised."""
        async with self.stage.database.reading() as session:
            entries = (await session.execute(select(OUTBOX.c.entry).order_by(OUTBOX.c.id))).scalars()
            return [decode(entry).kind for entry in entries]


@pytest.fixture
async def company(database: Database, tmp_path: Path) -> AsyncIterator[Company]:
    """A client registered by `jwks_uri` with one key, `k0`."""
    authority = make_authority(tmp_path)
    stage = Stage(database, "https://gateway.test")
    fetcher = Fetcher(authority.client_context(), LOOPBACK, in_transaction, seconds=1.0)
    refresh = ClientKeysRefresh(database, stage.journal, fetcher, stage.clock)
    stage.server.unknown_kid = refresh.unknown_kid
    async with publishing(authority, published(("k0", stage.key))) as publisher:
        fetched = await fetcher.fetch(publisher.uri)
        made = {**document(stage.client_id, stage.key), "jwks_uri": publisher.uri, "jwks": fetched.jwks}
        async with database.transaction() as session:
            await clients.add(session, made, at=stage.now)
            await follow(session, made, fetched, at=stage.now)
        publisher.asked = 0
        yield Company(stage, publisher, refresh)
    await stage.http.aclose()


async def test_known_keys_are_never_fetched_at_a_door(company: Company) -> None:
    """A request under a kid we know asks nobody."""
    assert await company.calls(company.stage.key, "k0") == 200
    assert company.publisher.asked == 0


async def test_a_new_key_counts_at_its_first_use(company: Company) -> None:
    """A kid we do not know is looked up once, the new key is kept, and the ledger says so."""
    fresh = es256()
    company.publisher.document = published(("k0", company.stage.key), ("k1", fresh))
    company.stage.clock.forward(AGAIN_SECONDS)
    assert await company.calls(fresh, "k1") == 200
    assert await company.calls(company.stage.key, "k0") == 200
    assert company.publisher.asked == 1
    assert Event.CLIENT_KEYS_CHANGED.value in await company.kinds()


async def test_unknown_kids_ask_at_most_once_a_minute(company: Company) -> None:
    """Whoever invents kids cannot make us knock at the company's door more often."""
    company.stage.clock.forward(AGAIN_SECONDS)
    for number in range(20):
        assert await company.calls(es256(), f"invented-{number}") == 401
    assert company.publisher.asked == 1
    company.stage.clock.forward(AGAIN_SECONDS)
    assert await company.calls(es256(), "another") == 401
    assert company.publisher.asked == 2


async def test_two_processes_ask_once(company: Company) -> None:
    """The row says who looks; another process finds what the first one fetched."""
    other = ClientKeysRefresh(
        company.stage.database, company.stage.journal, company.refresh.fetcher, company.stage.clock
    )
    company.stage.clock.forward(AGAIN_SECONDS)
    assert await company.refresh.refresh(company.stage.client_id)
    assert not await other.refresh(company.stage.client_id)
    assert company.publisher.asked == 1


async def test_a_key_taken_out_ends_with_the_next_look(company: Company) -> None:
    """What is published no more signs no more once the set was due."""
    company.publisher.document = published(("k1", es256()))
    await company.refresh.once()
    assert await company.calls(company.stage.key, "k0") == 200
    company.stage.clock.forward(3600)
    await company.refresh.once()
    assert await company.calls(company.stage.key, "k0") == 401


async def test_an_outage_is_borne_for_a_day_and_no_longer(company: Company) -> None:
    """Old keys go on while the set cannot be read; then nobody vouches for them, until it can."""
    company.publisher.status = 503
    company.stage.clock.forward(STALE_SECONDS - 1)
    await company.refresh.once()
    assert company.publisher.asked == 1
    assert await company.calls(company.stage.key, "k0") == 200
    company.stage.clock.forward(AGAIN_SECONDS)
    await company.refresh.once()
    assert await company.calls(company.stage.key, "k0") == 401
    company.publisher.status = 200
    company.stage.clock.forward(AGAIN_SECONDS)
    await company.refresh.once()
    assert await company.calls(company.stage.key, "k0") == 200


async def test_a_set_with_a_secret_in_it_changes_nothing(company: Company) -> None:
    """A published private key is not taken; the keys we have stay for their time."""
    company.publisher.document = published(("k1", es256()))
    company.publisher.document["keys"].append({"kty": "oct", "k": "AAAA", "kid": "x"})
    company.stage.clock.forward(3600)
    await company.refresh.once()
    assert await company.calls(company.stage.key, "k0") == 200


async def test_one_kid_for_two_keys_is_coped_with(company: Company) -> None:
    """Either key signs under the name both have."""
    other = es256()
    company.publisher.document = published(("k0", other), ("k0", company.stage.key))
    company.stage.clock.forward(3600)
    await company.refresh.once()
    assert await company.calls(other, "k0") == 200
    assert await company.calls(company.stage.key, "k0") == 200


async def test_a_client_registered_otherwise_meanwhile_is_left_alone(company: Company) -> None:
    """A set fetched from the old address never replaces keys registered since."""
    inline = document(company.stage.client_id, company.stage.key)
    fetch = company.refresh.fetcher.fetch

    class Late(Fetcher):
        async def fetch(self, uri: str):
            fetched = await fetch(uri)
            async with company.stage.database.transaction() as session:
                await clients.store(session, inline, at=company.stage.now)
            return fetched

    company.refresh.fetcher = Late(company.refresh.fetcher.tls)
    company.publisher.document = published(("k9", es256()))
    company.stage.clock.forward(AGAIN_SECONDS)
    await company.refresh.refresh(company.stage.client_id)
    async with company.stage.database.reading() as session:
        assert await clients.document_of(session, company.stage.client_id) == inline
