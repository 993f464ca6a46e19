"""Two engines on live decisions, and an OPA the gateway starts and watches itself."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from gateway.policy.bundle import PolicyBundle, of
from gateway.policy.decide import decide
from gateway.policy.embedded import EmbeddedEngine
from gateway.policy.errors import PolicyUnavailable
from gateway.policy.opa import OpaAddress, OpaEngine
from gateway.policy.shadow import ShadowEngine, counter
from gateway.policy.watched import WatchedOpaEngine
from tests.policy.table import question, rows


def counted(registry: CollectorRegistry) -> dict[str, float]:
    """The shadow's counts by what came of them."""
    found = {}
    for family in registry.collect():
        for sample in family.samples:
            if sample.name.endswith("_total"):
                found[sample.labels["came"]] = sample.value
    return found


async def test_a_share_is_made_again_and_compared(bundle: PolicyBundle) -> None:
    """Half of a hundred decisions are compared with the same policy: no difference."""
    registry, rolls = CollectorRegistry(), iter(range(1000))
    shadow = ShadowEngine(
        EmbeddedEngine(bundle), EmbeddedEngine(bundle), 50, counter(registry), lambda: (next(rolls) % 2) * 0.9
    )
    for row in rows()[:100]:
        await shadow.decide(row.question)
        await shadow.settled()
    assert counted(registry) == {"same": 50}
    await shadow.close()


async def test_a_difference_is_counted_and_changes_nothing(bundle: PolicyBundle) -> None:
    """A second engine that decides otherwise, or not at all, is counted; the first one's word stands."""
    registry = CollectorRegistry()
    count = counter(registry)
    path = "mydata/transfer/client.rego"
    text = bundle.files[path].replace(b"client_suspended", b"client_is_suspended")
    other = EmbeddedEngine(of({**bundle.files, path: text}))
    shadow = ShadowEngine(EmbeddedEngine(bundle), other, 100, count)
    asked = question({"op": "replace", "path": "/client/status", "value": "suspended"})
    decision = await decide(shadow, asked)
    await shadow.settled()
    assert [reason.code for reason in decision.codes] == ["client_suspended"]
    assert counted(registry) == {"different": 1}

    nobody = OpaEngine(OpaAddress("http://127.0.0.1:9", timeout_seconds=0.5), bundle.revision)
    away = ShadowEngine(EmbeddedEngine(bundle), nobody, 100, count)
    assert (await decide(away, question())).allow
    await away.settled()
    assert counted(registry) == {"different": 1, "unavailable": 1}
    assert (await away.health()).ready
    assert away.revision == bundle.revision
    await away.close()
    await shadow.close()


async def test_none_is_compared_at_no_share(bundle: PolicyBundle) -> None:
    """At 0 percent the second engine is never asked."""
    registry = CollectorRegistry()
    shadow = ShadowEngine(EmbeddedEngine(bundle), EmbeddedEngine(bundle), 0, counter(registry))
    assert (await shadow.decide(question())).allow
    await shadow.settled()
    assert counted(registry) == {}
    await shadow.close()


@pytest.mark.opa
async def test_the_reference_shadows_the_embedded_engine(
    bundle: PolicyBundle, embedded: EmbeddedEngine, opa_engine: OpaEngine
) -> None:
    """The real OPA beside the embedded engine on every row: as many the same as were asked."""
    registry = CollectorRegistry()
    shadow = ShadowEngine(embedded, opa_engine, 100, counter(registry))
    for row in rows()[::4]:
        await shadow.decide(row.question)
        await shadow.settled()
    assert counted(registry) == {"same": len(rows()[::4])}


@pytest.mark.opa
async def test_a_killed_child_is_started_again(opa_binary: Path, bundle: PolicyBundle) -> None:
    """While the child is dead nothing is allowed; it comes back without a restart of the gateway."""
    engine = await WatchedOpaEngine(opa_binary, bundle, timeout_seconds=10).start()
    try:
        assert (await decide(engine, question())).allow
        assert (await engine.health()).ready
        killed = engine.pid
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        seen = []
        for _ in range(600):
            decision = await decide(engine, question())
            seen.append(decision)
            if decision.allow and engine.pid != killed:
                break
            assert not decision.allow or engine.pid == killed
            await asyncio.sleep(0.05)
        assert seen[-1].allow
        assert engine.pid != killed
        assert (await engine.health()).ready
    finally:
        await engine.close()
    assert not (await decide(engine, question())).allow
    assert not (await engine.health()).ready


async def test_a_child_that_cannot_start_is_said(bundle: PolicyBundle, tmp_path: Path) -> None:
    """A start without the binary fails with its path."""
    with pytest.raises(PolicyUnavailable, match="no-opa"):
        await WatchedOpaEngine(tmp_path / "no-opa", bundle).start()
