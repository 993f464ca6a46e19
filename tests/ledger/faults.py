"""`make faults`: the long run of every class of fault, resumed where the last one stopped.

    python -m tests.ledger.faults [pytest arguments]

MYDATA_FAULTS is how many (1,000), MYDATA_FAULTS_SHARD a part of them (2/4); MYDATA_FAULTS_FRESH=1 begins
anew. Ends with one JSON total over all that was ever done; exit code 1 after any loss or failed test.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

from tests.ledger.faulting import RESULTS, part, read, total

TESTS = [f"tests/ledger/test_{name}.py" for name in ("ledger_faults", "store_faults", "disk_faults")]


def main(arguments: list[str]) -> int:
    """Run, then add up. Returns the exit code."""
    part(os.environ.get("MYDATA_FAULTS_SHARD") or "1/1")
    if os.environ.get("MYDATA_FAULTS_FRESH"):
        RESULTS.unlink(missing_ok=True)
    environment = {**os.environ, "MYDATA_FAULTS": os.environ.get("MYDATA_FAULTS") or "1000"}
    command = [sys.executable, "-m", "pytest", "-q", *TESTS, *arguments]
    done = subprocess.run(command, env=environment, check=False)
    summary = total(read(RESULTS))
    print(json.dumps(summary, indent=1))
    bad = any(summary[name] for name in ("lost", "duplicated", "inconsistent", "late"))
    return int(bool(bad or done.returncode))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
