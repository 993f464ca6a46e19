"""OPA over https under an authority of one's own: only that authority's OPA is asked anything."""

from __future__ import annotations

import json
import ssl
from pathlib import Path

import pytest

from gateway.policy.bundle import PolicyBundle
from gateway.policy.decide import decide
from gateway.policy.embedded import EmbeddedEngine
from gateway.policy.opa import OpaAddress, OpaEngine
from tests.authority import make_authority
from tests.policy.lying_opa import lying_opa
from tests.policy.table import question


@pytest.mark.parametrize(
    ("trusted", "cause"), [("own", ""), ("another", "unreachable"), ("public", "unreachable")]
)
async def test_only_under_the_named_authority(
    bundle: PolicyBundle, embedded: EmbeddedEngine, tmp_path: Path, trusted: str, cause: str
) -> None:
    """`opa_ca` is the only authority an https OPA is trusted by; under any other nothing is even asked."""
    folders = {name: tmp_path / name for name in ("own", "another")}
    for folder in folders.values():
        folder.mkdir()
    authorities = {name: make_authority(folder) for name, folder in folders.items()}
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(authorities["own"].certificate, authorities["own"].key)
    ca = None if trusted == "public" else authorities[trusted].bundle
    async with lying_opa(bundle.revision, tls) as opa:
        opa.says(json.loads((await embedded.decide(question())).canonical()))
        engine = OpaEngine(OpaAddress(opa.url, ca=ca, timeout_seconds=5), bundle.revision)
        decision = await decide(engine, question())
        await engine.close()
    assert decision.allow is (cause == "")
    assert [reason.params["cause"] for reason in decision.codes] == ([cause] if cause else [])
    assert len(opa.asked) == (0 if cause else 1)


async def test_an_authority_that_cannot_be_read_is_a_denial(bundle: PolicyBundle, tmp_path: Path) -> None:
    """A missing file, or one that holds no certificate, grants nothing."""
    (tmp_path / "empty.pem").write_text("")
    for ca in (tmp_path / "missing.pem", tmp_path / "empty.pem"):
        engine = OpaEngine(OpaAddress("https://127.0.0.1:9", ca=ca), bundle.revision)
        decision = await decide(engine, question())
        assert [reason.params["cause"] for reason in decision.codes] == ["unreachable"]
        await engine.close()
