"""`make test`: prepare the real parts once, run the whole suite, name every group that could not run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests import aics, opa
from tests.browser import axe
from tests.node import installed

ROOT = Path(__file__).resolve().parents[1]


def main(arguments: list[str]) -> int:
    """Run the suite; extra arguments go to pytest. Returns pytest's exit code."""
    _prepare()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(os.environ.get("MYDATA_SKIP_REPORT") or Path(folder) / "skips.json")
        environment = {**os.environ, "MYDATA_SKIP_REPORT": str(report), "PYTHONHASHSEED": "0"}
        # A test waits for processes of its own half of the time: one worker more than there are cores.
        workers = os.environ.get("MYDATA_TEST_WORKERS") or str((os.cpu_count() or 1) + 1)
        command = [sys.executable, "-m", "pytest", "-n", workers, "--dist", "worksteal", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=environment, check=False)
        skips = json.loads(report.read_text()) if report.exists() else {}
    if skips:
        print("\nGROUPS THAT DID NOT RUN")
        for reason, count in skips.items():
            print(f"  {count:4d}  {reason}")
    return done.returncode


def _prepare() -> None:
    """Make what the suite needs once, before workers start and clocks run: OPA, Regal, JavaScript clients."""
    for tool in opa.PACKAGES:
        path, reason = opa.binary(tool)
        print(f"{tool}: {path or 'not available: ' + reason}", flush=True)
    place, reason = aics.folder()
    print(f"aics-tlog, aics-witness: {place or 'not available: ' + reason}", flush=True)
    if reason := installed.unavailable():
        print(f"JavaScript clients: not available: {reason}", flush=True)
    else:
        print(f"JavaScript clients: {installed.install()}, {len(axe.source())} characters of axe", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
