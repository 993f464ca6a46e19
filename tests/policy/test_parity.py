"""Two engines, one policy: the same bytes on twenty thousand changed questions, and no allow on nonsense."""

from __future__ import annotations

import aiohttp
import pytest

from gateway.policy.embedded import EmbeddedEngine
from gateway.policy.server import LocalOpa
from tests.policy import fuzz
from tests.policy.fuzz import SPOILT, Reference, is_sound, questions, run

pytestmark = pytest.mark.opa
QUESTIONS = 20_000


@pytest.mark.timeout(300)
async def test_the_same_answer_from_both(local_opa: LocalOpa, embedded: EmbeddedEngine) -> None:
    """Both engines answer every sound question with the same bytes, and never differ in an allow."""
    async with aiohttp.ClientSession() as session:
        reference = Reference(session, local_opa.url)
        await reference.prepare()
        tally = await run(reference, embedded, QUESTIONS)
    assert tally.sound > QUESTIONS * 3 // 4
    assert tally.spoilt > QUESTIONS // SPOILT // 2
    assert QUESTIONS // 10 < tally.allowed < QUESTIONS


def test_the_questions_are_the_same_every_time() -> None:
    """A seed names its questions; another seed asks others; most of them a door could ask; none is kept."""
    odd = repr(fuzz.ODD)
    first, again, other = (list(questions(2_000, seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert sum(sound for _, sound in first) > 1_800
    assert all(is_sound(data) == sound for data, sound in first)
    assert repr(fuzz.ODD) == odd
