"""npm oauth4webapi, a certified FAPI 2.0 client, gets a token from us over https and uses it."""

from __future__ import annotations

import pytest

from tests.authority import Authority
from tests.node.script import running
from tests.oauth_keys import Key
from tests.oauth_stage import REDIRECT, Stage, asked_details

pytestmark = pytest.mark.node


async def test_certified_client_goes_the_whole_way(stage: Stage, authority: Authority) -> None:
    """PAR, consent, code, bound token, call, refresh, validation, introspection, revocation."""
    async with running("client.mjs", authority) as company:
        key = Key("ES256", (await company.hear())["jwk"], lambda _: b"")
        await stage.register("node-company", key)
        stage.client_id = "node-company"
        details = asked_details(stage.today)
        told = {"issuer": stage.issuer, "client_id": "node-company", "redirect_uri": REDIRECT}
        company.say({**told, "details": details})
        asked = await company.hear()
        assert asked["expires_in"] < 600
        page = (await stage.http.get(asked["authorize"])).headers["location"]
        interaction = page.rpartition("/")[2]
        await stage.settle(interaction)
        company.say({"callback": (await stage.resume(interaction)).headers["location"]})
        result = (await company.hear())["result"]
    assert result["metadata_equal"]
    assert result["token_type"] == "dpop"  # the library lower-cases it
    assert result["details"] == result["claims"]["authorization_details"] == details
    assert result["first"] == {"grant": result["grant_id"], "version": 1}
    assert result["second"] == 200
    assert result["introspected"]["active"] is True
    assert result["challenged"] == "OAUTH_WWW_AUTHENTICATE_CHALLENGE"
