"""Text that no store can keep names nothing: a plain refusal on both stores, before and after signing in."""

from __future__ import annotations

import httpx
import jwt
import pytest

from tests.world import World

PLACES = ("/consent/abcdefgh%00", "/authorize/resume/abc%00", "/consent/abcdefgh%00/done")


@pytest.mark.parametrize("place", PLACES)
async def test_a_nul_in_an_address_is_refused_to_anybody(own_world: World, place: str) -> None:
    """No sign-in, no session: 4xx, never a fault of ours."""
    answer = await own_world.http.get(own_world.origin + place)

    assert 400 <= answer.status_code < 500, answer.text


async def test_a_nul_in_what_a_client_claims_is_refused(own_world: World) -> None:
    """An assertion whose subject holds a NUL, and a transfer id that does, are refused."""
    company = await own_world.company()
    claims = {"sub": "deun\0deun", "iss": "deun\0deun", "aud": own_world.origin, "exp": 9, "jti": "j"}
    form = {
        **company._assertion(),
        "client_assertion": jwt.encode(claims, company.keys.signing, algorithm="ES256"),
    }
    async with own_world.unchanged():
        pushed: httpx.Response = await own_world.http.post(f"{own_world.origin}/par", data=form)
    given = await own_world.given(company)
    asked = await given.company.call("GET", f"{own_world.origin}/transfers/t%00")

    assert 400 <= pushed.status_code < 500, pushed.text
    assert 400 <= asked.status_code < 500, asked.text
