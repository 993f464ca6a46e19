"""The tests of the policy are awake: what breaks it in a small way is noticed.

A seeded sample in every run; `python -m tests.policy.mutation` breaks all of it, by hand.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.policy.mutation import LIMIT, run

SAMPLE = 24


@pytest.mark.opa
@pytest.mark.timeout(600)
def test_a_sample_of_broken_policies_is_noticed(opa_binary: Path) -> None:
    """At least 95 of 100 are noticed by a row of the table or by a test of the Rego."""
    tried, survivors = run(opa_binary, SAMPLE)
    assert tried >= SAMPLE // 2
    assert 1 - len(survivors) / tried >= LIMIT, [str(one) for one in survivors]
