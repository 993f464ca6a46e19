"""No test runs for ever: whatever it waits for, its time limit ends it, and its name is told."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

SETTINGS = """
[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
timeout = 1
"""
SOON = """
import tests.conftest

tests.conftest.LAST_RESORT_SECONDS = 1
"""
ENDLESS = """
import asyncio, pytest, threading, time

async def test_asleep():
    await asyncio.sleep(1000)

async def test_future():
    await asyncio.get_running_loop().create_future()

async def test_thread():
    await asyncio.to_thread(threading.Event().wait, 3)

def test_blocked():
    time.sleep(1000)

@pytest.fixture
async def kept():
    yield
    await asyncio.sleep(1000)

async def test_kept(kept):
    pass

def test_deaf():
    while True:
        try:
            time.sleep(1000)
        except BaseException:
            pass

async def test_next():
    await asyncio.sleep(0)
"""


def test_what_waits_for_ever_fails_with_its_name_and_the_next_runs(tmp_path: Path) -> None:
    """Asleep, blocked, not let go of: each fails. One that takes no end goes by its process."""
    (tmp_path / "pytest.ini").write_text(SETTINGS)
    (tmp_path / "conftest.py").write_text(SOON)
    (tmp_path / "test_it.py").write_text(ENDLESS)
    asked = (
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.conftest",
        "-p",
        "no:cacheprovider",
        "-n",
        "1",
        "-rA",
    )
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2]), "MYDATA_SKIP_REPORT": ""}
    run = subprocess.run(
        asked, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=100, check=False
    )
    ends = re.findall(r"^(?:FAILED|ERROR|PASSED) test_it.py::.*$", run.stdout, re.MULTILINE)
    over = "Failed: Timeout (>1.0s) from pytest-timeout."
    assert sorted(end for end in ends if "deaf" not in end) == [
        f"ERROR test_it.py::test_kept - {over}",
        f"FAILED test_it.py::test_asleep - {over}",
        f"FAILED test_it.py::test_blocked - {over}",
        f"FAILED test_it.py::test_future - {over}",
        f"FAILED test_it.py::test_thread - {over}",
        "PASSED test_it.py::test_kept",
        "PASSED test_it.py::test_next",
    ], run.stdout
    assert "crashed while running 'test_it.py::test_deaf'" in run.stdout, run.stdout
    assert "test_it.py:5>" in run.stdout, "where the task stood"
    assert 'test_it.py", line' in run.stderr, run.stderr
