"""npm openid-client and oauth4webapi recognise a citizen: id_token, userinfo, refresh, signing out."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.authority import Authority
from tests.node.script import Script, running
from tests.oauth_keys import Key
from tests.oauth_stage import REDIRECT, Stage, asked_details

pytestmark = pytest.mark.node

BACK = "https://deundeun.example/bye"
BY_KEY = {"ES256": "ES256", "PS256": "PS256", "Ed25519": "EdDSA"}


async def test_certified_clients_recognise_the_citizen(stage: Stage, authority: Authority) -> None:
    """Both libraries accept the id_token by every algorithm, with nonce, max_age and essential acr."""
    stage.ticked = frozenset({"locale"})
    async with running("openid_connect.mjs", authority) as company:
        clients = []
        for key in (await company.hear())["keys"]:
            client_id, alg = f"knowing-{key['alg'].lower()}", BY_KEY[key["alg"]]
            made = Key(key["alg"], key["jwk"], lambda _: b"")
            members = {"id_token_signed_response_alg": alg, "post_logout_redirect_uris": [BACK]}
            await stage.register(client_id, made, **members)
            clients.append({"alg": key["alg"], "signed": alg, "client_id": client_id})
        told = {"issuer": stage.issuer, "redirect_uri": REDIRECT, "back": BACK}
        company.say({**told, "details": asked_details(stage.today), "clients": clients})
        for client in clients:
            stage.client_id = client["client_id"]
            for library in ("openid-client", "oauth4webapi"):
                check(await go(stage, company), stage, signs_out=library == "openid-client")


async def go(stage: Stage, company: Script) -> dict[str, Any]:
    """Answer for the citizen; what the client saw in the end."""
    page = (await stage.http.get((await company.hear())["authorize"])).headers["location"]
    interaction = page.rpartition("/")[2]
    await stage.settle(interaction)
    company.say({"callback": (await stage.resume(interaction)).headers["location"]})
    result: dict[str, Any] = (await company.hear())["result"]
    return result


def check(result: dict[str, Any], stage: Stage, *, signs_out: bool) -> None:
    """What the client knows, once the library had verified every signature and claim."""
    known, again = result["known"], result["again"]
    assert known["aud"] == stage.client_id
    assert (known["acr"], known["locale"]) == ("urn:test:acr", "ko")
    assert "email" not in known
    assert result["info"] == {"sub": known["sub"], "locale": "ko"}
    assert (again["sub"], again["auth_time"]) == (known["sub"], known["auth_time"])
    assert "nonce" not in again
    if signs_out:
        assert result["wrong"] == "refused"
        address = urlsplit(result["logout"])
        query = parse_qs(address.query)
        assert (address.path, query["post_logout_redirect_uri"]) == ("/logout", [BACK])
        assert query["id_token_hint"][0].count(".") == 2
