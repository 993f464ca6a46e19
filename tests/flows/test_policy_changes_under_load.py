"""The policy changes while companies ask: each answer is made by the one revision or the other, whole."""

from __future__ import annotations

import asyncio
import json
import tempfile
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.policy import lifecycle, revisions
from gateway.policy.bundle import PolicyBundle, load, of
from gateway.policy.signatures import read_signers
from tests import opa as tools
from tests.flows.policy_load import ASKERS, Load
from tests.flows.policy_load import load as asking
from tests.serving import left_port
from tests.world import World, open_world

pytestmark = pytest.mark.opa

KEYS = {name: Ed25519PrivateKey.generate() for name in ("ara", "bora")}
OLD, NEW = 90, 30


@pytest.fixture
def binary() -> Path:
    """The real OPA."""
    path, reason = tools.binary()
    if path is None:
        pytest.skip(f"group opa: {reason}")
    return path


def signers(folder: Path) -> Path:
    """The file of who may build and approve."""
    public = {name: b64encode(key.public_key().public_bytes_raw()).decode() for name, key in KEYS.items()}
    file = folder / "signers.yaml"
    file.write_text(yaml.safe_dump(public))
    return file


def stricter() -> PolicyBundle:
    """The policy that lets data be kept for fewer days."""
    path = "mydata/reference/data.json"
    data = json.loads(load().files[path])
    data["limits"]["retention_days"][0]["value"] = NEW
    return of({**load().files, path: json.dumps(data).encode()})


async def activate(world: World, bundle: PolicyBundle, *, sound: bool = True) -> None:
    """Build, approve and activate; unless `sound` the kept bytes are then those of another policy."""
    now, trusted = world.clock.seconds, read_signers(world.folder / "signers.yaml")
    async with world.database.transaction() as session:
        ara, bora = KEYS["ara"], KEYS["bora"]
        await lifecycle.build(session, bundle, trusted, by="ara", key=ara, checked_by="opa", at=now)
        row = await revisions.row(session, bundle.revision)
        assert row is not None
        await lifecycle.approve(session, row, trusted, by="bora", key=bora, at=now)
    async with world.database.transaction() as session:
        row = await revisions.row(session, bundle.revision)
        assert row is not None
        journal = world.parts.journal
        await lifecycle.activate(session, journal, row, trusted, by="bora", party="operator", at=now)
        if not sound:
            row.archive = load().tarball()
            session.add(row)


def turned_once(told: Load) -> None:
    """Every asker heard the old policy, then the new one, and no mixture of both."""
    assert told.policies == {(load().revision, OLD), (stricter().revision, NEW)}
    for asker in range(ASKERS):
        assert told.of(asker) == [load().revision, stricter().revision]


@pytest.mark.parametrize("engine", ["embedded", "opa"])
async def test_a_new_policy_takes_over_without_a_gap(tmp_path: Path, binary: Path, engine: str) -> None:
    """Under load nobody is refused, nobody goes back, and no answer is made of two revisions."""
    beside = {"opa_binary": binary} if engine == "opa" else {}
    policy = {"policy_engine": engine, "policy_signers": signers(tmp_path), **beside}
    async with open_world(tmp_path, **policy) as world:
        given = await world.given()
        async with asking(world, given) as told:
            await activate(world, stricter())
            await told.until(lambda: all(len(told.of(asker)) == 2 for asker in range(ASKERS)))
            await told.comes(200)
        turned_once(told)
        assert told.counts[503] == 0


async def test_a_bad_policy_under_load_changes_nothing(tmp_path: Path) -> None:
    """What was changed after its approval is refused while companies ask: they notice nothing."""
    async with open_world(tmp_path, policy_signers=signers(tmp_path)) as world:
        given = await world.given()
        async with asking(world, given) as told:
            await activate(world, stricter(), sound=False)
            await told.until(lambda: "refused" in world.parts.engine.trouble)
            await told.comes(200)
        assert told.policies == {(load().revision, OLD)}
        assert told.counts[503] == 0


@asynccontextmanager
async def polling_opa(binary: Path, gateway: str, port: int) -> AsyncIterator[None]:
    """An OPA of somebody's own that fetches the policy from the gateway each second."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "opa.yaml"
        polling = {"min_delay_seconds": 1, "max_delay_seconds": 1}
        bundle = {"service": "gateway", "resource": "policy/bundle.tar.gz", "polling": polling}
        services = {"gateway": {"url": gateway}}
        file.write_text(yaml.safe_dump({"services": services, "bundles": {"mydata": bundle}}))
        process = await asyncio.create_subprocess_exec(
            str(binary),
            *("run", "--server", "--disable-telemetry", "--log-level=error"),
            *(f"--config-file={file}", f"--addr=127.0.0.1:{port}"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            yield
        finally:
            process.kill()
            await process.wait()


async def ready(world: World) -> None:
    """Wait until the gateway can decide."""
    for _ in range(400):
        if (await world.http.get(f"{world.origin}/readyz")).status_code == httpx.codes.OK:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it never became ready")


async def test_an_opa_of_ones_own_follows_under_load(tmp_path: Path, binary: Path) -> None:
    """OPA loads the new policy from the gateway by itself; whatever it answers meanwhile is never mixed."""
    port = left_port()
    opa = f"http://127.0.0.1:{port}"
    async with (
        open_world(tmp_path, opa=opa, policy_signers=signers(tmp_path)) as world,
        polling_opa(binary, world.origin, port),
    ):
        await ready(world)
        given = await world.given()
        async with asking(world, given) as told:
            await activate(world, stricter())
            await told.until(lambda: all(len(told.of(asker)) == 2 for asker in range(ASKERS)))
            await told.comes(200)
        turned_once(told)
        await ready(world)
