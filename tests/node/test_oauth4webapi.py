"""npm oauth4webapi, a certified FAPI 2.0 client, gets a token from us over https and uses it."""

from __future__ import annotations

import asyncio
import json
import os
from typing import Any

import pytest

from tests.authority import Authority
from tests.node.installed import install, unavailable
from tests.oauth_keys import Key
from tests.oauth_stage import REDIRECT, Stage, asked_details

pytestmark = pytest.mark.node


class Company:
    """The JavaScript client as a process that trusts only this run's authority."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def hear(self) -> dict[str, Any]:
        """Its next message; fails with what it complained about."""
        assert self.process.stdout is not None
        line = await asyncio.wait_for(self.process.stdout.readline(), 30)
        if not line:
            assert self.process.stderr is not None
            pytest.fail((await self.process.stderr.read()).decode())
        message: dict[str, Any] = json.loads(line)
        return message

    def say(self, message: dict[str, Any]) -> None:
        """Tell it something."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message).encode() + b"\n")


async def start(authority: Authority) -> Company:
    """Run the client."""
    pipe = asyncio.subprocess.PIPE
    environment = {**os.environ, "NODE_EXTRA_CA_CERTS": str(authority.bundle)}
    process = await asyncio.create_subprocess_exec(
        "node", "client.mjs", cwd=install(), stdin=pipe, stdout=pipe, stderr=pipe, env=environment
    )
    return Company(process)


async def test_certified_client_goes_the_whole_way(stage: Stage, authority: Authority) -> None:
    """PAR, consent, code, bound token, call, refresh, validation, introspection, revocation."""
    if reason := unavailable():
        pytest.skip(reason)
    company = await start(authority)
    try:
        key = Key("ES256", (await company.hear())["jwk"], lambda _: b"")
        await stage.register("node-company", key)
        stage.client_id = "node-company"
        details = asked_details(stage.today)
        company.say(
            {
                "issuer": stage.issuer,
                "client_id": "node-company",
                "redirect_uri": REDIRECT,
                "details": details,
            }
        )
        asked = await company.hear()
        assert asked["expires_in"] < 600
        page = (await stage.http.get(asked["authorize"])).headers["location"]
        interaction = page.rpartition("/")[2]
        await stage.settle(interaction)
        company.say({"callback": (await stage.resume(interaction)).headers["location"]})
        result = (await company.hear())["result"]
    finally:
        if company.process.returncode is None:
            company.process.kill()
        await company.process.communicate()
    assert result["metadata_equal"]
    assert result["token_type"] == "dpop"  # the library lower-cases it
    assert result["details"] == result["claims"]["authorization_details"] == details
    assert result["first"] == {"grant": result["grant_id"], "version": 1}
    assert result["second"] == 200
    assert result["introspected"]["active"] is True
    assert result["challenged"] == "OAUTH_WWW_AUTHENTICATE_CHALLENGE"
