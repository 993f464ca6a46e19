"""The embedded engine: undefined, broken or strange policies never let anything out."""

from __future__ import annotations

import asyncio
import gc
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.policy.bundle import PolicyBundle, load, of
from gateway.policy.decide import decide
from gateway.policy.embedded import EmbeddedEngine
from gateway.policy.errors import BundleInvalid, PolicyUnavailable
from tests.policy.table import question


def policy(rego: str) -> PolicyBundle:
    """A bundle of one file in the package of the decision."""
    return of({"mydata/transfer/decision.rego": f"package mydata.transfer\n\n{rego}\n".encode()})


@pytest.mark.parametrize(
    ("rego", "cause"),
    [
        ("decision := 1 if input.nothing", "undefined"),
        ('decision := "<undefined>"', "undefined"),
        ("decision := true", "undefined"),
        ("decision := [1]", "undefined"),
        ('decision := {"allow": to_number(input.client.id)}', "evaluation"),
        ("decision := 1 / input.request.items[0].prior.count", "evaluation"),
        ("decision := {}", "malformed"),
        ('decision := {"allow": true}', "malformed"),
    ],
)
async def test_what_is_no_decision_is_a_denial(rego: str, cause: str) -> None:
    """A policy without a value, with an error or with another value denies, and names why."""
    decision = await decide(EmbeddedEngine(policy(rego)), question())
    assert not decision.allow
    assert not decision.available
    assert decision.codes[0].params["cause"] == cause


@pytest.mark.parametrize(
    "rego",
    [
        "decision := {",
        "decision := no_such_function(1)",
        "decision := 1 if y",
        "import input.x as",
        "other := 1",
    ],
)
def test_a_policy_that_does_not_parse_is_named(rego: str) -> None:
    """Loading a broken file fails with its path."""
    with pytest.raises(BundleInvalid, match=r"decision|rule path"):
        EmbeddedEngine(policy(rego))


async def test_it_goes_on_after_an_error() -> None:
    """One question that breaks the evaluation leaves the next one unharmed."""
    engine = EmbeddedEngine(load())
    with pytest.raises(PolicyUnavailable):
        engine.evaluate(b'{"request": {"items": [{"fields": "x", "sensitive": 1}]}, "consent": {"items": 7')
    assert (await engine.decide(question())).allow


def test_every_thread_has_its_own() -> None:
    """Used from four threads at once, each answer is the right one: an interpreter is never shared."""
    engine = EmbeddedEngine(load())
    young = question({"op": "replace", "path": "/subject/age", "value": 13})

    def ask(place: int) -> bool:
        return asyncio.run(engine.decide(young if place % 2 else question())).allow

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(ask, range(40))) == [place % 2 == 0 for place in range(40)]


async def test_its_name_and_health() -> None:
    """It says which interpreter it is and on which revision, and is ready until closed and after."""
    bundle = load()
    engine = EmbeddedEngine(bundle)
    assert engine.name.startswith("regorus/")
    assert engine.revision == bundle.revision
    assert (await engine.health()).ready
    await engine.close()
    await engine.close()
    assert (await engine.decide(question())).allow


def test_an_engine_may_be_forgotten_on_any_thread() -> None:
    """What another thread collects takes no interpreter with it: only its own thread drops one."""
    held = [EmbeddedEngine(load())]
    held[0].evaluate(b"{}")
    dropping = threading.Thread(target=held.clear)
    dropping.start()
    dropping.join()
    gc.collect()
    assert EmbeddedEngine(load()).evaluate(b"{}")


@pytest.mark.parametrize(
    "files",
    [
        {"mydata/x/x.rego": b"package mydata.x\nf(n) := f(n - 1)\n"},
        {"mydata/x/x.rego": b"package mydata.x\na if b\nb if c\nc if a\n"},
        {
            "mydata/x/x.rego": b"package mydata.x\nimport data.mydata.y\na := y.b\n",
            "mydata/y/y.rego": b"package mydata.y\nb := data.mydata.x.a\n",
        },
        {"mydata/x/x.rego": b"package mydata.x\na contains data.mydata.x.b\nb := count(a)\n"},
    ],
)
def test_a_circle_of_rules_is_refused(files: dict[str, bytes]) -> None:
    """Rules and functions that lead back to themselves are named, not run."""
    with pytest.raises(BundleInvalid, match="circle"):
        EmbeddedEngine(of(files))
