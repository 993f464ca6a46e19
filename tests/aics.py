"""A verifier and a witness of logs that nobody here wrote: PyPI `aics-tlog`, `aics-witness` (Python >= 3.12).

They need a newer Python than the product may have, so they live in an environment of their own in the cache,
made from tools/aics/requirements.txt (hashes) by a newer Python of the machine; else the reason why not.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PINNED = ROOT / "tools" / "aics" / "requirements.txt"
CACHE = ROOT / ".cache" / "tools"
BUILD_SECONDS = 300
NEEDED = (3, 12)


@cache
def folder() -> tuple[Path | None, str]:
    """The folder with `aics-tlog` and `aics-witness`, or None and why."""
    CACHE.mkdir(parents=True, exist_ok=True)
    place, stamp = CACHE / "aics", CACHE / "aics.txt"
    with (CACHE / "aics.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # test workers ask at the same time
        if (
            stamp.is_file()
            and stamp.read_text() == PINNED.read_text()
            and (place / "bin/aics-tlog").is_file()
        ):
            return place / "bin", ""
        python = _python()
        if python is None:
            return None, "no Python 3.12 or newer for aics-tlog and aics-witness"
        if reason := _install(python, place):
            return None, reason
        stamp.write_text(PINNED.read_text())
        return place / "bin", ""


def _python() -> str | None:
    """A Python that is new enough and runs; MYDATA_NEWER_PYTHON names one."""
    minors = range(NEEDED[1], NEEDED[1] + 4)
    names = [
        os.environ.get("MYDATA_NEWER_PYTHON", ""),
        sys.executable,
        *(f"python3.{minor}" for minor in minors),
    ]
    versions = Path.home() / ".pyenv" / "versions"
    names += [str(path / "bin/python") for minor in minors for path in sorted(versions.glob(f"3.{minor}.*"))]
    asked = f"import sys, venv, ensurepip; sys.exit(sys.version_info < {NEEDED})"
    for name in names:
        found = shutil.which(name) if name else None
        if found and subprocess.run([found, "-c", asked], capture_output=True, check=False).returncode == 0:
            return found
    return None


def _install(python: str, place: Path) -> str:
    shutil.rmtree(place, ignore_errors=True)
    pip = [str(place / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    try:
        for command in ([python, "-m", "venv", str(place)], [*pip, "--require-hashes", "-r", str(PINNED)]):
            done = subprocess.run(command, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False)
            if done.returncode:
                return f"aics-tlog cannot be installed: {done.stderr.strip()[-300:]}"
    except subprocess.TimeoutExpired:
        return f"installing aics-tlog took more than {BUILD_SECONDS} s"
    return ""
