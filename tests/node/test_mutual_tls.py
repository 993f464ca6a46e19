"""npm oauth4webapi shows a certificate through nginx, gets a token bound to it and uses it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.database import Database
from tests.authority import Authority
from tests.behind_nginx import BOUND, SUBJECT, behind_nginx
from tests.node.script import running
from tests.oauth_stage import REDIRECT, asked_details

pytestmark = [pytest.mark.node, pytest.mark.nginx]
SELF_SIGNED = {"token_endpoint_auth_method": "self_signed_tls_client_auth"}


@pytest.mark.parametrize("own", [False, True], ids=["tls_client_auth", "self_signed_tls_client_auth"])
async def test_certified_client_uses_its_certificate(
    database: Database, authority: Authority, tmp_path: Path, own: bool
) -> None:
    """Discovery of the aliases, PAR, code, bound token, call, refresh, introspection, revocation."""
    async with behind_nginx(database, authority, tmp_path) as behind:
        stage, issued = behind.stage, behind.issued
        shown = issued.self_signed("Deundeun") if own else issued.issue("Deundeun")
        members = SELF_SIGNED if own else SUBJECT
        await behind.register("tls-company", jwk=shown.jwk("tls") if own else None, **{**members, **BOUND})
        certificate, key = map(str, shown.files)
        told = {"issuer": stage.issuer, "client_id": "tls-company", "redirect_uri": REDIRECT}
        told |= {"certificate": certificate, "key": key, "ca": str(authority.bundle)}
        details = asked_details(stage.today)
        async with running("mtls_client.mjs", authority) as company:
            company.say({**told, "details": details})
            page = (await stage.http.get((await company.hear())["authorize"])).headers["location"]
            interaction = page.rpartition("/")[2]
            await stage.settle(interaction)
            company.say({"callback": (await stage.resume(interaction)).headers["location"]})
            result = (await company.hear())["result"]
    assert result["token_type"] == "bearer"  # the library lower-cases it
    assert result["details"] == details
    assert (result["first"]["version"], result["second"]) == (1, 200)
    assert result["introspected"]["cnf"] == {"x5t#S256": shown.thumbprint}
    assert result["without"] == {"code": "OAUTH_WWW_AUTHENTICATE_CHALLENGE", "status": 401}
