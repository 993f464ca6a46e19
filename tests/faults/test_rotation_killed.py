"""kill -9 at every step of a rotation: the keys are those before or those after, and the next try works."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gateway.keys import create_keys, load_keys
from gateway.keys.manifest import ANNOUNCE_SECONDS

CHILD = """
import os, signal, sys, time
from pathlib import Path
from gateway.keys import load_keys

folder, fatal, verb = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
keys = load_keys(folder)
calls = 0

def dying(real):
    def call(*given, **named):
        global calls
        calls += 1
        if calls == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*given, **named)
    return call

for name in ("open", "fsync", "link", "unlink"):
    setattr(os, name, dying(getattr(os, name)))
now = int(time.time())
if verb == "rotate":
    keys.house.rotate("ES256", now)
else:
    keys.house.revoke(keys.signing.current.kid, now)
    keys.house.sweep(now)
"""


def run(folder: Path, fatal: int, verb: str) -> bool:
    """Do `verb` in a process that dies at its `fatal`-th step; whether it came to its end."""
    done = subprocess.run([sys.executable, "-c", CHILD, str(folder), str(fatal), verb], check=False)
    assert done.returncode in (0, -9)
    return done.returncode == 0


@pytest.mark.parametrize("verb", ["rotate", "revoke"])
def test_a_process_killed_at_any_step_leaves_keys_that_work(tmp_path: Path, verb: str) -> None:
    """Whatever step was the last, every process reads whole keys, signs, and can do the same again."""
    for step in range(1, 40):
        folder = tmp_path / f"keys-{step}"
        create_keys(folder)
        first = load_keys(folder).signing.current.kid
        finished = run(folder, step, verb)
        keys = load_keys(folder)
        assert keys.house is not None
        kids = [jwk["kid"] for jwk in keys.signing.jwks()["keys"]]
        assert keys.signing.sign({"sub": "a"}, "JWT")
        if verb == "rotate":
            assert kids[0] == first
            assert len(kids) in ((2,) if finished else (1, 2))
        else:
            assert len(kids) == 1
            assert not finished or kids != [first]
        again = keys.house.rotate("ES256", 2_000_000_000)
        keys.house.refresh(2_000_000_000 + ANNOUNCE_SECONDS)
        assert keys.signing.current.kid == again.kid
        if finished:
            return
    raise AssertionError("the process never came to its end")


RACER = """
import sys, time
from pathlib import Path
from gateway.keys import load_keys

folder, at, period = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
keys = load_keys(folder, now=at)
sys.stdout.write("ready\\n")
sys.stdout.flush()
sys.stdin.readline()
print(len(keys.house.rotate_due(at, period)))
"""


def test_of_four_processes_at_once_one_rotates(tmp_path: Path) -> None:
    """All find the key due in the same moment: one announces, the others follow, nothing is left over."""
    create_keys(tmp_path / "keys")
    house = load_keys(tmp_path / "keys").house
    assert house is not None
    at = house.manifest.keys[0].active_from + 90 * 86_400
    command = [sys.executable, "-c", RACER, str(tmp_path / "keys"), str(at), str(90 * 86_400)]
    piped = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    racers = [subprocess.Popen(command, **piped) for _ in range(4)]  # type: ignore[call-overload]
    for racer in racers:
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        racer.stdin.write("go\n")
        racer.stdin.flush()
    made = [int(racer.communicate(timeout=60)[0]) for racer in racers]
    assert sum(made) == 1
    after = load_keys(tmp_path / "keys", now=at).house
    assert after is not None
    assert len(after.manifest.keys) == 2
    assert len(list((tmp_path / "keys").glob("signing*.pem"))) == 2
    assert not list((tmp_path / "keys").glob(".signing-*"))
