"""The two engines on the policy of this repository."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.policy.bundle import PolicyBundle, load
from gateway.policy.embedded import EmbeddedEngine
from gateway.policy.opa import OpaAddress, OpaEngine
from gateway.policy.server import LocalOpa
from tests import opa


@pytest.fixture(scope="session")
def bundle() -> PolicyBundle:
    """The policy of this repository."""
    return load()


@pytest.fixture(scope="session")
def opa_binary() -> Path:
    """The real OPA; without one the test is skipped with the reason."""
    path, reason = opa.binary()
    if path is None:
        pytest.skip(f"group opa: {reason}")
    return path


@pytest.fixture
def embedded(bundle: PolicyBundle) -> EmbeddedEngine:
    """The engine in this process."""
    return EmbeddedEngine(bundle)


@pytest.fixture
async def local_opa(opa_binary: Path, bundle: PolicyBundle) -> AsyncIterator[LocalOpa]:
    """A real OPA server with the policy of this repository."""
    async with LocalOpa(opa_binary, bundle) as server:
        yield server


@pytest.fixture
async def opa_engine(local_opa: LocalOpa, bundle: PolicyBundle) -> AsyncIterator[OpaEngine]:
    """The engine on that server."""
    engine = OpaEngine(OpaAddress(local_opa.url, timeout_seconds=10), bundle.revision)
    yield engine
    await engine.close()
