"""The accessibility rules (axe-core), installed once into .cache/node-axe from the committed lock file."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".cache" / "node-axe"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@cache
def source() -> str:
    """The script; installs it when the lock file has changed. Needs npm."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp, wanted = CACHE / ".installed", (HERE / "package-lock.json").read_text()
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copyfile(HERE / name, CACHE / name)
        if not stamp.exists() or stamp.read_text() != wanted:
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
            subprocess.run(command, cwd=CACHE, check=True, timeout=300)
            stamp.write_text(wanted)
    return (CACHE / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")
