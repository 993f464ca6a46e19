"""npm oidc-provider, the certified open-source FAPI 2.0 server, gets the same malformed requests as we do."""

from __future__ import annotations

import httpx
import pytest

from tests.authority import Authority
from tests.conformance.tables import differences
from tests.node.malformed import cases
from tests.node.malformed_objects import objects
from tests.node.malformed_userinfo import userinfo
from tests.node.peer import SECOND, peer
from tests.oauth_keys import es256
from tests.oauth_stage import Stage

pytestmark = pytest.mark.node


async def test_every_difference_is_explained(stage: Stage, authority: Authority) -> None:
    """Status class and error are the peer's, or differences.yaml says why; it lists nothing that is gone."""
    other = es256()
    await stage.register(SECOND, other)
    found: dict[str, tuple[str, str]] = {}
    async with peer(stage, other, authority) as them:
        for name, send in (cases() | objects() | userinfo()).items():
            ours, theirs = told(await send(stage)), told(await send(them))
            if ours != theirs:
                found[name] = (ours, theirs)
    explained = {name: (entry["ours"], entry["theirs"]) for entry in differences() for name in entry["cases"]}
    assert found == explained


def told(response: httpx.Response) -> str:
    """Status class and error, for example `4xx invalid_client`."""
    assert response.status_code < 500, response.text
    kind = f"{response.status_code // 100}xx"
    if response.status_code < 400 or "json" not in response.headers.get("content-type", ""):
        return kind
    return f"{kind} {response.json()['error']}"
