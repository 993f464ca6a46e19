"""npm oauth4webapi signs its requests and accepts only signed responses and introspection answers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.authority import Authority
from tests.node.script import Script, running
from tests.oauth_keys import Key
from tests.oauth_stage import REDIRECT, Stage, asked_details

pytestmark = pytest.mark.node

SIGNED = "application/token-introspection+jwt"


async def test_certified_client_with_everything_signed(stage: Stage, authority: Authority) -> None:
    """JAR, JARM (code and error) and RFC 9701 with every kind of key; what is unsigned is refused."""
    details = asked_details(stage.today)
    async with running("signed.mjs", authority) as company:
        clients = []
        for key in (await company.hear())["keys"]:
            client_id = f"signing-{key['alg'].lower()}"
            await stage.register_signing(client_id, Key(key["alg"], key["jwk"], lambda _: b""))
            clients.append({"alg": key["alg"], "client_id": client_id})
        told = {"issuer": stage.issuer, "redirect_uri": REDIRECT, "details": details}
        company.say({**told, "clients": clients})
        for client in clients:
            stage.client_id = client["client_id"]
            for allowed in (True, False):
                await go(stage, company, allowed=allowed)
            check((await company.hear())["result"], stage, details)


async def go(stage: Stage, company: Script, *, allowed: bool) -> None:
    """Answer for the citizen."""
    page = (await stage.http.get((await company.hear())["authorize"])).headers["location"]
    interaction = page.rpartition("/")[2]
    await stage.settle(interaction, allowed=allowed)
    company.say({"callback": (await stage.resume(interaction)).headers["location"]})


def check(result: dict[str, Any], stage: Stage, details: list[dict[str, Any]]) -> None:
    """What the client saw, once the library had verified every signature."""
    assert result["names"] == ["response"]
    assert result["details"] == details
    assert result["first"] == {"grant": result["grant_id"], "version": 1}
    assert result["introspected"]["media"] == result["unknown"]["media"] == SIGNED
    assert result["introspected"]["body"]["active"] is True
    assert result["introspected"]["body"]["client_id"] == stage.client_id
    assert result["introspected"]["body"]["authorization_details"] == details
    assert result["unknown"]["body"] == {"active": False}
    assert result["plain"] == "invalid_request"
    assert result["forged"] == "invalid_request_object"
    assert result["denied"] == "access_denied"
