"""The ring of now: swapped while doors are open, one and the same within a request, and quick to forget."""

from __future__ import annotations

import asyncio

import pytest

from gateway.keyring import Keyring, KeyringError, LiveKeyring, SigningKey, one_ring
from gateway.keys.custody import new_key
from gateway.oauth.jws import parse


def ring(*algorithms: str) -> Keyring:
    """A ring of fresh keys."""
    return Keyring(tuple(SigningKey.of(new_key(alg)) for alg in algorithms))


def signer(live: LiveKeyring) -> str:
    """The name of the key that signs now."""
    return str(parse(live.sign({}, "JWT")).header["kid"])


def test_outside_a_request_the_newest_signs() -> None:
    """A swap counts at once."""
    first, second = ring("ES256"), ring("ES256")
    live = LiveKeyring(first)
    assert signer(live) == first.current.kid
    live.swap(second)
    assert signer(live) == second.current.kid


async def test_a_request_signs_with_the_ring_it_began_with() -> None:
    """Two signatures of one request are of one ring, in threads too; the next request has the new one."""
    first, second = ring("ES256"), ring("ES256")
    live = LiveKeyring(first)
    with one_ring():
        assert signer(live) == first.current.kid
        live.swap(second)
        assert signer(live) == first.current.kid
        assert await asyncio.to_thread(signer, live) == first.current.kid
    with one_ring():
        assert signer(live) == second.current.kid


async def test_requests_side_by_side_do_not_share() -> None:
    """One request began before the swap, one after it; each keeps its own."""
    first, second = ring("ES256"), ring("ES256")
    live, swapped, begun = LiveKeyring(first), asyncio.Event(), asyncio.Event()

    async def early() -> str:
        with one_ring():
            signer(live)
            begun.set()
            await swapped.wait()
            return signer(live)

    async def late() -> str:
        await swapped.wait()
        with one_ring():
            return signer(live)

    async def swap() -> None:
        await begun.wait()
        live.swap(second)
        swapped.set()

    found = await asyncio.gather(early(), late(), swap())
    assert found[:2] == [first.current.kid, second.current.kid]


def test_what_was_taken_out_verifies_nowhere() -> None:
    """Also a request that signs with the old ring accepts nothing the old ring signed."""
    first, second = ring("ES256"), ring("ES256")
    live = LiveKeyring(first)
    with one_ring():
        signer(live)
        live.swap(second)
        assert live.public(first.current.kid) is None
        assert live.public(second.current.kid) is not None


def test_an_algorithm_without_a_key_is_refused() -> None:
    """Nothing signs by another algorithm instead."""
    live = LiveKeyring(ring("ES256", "EdDSA"))
    assert live.algorithms == ("ES256", "EdDSA", "Ed25519")
    for alg in ("PS256", "RS256", "none", ""):
        with pytest.raises(KeyringError) as refused:
            live.signing(alg)
        assert refused.value.code == "signing_alg_unavailable"


def test_nothing_secret_is_shown() -> None:
    """`repr` of key and ring names the key only."""
    made = ring("ES256", "EdDSA")
    assert "PrivateKey" not in repr(made) + repr(made.current) + repr(LiveKeyring(made))
