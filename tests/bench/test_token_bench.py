"""Every candidate of the token bench gives tokens and refuses replays. No time is judged."""

from __future__ import annotations

import pytest

from bench.token.__main__ import CANDIDATES, arguments, started
from bench.token.candidate import Candidate
from bench.token.load import Answered
from bench.token.rounds import BenchFailed, Measure, alternating, judge
from bench.token.signed import Signer
from bench.token.table import text
from bench.token.works import KINDS, Work
from tests.node.installed import unavailable

KINDS_OF_TOKENS = tuple(kind for kind in KINDS if kind != "introspect")
TOKEN = b'{"access_token":"a.b.c","token_type":"DPoP"}'


@pytest.mark.node
@pytest.mark.postgres
@pytest.mark.timeout(300)
@pytest.mark.parametrize("kinds", [KINDS_OF_TOKENS, ("introspect",)], ids="-".join)
async def test_a_small_run_answers_everything_and_refuses_replays(kinds: tuple[str, ...]) -> None:
    """Twenty requests to each: a round raises unless all were 200 as asked for and the replays were not."""
    if reason := unavailable():
        pytest.skip(reason)

    signer = Signer()
    async with started(arguments(["--kind", kinds[0]]), signer) as candidates:
        for kind in kinds:
            found = await alternating(candidates, Work(kind, signer), rounds=1, requests=20, warm=0)

            assert len(found) == len(CANDIDATES)
            assert all(len(measures) == 1 for measures in found.values())


@pytest.mark.parametrize(
    ("answered", "again"),
    [
        (Answered({200: 19, 503: 1}, {200: TOKEN, 503: b""}), Answered({400: 16})),
        (Answered({200: 19}, {200: TOKEN}), Answered({400: 16})),
        (Answered({200: 20}, {200: b'{"access_token":"opaque","token_type":"DPoP"}'}), Answered({400: 16})),
        (Answered({200: 20}, {200: b'{"access_token":"a.b.c","token_type":"Bearer"}'}), Answered({400: 16})),
        (Answered({200: 20}, {200: TOKEN}), Answered({400: 15, 200: 1})),
        (Answered({200: 20}, {200: TOKEN}), Answered({500: 16})),
    ],
    ids=["an error", "one is missing", "opaque", "bearer", "a replay accepted", "a replay not judged"],
)
def test_a_candidate_that_does_less_is_not_measured(answered: Answered, again: Answered) -> None:
    """Another status, a lost answer, another token, or a replay that is not refused ends the run."""
    with pytest.raises(BenchFailed):
        judge(Candidate("somebody", 1, 1), answered, again, 20, Work("token", Signer()).holds)


def test_the_table_tells_medians_and_ratios() -> None:
    """CPU of the database counts against whoever uses it; a ratio is of requests per CPU second."""
    ours = [Measure(100, 50, 900), Measure(200, 100, 900), Measure(1000, 500, 900)]

    told = text({"mydata, postgresql": ours, "oidc-provider, memory": [Measure(600, 0, 700)]})

    assert "| mydata, postgresql | 200 | 100 | **300** | 150 to 1500 | 3333 | 900 |" in told
    assert "mydata, postgresql / oidc-provider, memory: 2.00 x" in told
