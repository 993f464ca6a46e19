"""Whatever an OPA server answers, nothing leaves unless the answer is whole, right and ours."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from email.utils import formatdate
from time import time
from typing import Any

import pytest

from gateway.policy.breaker import Breaker
from gateway.policy.bundle import PolicyBundle
from gateway.policy.decide import decide
from gateway.policy.embedded import EmbeddedEngine
from gateway.policy.opa import OpaAddress, OpaEngine
from tests.policy.lying_opa import LyingOpa, lying_opa
from tests.policy.table import question

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
async def opa(bundle: PolicyBundle) -> AsyncIterator[LyingOpa]:
    """A lying OPA."""
    async with lying_opa(bundle.revision) as server:
        yield server


@pytest.fixture
async def engine(opa: LyingOpa, bundle: PolicyBundle) -> AsyncIterator[OpaEngine]:
    """The engine that asks it; quick to give up."""
    made = OpaEngine(
        OpaAddress(opa.url, timeout_seconds=0.3),
        bundle.revision,
        breaker=Breaker(failures=3, rest_seconds=60),
    )
    yield made
    await made.close()


@pytest.fixture
async def honest(embedded: EmbeddedEngine) -> dict[str, Any]:
    """What an honest engine answers to the base question."""
    answer: dict[str, Any] = json.loads((await embedded.decide(question())).canonical())
    return answer


async def cause_of(engine: OpaEngine) -> object:
    """Decide through the door's function; the denial's cause. Fails when anything was granted."""
    decision = await decide(engine, question())
    assert decision.allow is False
    assert decision.granted == ()
    assert decision.obligations == ()
    assert decision.available is False
    assert [reason.code for reason in decision.codes] == ["policy_unavailable"]
    return decision.codes[0].params["cause"]


async def test_an_honest_answer_is_taken(opa: LyingOpa, engine: OpaEngine, honest: dict[str, Any]) -> None:
    """The same words from an honest server are an allow; strictness and provenance were asked for."""
    opa.says(honest)
    decision = await decide(engine, question())
    assert decision.allow
    assert decision.available
    assert decision.engine == "opa/1.20.2"
    assert opa.asked[0]["query"] == {"strict-builtin-errors": "true", "provenance": "true"}
    assert opa.asked[0]["input"] == json.loads(question().encode())


@pytest.mark.parametrize(
    ("status", "body", "cause"),
    [
        (500, b'{"code":"internal_error"}', "status"),
        (503, b"", "status"),
        (404, b"{}", "status"),
        (302, b"", "status"),
        (200, b"{}", "malformed"),
        (200, b"", "malformed"),
        (200, b"<html>allow</html>", "malformed"),
        (200, b'{"result":{"allow":true}}', "malformed"),
        (200, b"null", "malformed"),
        (200, b"[]", "malformed"),
        (200, b"\xff\xfe", "malformed"),
        (200, b"[" * 100_000, "malformed"),
        (200, b" " * 600_000, "malformed"),
    ],
)
async def test_not_a_decision(opa: LyingOpa, engine: OpaEngine, status: int, body: bytes, cause: str) -> None:
    """An error status, an empty object, a page or noise is a denial."""
    opa.status, opa.body = status, lambda _question: body
    assert await cause_of(engine) == cause
    assert len(opa.asked) == 1


async def test_undefined_is_a_denial(opa: LyingOpa, engine: OpaEngine, bundle: PolicyBundle) -> None:
    """An answer on the right revision without a result (policy or data not loaded) is a denial."""
    provenance = {"version": "1.20.2", "bundles": {"mydata": {"revision": bundle.revision}}}
    opa.body = lambda _question: json.dumps({"provenance": provenance}).encode()
    assert await cause_of(engine) == "undefined"


@pytest.mark.parametrize("revision", ["", "sha256:00", "latest"])
async def test_another_revision_is_a_denial(
    opa: LyingOpa, engine: OpaEngine, honest: dict[str, Any], revision: str
) -> None:
    """An answer made on another policy than the gateway expects is a denial."""
    opa.says(honest, revision=revision)
    assert await cause_of(engine) == "revision"


async def test_no_revision_or_a_second_bundle_is_a_denial(
    opa: LyingOpa, engine: OpaEngine, honest: dict[str, Any], bundle: PolicyBundle
) -> None:
    """An answer that names no revision, or another bundle beside ours, is a denial."""
    ours = {"mydata": {"revision": bundle.revision}}
    for bundles in ({}, {**ours, "other": {"revision": "x"}}):
        reply = {"provenance": {"version": "1.20.2", "bundles": bundles}, "result": honest}
        opa.body = lambda _question, reply=reply: json.dumps(reply).encode()  # type: ignore[misc]
        assert await cause_of(engine) == "revision"


@pytest.mark.parametrize(("apart", "taken"), [(-32, False), (-28, True), (0, True), (28, True), (32, False)])
async def test_another_clock_is_a_denial(
    opa: LyingOpa, engine: OpaEngine, honest: dict[str, Any], apart: int, taken: bool
) -> None:
    """An engine whose clock stands more than half a minute from the gateway's grants nothing, either way."""
    opa.says(honest)
    opa.date = formatdate(time() + apart, usegmt=True)
    if taken:
        assert (await decide(engine, question())).allow
    else:
        assert await cause_of(engine) == "clock"
        assert (await engine.health()).cause == "clock"


@pytest.mark.parametrize("date", ["", "yesterday", "Mon, 99 Foo 2026 99:99:99 GMT"])
async def test_no_clock_is_a_denial(
    opa: LyingOpa, engine: OpaEngine, honest: dict[str, Any], date: str
) -> None:
    """An answer that tells no time that can be read is a denial."""
    opa.says(honest)
    opa.date = date
    assert await cause_of(engine) == "clock"


async def test_slow_is_a_denial(opa: LyingOpa, engine: OpaEngine, honest: dict[str, Any]) -> None:
    """An answer later than the limit is a denial."""
    opa.says(honest)
    opa.delay = 2
    assert await cause_of(engine) == "timeout"


async def test_a_dropped_connection_is_tried_once_more(
    opa: LyingOpa, engine: OpaEngine, honest: dict[str, Any]
) -> None:
    """One broken-off connection costs nothing; two are a denial."""
    opa.says(honest)
    opa.break_off = 1
    assert (await decide(engine, question())).allow
    opa.break_off = 2
    assert await cause_of(engine) == "unreachable"


LIES: dict[str, Change] = {
    "allow is a word": lambda a: a.update(allow="true"),
    "allow is a number": lambda a: a.update(allow=1),
    "allow is missing": lambda a: a.pop("allow"),
    "allow with a code": lambda a: a["codes"].append({"code": "cross_border", "article": None, "params": {}}),
    "allow that grants nothing": lambda a: a["granted"].clear(),
    "granted to another holder": lambda a: a["granted"][0].update(holder="another-bank"),
    "granted a field nobody asked for": lambda a: a["granted"][0]["fields"].append("account_num"),
    "granted twice": lambda a: a["granted"].append(a["granted"][0]),
    "granted without a basis": lambda a: a["granted"][0].pop("basis"),
    "granted on an unknown basis": lambda a: a["granted"][0].update(basis="art28_2"),
    "granted without an article": lambda a: a["granted"][0].update(article=None),
    "an item lost": lambda a: a["granted"].pop(),
    "a field lost": lambda a: a["granted"][0]["fields"].pop(),
    "an unknown obligation": lambda a: a["obligations"].append({"type": "step_up"}),
    "an obligation with a stranger's key": lambda a: a["obligations"][0].update(also=1),
    "no obligation": lambda a: a["obligations"].clear(),
    "no stamp in the sandbox": lambda a: a.update(
        obligations=[o for o in a["obligations"] if o["type"] != "stamp"]
    ),
    "retained until the past": lambda a: [o.update(until=1) for o in a["obligations"] if "until" in o],
    "retained until two dates": lambda a: a["obligations"].append(
        {"type": "retain_until", "until": 1900000000}
    ),
    "retained until a fraction": lambda a: [
        o.update(until=1.9e9 + 0.5) for o in a["obligations"] if "until" in o
    ],
    "withheld something not asked for": lambda a: a["withheld"].append(
        {"holder": "x", "dataset": "y.z", "code": "too_soon", "article": None, "params": {}}
    ),
    "an extra key": lambda a: a.update(note="x"),
    "a missing key": lambda a: a.pop("withheld"),
    "granted is null": lambda a: a.update(granted=None),
    "denied without a code": lambda a: a.update(allow=False, granted=[], obligations=[]),
    "denied but grants": lambda a: a.update(
        allow=False, codes=[{"code": "cross_border", "article": None, "params": {}}], obligations=[]
    ),
    "denied with obligations": lambda a: a.update(
        allow=False, codes=[{"code": "cross_border", "article": None, "params": {}}], granted=[]
    ),
    "a code that is no code": lambda a: a.update(
        allow=False, granted=[], obligations=[], codes=[{"code": "<b>", "article": None, "params": {}}]
    ),
}


@pytest.mark.parametrize("lie", LIES)
async def test_a_lie_is_a_denial(opa: LyingOpa, engine: OpaEngine, honest: dict[str, Any], lie: str) -> None:
    """An answer of the right form and revision that breaks one rule of a decision is a denial."""
    LIES[lie](honest)
    opa.says(honest)
    assert await cause_of(engine) == "malformed"


async def test_granted_beyond_the_consent_is_a_denial(
    opa: LyingOpa, engine: OpaEngine, honest: dict[str, Any]
) -> None:
    """An engine cannot grant a field that was asked for but never consented to."""
    less = {"op": "replace", "path": "/consent/items/0/fields", "value": ["trans_amt"]}
    opa.says(honest)
    decision = await decide(engine, question(less))
    assert not decision.allow
    assert not decision.available


async def test_nobody_there_is_a_denial(bundle: PolicyBundle) -> None:
    """No server at all is a denial."""
    engine = OpaEngine(OpaAddress("http://127.0.0.1:9", timeout_seconds=0.5), bundle.revision)
    assert await cause_of(engine) == "unreachable"
    assert not (await engine.health()).ready
    await engine.close()


async def test_after_failures_it_fails_at_once(opa: LyingOpa, engine: OpaEngine) -> None:
    """Three failures in a row open the breaker: the server is left alone and the answer is still a denial."""
    opa.status = 500
    for _ in range(3):
        assert await cause_of(engine) == "status"
    assert await cause_of(engine) == "breaker"
    assert len(opa.asked) == 3


async def test_an_impossible_question_is_never_sent(
    opa: LyingOpa, engine: OpaEngine, honest: dict[str, Any]
) -> None:
    """A question off its schema is denied without asking, and does not count against the engine."""
    opa.says(honest)
    asked = question()
    odd = type(asked)(
        **{**{f: getattr(asked, f) for f in asked.__struct_fields__}, "subject": type(asked.subject)(age=-1)}
    )
    decision = await decide(engine, odd)
    assert [r.code for r in decision.codes] == ["policy_question_invalid"]
    assert opa.asked == []
