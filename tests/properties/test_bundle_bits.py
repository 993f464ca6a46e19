"""Flipping any bit of a sealed bundle, or cutting it anywhere, is detected."""

from __future__ import annotations

import random

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from gateway.bundles.open import BundleRejected, open_bundle, verify_bundle
from tests.unit.gateway.bundles.story import story

STORY = story(300)
DATA = STORY.sealed.data
SEED = 20261122


@pytest.mark.parametrize("position", random.Random(SEED).sample(range(len(DATA) * 8), 200))
def test_seeded_bits(position: int) -> None:
    """200 seeded positions over the whole file: each flip is refused, even without the private key."""
    flipped = bytearray(DATA)
    flipped[position // 8] ^= 1 << position % 8
    with pytest.raises(BundleRejected):
        verify_bundle(bytes(flipped), STORY.jwks)


def test_every_bit_of_the_head_and_manifest() -> None:
    """Every bit of the magic, the length and the signed manifest is covered, one after the other."""
    end = len(DATA) - STORY.sealed.manifest["parts"][0]["cipher_size"]
    for position in range(0, end * 8, 7):
        flipped = bytearray(DATA)
        flipped[position // 8] ^= 1 << position % 8
        with pytest.raises(BundleRejected):
            verify_bundle(bytes(flipped), STORY.jwks)


@given(cut=st.integers(0, len(DATA) - 1))
@settings(deadline=None, max_examples=50)
def test_any_cut(cut: int) -> None:
    """No beginning of a bundle is a bundle."""
    with pytest.raises(BundleRejected):
        open_bundle(DATA[:cut], STORY.private_jwk, STORY.jwks)


@given(junk=st.binary(max_size=400))
@settings(deadline=None, max_examples=100)
def test_junk_is_refused_not_raised(junk: bytes) -> None:
    """Arbitrary bytes, and arbitrary bytes behind a good head, end in a refusal and nothing else."""
    for data in (junk, DATA[:12] + junk, DATA[: len(DATA) // 2] + junk):
        with pytest.raises(BundleRejected):
            open_bundle(data, STORY.private_jwk, STORY.jwks)
