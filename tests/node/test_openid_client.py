"""npm openid-client, a certified FAPI 2.0 client, goes the whole way with every allowed kind of key."""

from __future__ import annotations

from typing import Any

import pytest

from tests.authority import Authority
from tests.node.script import Script, running
from tests.oauth_keys import Key
from tests.oauth_stage import REDIRECT, Stage, asked_details

pytestmark = pytest.mark.node


async def test_certified_client_with_every_algorithm(stage: Stage, authority: Authority) -> None:
    """Discovery both ways, PAR, DPoP, code, refresh, client credentials, introspection, revocation."""
    details = asked_details(stage.today)
    async with running("openid_client.mjs", authority) as company:
        clients = []
        for key in (await company.hear())["keys"]:
            client_id = f"node-{key['alg'].lower()}"
            await stage.register(client_id, Key(key["alg"], key["jwk"], lambda _: b""))
            clients.append({"alg": key["alg"], "client_id": client_id})
        told = {"issuer": stage.issuer, "redirect_uri": REDIRECT, "details": details}
        company.say({**told, "clients": clients})
        for client in clients:
            stage.client_id = client["client_id"]
            check(await go(stage, company), stage, details)


async def go(stage: Stage, company: Script) -> dict[str, Any]:
    """Answer for the citizen; what the client saw in the end."""
    page = (await stage.http.get((await company.hear())["authorize"])).headers["location"]
    interaction = page.rpartition("/")[2]
    await stage.settle(interaction)
    company.say({"callback": (await stage.resume(interaction)).headers["location"]})
    result: dict[str, Any] = (await company.hear())["result"]
    return result


def check(result: dict[str, Any], stage: Stage, details: list[dict[str, Any]]) -> None:
    """Everything the client saw was as FAPI 2.0 wants it."""
    assert result["same_metadata"]
    assert result["pkce"]
    assert result["query"] == ["client_id", "request_uri"]
    assert result["token_type"] == "dpop"  # the library lower-cases it
    assert result["details"] == details
    assert result["first"] == result["second"] == {"grant": result["grant_id"], "version": 1}
    assert result["own"] == {"client": stage.client_id}
    assert result["introspected"]["active"] is True
    assert result["introspected"]["authorization_details"] == details
    assert result["afterwards"] == {"active": False}
    assert result["refused"] == "invalid_grant"
