"""Writes package-lock.json anew, without any address: `python -m tests.node.lock` (needs npm)."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

HERE = Path(__file__).parent


def main() -> None:
    """Resolve package.json and keep what `npm ci` needs: names, versions, integrity, dependencies."""
    subprocess.run(["npm", "install", "--package-lock-only", "--silent"], cwd=HERE, check=True)
    path = HERE / "package-lock.json"
    lock = json.loads(path.read_text())
    for package in lock["packages"].values():
        for member in ("resolved", "funding"):
            package.pop(member, None)
    path.write_text(json.dumps(lock, indent=2) + "\n")


if __name__ == "__main__":
    main()
