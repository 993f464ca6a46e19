"""A real OPA that dies, comes back, serves another policy, or listens on a socket file."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.policy.breaker import Breaker
from gateway.policy.bundle import PolicyBundle, of
from gateway.policy.decide import decide
from gateway.policy.errors import PolicyUnavailable
from gateway.policy.opa import OpaAddress, OpaEngine
from gateway.policy.server import LocalOpa
from tests.policy.table import question

pytestmark = pytest.mark.opa
ROOT = Path(__file__).resolve().parents[2]


async def test_killed_it_denies_and_back_it_allows(
    opa_binary: Path, bundle: PolicyBundle, tmp_path: Path
) -> None:
    """While OPA is dead every answer is a denial at once; when it is back the next probe allows again."""
    socket = tmp_path / "opa.sock"
    now = [0.0]
    breaker = Breaker(failures=2, rest_seconds=10, clock=lambda: now[0])
    engine = OpaEngine(OpaAddress(unix_socket=socket, timeout_seconds=5), bundle.revision, breaker=breaker)
    async with LocalOpa(opa_binary, bundle, unix_socket=socket) as first:
        assert (await decide(engine, question())).allow
        assert first.pid is not None
        os.kill(first.pid, signal.SIGKILL)
        await first.stop()
        for _ in range(3):
            decision = await decide(engine, question())
            assert not decision.allow
            assert not decision.available
        assert decision.codes[0].params["cause"] == "breaker"
        assert not (await engine.health()).ready
    socket.unlink(missing_ok=True)
    async with LocalOpa(opa_binary, bundle, unix_socket=socket):
        now[0] = 11
        assert (await decide(engine, question())).allow
        assert (await engine.health()).ready
        assert socket.stat().st_mode & 0o077 == 0
    await engine.close()


async def test_another_policy_on_the_server_is_a_denial(opa_binary: Path, bundle: PolicyBundle) -> None:
    """A server that was given one changed byte of policy answers on another revision: denied, not ready."""
    changed = {**bundle.files, "mydata/law/law.rego": bundle.files["mydata/law/law.rego"] + b"# changed\n"}
    async with LocalOpa(opa_binary, of(changed)) as server:
        engine = OpaEngine(OpaAddress(server.url, timeout_seconds=5), bundle.revision)
        decision = await decide(engine, question())
        assert decision.codes[0].params["cause"] == "revision"
        assert (await engine.health()).cause == "revision"
        await engine.close()


async def test_a_policy_without_its_data_is_a_denial(opa_binary: Path, bundle: PolicyBundle) -> None:
    """Even on the expected revision, a server whose reference data is missing grants nothing."""
    bare = of({path: data for path, data in bundle.files.items() if not path.endswith(".json")})
    async with LocalOpa(opa_binary, bare) as server:
        engine = OpaEngine(OpaAddress(server.url, timeout_seconds=5), bare.revision)
        decision = await decide(engine, question())
        assert not decision.allow
        assert decision.granted == ()
        await engine.close()


async def test_many_at_once_get_their_own_answers(local_opa: LocalOpa, bundle: PolicyBundle) -> None:
    """Fifty questions in flight over one pool each get the answer to their own."""
    engine = OpaEngine(OpaAddress(local_opa.url, timeout_seconds=20), bundle.revision)
    ages = [13 if n % 2 else 40 for n in range(50)]
    asked = [question({"op": "replace", "path": "/subject/age", "value": age}) for age in ages]
    answers = await asyncio.gather(*(decide(engine, q) for q in asked))
    assert [a.allow for a in answers] == [age >= 14 for age in ages]
    await engine.close()


async def test_a_missing_binary_is_named(bundle: PolicyBundle, tmp_path: Path) -> None:
    """Starting what is not there fails with its path, and leaves nothing behind."""
    with pytest.raises(PolicyUnavailable, match="no-such-opa"):
        await LocalOpa(tmp_path / "no-such-opa", bundle).start()


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="group opa: the parent's death is told by Linux only"
)
def test_it_ends_with_its_parent(opa_binary: Path) -> None:
    """When the process that started OPA is killed, OPA ends too."""
    program = (
        "import asyncio,sys\nfrom pathlib import Path\n"
        "from gateway.policy.bundle import load\nfrom gateway.policy.server import LocalOpa\n"
        "async def main():\n"
        "    opa = await LocalOpa(Path(sys.argv[1]), load()).start()\n"
        "    print(opa.pid, flush=True)\n    await asyncio.sleep(60)\nasyncio.run(main())\n"
    )
    command = [sys.executable, "-c", program, str(opa_binary)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
        parent.wait()
    for _ in range(200):
        if not _alive(child):
            return
        subprocess.run(["sleep", "0.05"], check=True)
    os.kill(child, signal.SIGKILL)
    raise AssertionError("OPA outlived its parent")


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in {"Z", "X"}
