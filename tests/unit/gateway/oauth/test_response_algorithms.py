"""A client gets each signed answer by the algorithm it registered, and by no other."""

from __future__ import annotations

from functools import cache

import pytest

from gateway.keyring import ALGORITHMS, Keyring, SigningKey
from gateway.keys.custody import MAKERS, new_key
from gateway.oauth import clients
from gateway.oauth.jws import Jws, parse, verify
from gateway.oauth.metadata import server_metadata
from tests.oauth_keys import es256
from tests.oauth_stage import Stage, document, redirected
from tests.unit.gateway.oauth.test_slow_keys import introspected


@cache
def ring() -> Keyring:
    """A key of each algorithm."""
    return Keyring(tuple(SigningKey.of(new_key(alg)) for alg in MAKERS))


async def wanting(stage: Stage, alg: str, signing: Keyring) -> None:
    """Go on as a client that registered `alg` for every answer, at a server that signs with `signing`."""
    stage.server.minter.signing = signing
    stage.client_id, stage.key = f"wants-{alg.lower()}", es256()
    algs = {f"{name}_signed_response_alg": alg for name in ("authorization", "introspection", "id_token")}
    async with stage.database.transaction() as session:
        await clients.add(session, {**document(stage.client_id, stage.key), **algs}, at=stage.now)


def signed_by(text: str, alg: str) -> Jws:
    """The JWS, which must be of this algorithm and of a published key."""
    jws = parse(text)
    public = ring().public(jws.header["kid"])
    assert jws.header["alg"] == alg
    assert public is not None
    assert verify(jws, public)
    return jws


@pytest.mark.parametrize("alg", ALGORITHMS)
async def test_responses_and_introspection_by_the_registered_algorithm(stage: Stage, alg: str) -> None:
    """JARM and RFC 9701 answers by what was registered; the access token by ES256 all the same."""
    await wanting(stage, alg, ring())
    interaction = await stage.interaction(response_mode="jwt")
    stage.consent = await stage.settle(interaction)
    response = signed_by(redirected(await stage.resume(interaction))["response"], alg)
    tokens = (await stage.token(response.claims["code"])).json()
    signed_by(tokens["access_token"], "ES256")
    told = await introspected(stage, tokens["access_token"])
    assert signed_by(told.text, alg).claims["token_introspection"]["active"] is True


async def test_an_algorithm_we_have_no_key_for(stage: Stage) -> None:
    """A clear refusal, and nothing is used up: the citizen's answer can be finished once there is a key."""
    await wanting(stage, "PS256", Keyring(ring().keys[:1]))
    interaction = await stage.interaction(response_mode="jwt")
    stage.consent = await stage.settle(interaction)
    before = await stage.state()
    refused = await stage.resume(interaction)
    assert (refused.status_code, refused.json()["code"]) == (503, "signing_alg_unavailable")
    assert await stage.state() == before
    stage.server.minter.signing = ring()
    signed_by(redirected(await stage.resume(interaction))["response"], "PS256")


async def test_the_metadata_promises_what_there_are_keys_for(stage: Stage) -> None:
    """With one key it names ES256, with three all four names (RFC 9864)."""
    for signing, names in ((Keyring(ring().keys[:1]), ["ES256"]), (ring(), list(ALGORITHMS))):
        stage.server.minter.signing = signing
        told = server_metadata(stage.server)
        assert told["authorization_signing_alg_values_supported"] == names
        assert told["introspection_signing_alg_values_supported"] == names


@pytest.mark.parametrize("alg", ["RS256", "none", "HS256", "", None])
async def test_other_algorithms_cannot_be_registered(stage: Stage, alg: object) -> None:
    """FAPI 2.0 5.4.1: three kinds of key, four names."""
    made = {**document("wants-other", es256()), "introspection_signed_response_alg": alg}
    with pytest.raises(clients.ClientDocumentError):
        async with stage.database.transaction() as session:
            await clients.add(session, made, at=stage.now)
