"""npm openid-client, a certified FAPI 2.0 client, everything signed: by key and DPoP, and by certificate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.database import Database
from tests.authority import Authority
from tests.behind_nginx import BOUND, SUBJECT, behind_nginx
from tests.node.script import Script, running
from tests.oauth_keys import Key
from tests.oauth_stage import REDIRECT, Stage, asked_details

pytestmark = pytest.mark.node


async def go(stage: Stage, company: Script, mtls: dict[str, str] | None) -> dict[str, Any]:
    """Tell it where to go, answer for the citizen; what the client saw in the end."""
    told = {"issuer": stage.issuer, "client_id": stage.client_id, "redirect_uri": REDIRECT}
    company.say({**told, "details": asked_details(stage.today), "mtls": mtls})
    page = (await stage.http.get((await company.hear())["authorize"])).headers["location"]
    interaction = page.rpartition("/")[2]
    await stage.settle(interaction)
    company.say({"callback": (await stage.resume(interaction)).headers["location"]})
    result: dict[str, Any] = (await company.hear())["result"]
    return result


def check(result: dict[str, Any], stage: Stage) -> None:
    """What the library let through once it had verified every signature."""
    assert result["names"] == ["response"]
    assert result["query"] == ["client_id", "request_uri"]
    assert result["details"] == asked_details(stage.today)
    assert result["first"] == result["second"] == {"grant": result["grant_id"], "version": 1}
    assert (result["claims"]["iss"], result["claims"]["aud"]) == (stage.issuer, stage.client_id)
    assert result["userinfo"]["sub"] == result["claims"]["sub"]
    assert result["introspected"]["active"] is True
    assert result["introspected"]["client_id"] == stage.client_id
    assert result["afterwards"] == {"active": False}


async def _registered(stage: Stage, company: Script, **members: Any) -> None:
    key = Key("ES256", (await company.hear())["jwk"], lambda _: b"")
    stage.client_id, stage.key = "signing-company", key
    await stage.register(require_signed_request_object=True, **members)


async def test_everything_signed(stage: Stage, authority: Authority) -> None:
    """JAR, JARM, id_token, signed introspection, userinfo, refresh, revocation, with DPoP."""
    async with running("openid_signed.mjs", authority) as company:
        await _registered(stage, company)
        result = await go(stage, company, None)
    assert result["token_type"] == "dpop"  # the library lower-cases it
    check(result, stage)


async def test_server_nonces(demanding: Stage, authority: Authority) -> None:
    """The same where every proof must carry a nonce: the library learns it from the refusals and goes on."""
    async with running("openid_signed.mjs", authority) as company:
        await _registered(demanding, company)
        check(await go(demanding, company, None), demanding)


@pytest.mark.nginx
async def test_everything_signed_by_certificate(
    database: Database, authority: Authority, tmp_path: Path
) -> None:
    """The same with a client certificate through nginx, and tokens bound to it."""
    async with (
        behind_nginx(database, authority, tmp_path) as behind,
        running("openid_signed.mjs", authority) as company,
    ):
        stage, shown = behind.stage, behind.issued.issue("Deundeun")
        await _registered(stage, company, **{**SUBJECT, **BOUND})
        certificate, key = map(str, shown.files)
        files = {"certificate": certificate, "key": key, "ca": str(authority.bundle)}
        result = await go(stage, company, files)
    assert result["token_type"] == "bearer"  # the library lower-cases it
    assert result["introspected"]["cnf"] == {"x5t#S256": shown.thumbprint}
    check(result, stage)
