"""The sandbox identity provider as a process: says where it is, and ends with its parent."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import httpx


def test_ready_line_and_end_of_input(tmp_path: Path) -> None:
    """It prints its origin and keys once it answers, and ends when standard input closes."""
    file = tmp_path / "identity.json"
    file.write_text(
        json.dumps(
            {
                "clients": [],
                "holders": ["hanbit-bank"],
                "seed": 7,
                "today": "2026-11-22",
                "count": 2,
            }
        )
    )
    command = [sys.executable, "-m", "connectors.sandbox.identity", "--port", "0", "--config", str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        found = httpx.get(f"{ready['origin']}/.well-known/openid-configuration", trust_env=False).json()
        keys = httpx.get(found["jwks_uri"], trust_env=False).json()
        process.stdin.close()
        assert process.wait(10) == 0
    assert ready["ready"] is True
    assert found["issuer"] == ready["origin"]
    assert keys == ready["jwks"]
    assert "d" not in keys["keys"][0]


def test_unreadable_configuration(tmp_path: Path) -> None:
    """A bad file gives one sentence and exit code 2, no traceback."""
    file = tmp_path / "identity.json"
    file.write_text('{"seed": "x"}')
    done = subprocess.run(
        [sys.executable, "-m", "connectors.sandbox.identity", "--config", str(file)],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert done.returncode == 2
    assert "cannot be read" in done.stderr
    assert "Traceback" not in done.stderr
