"""The JavaScript clients, installed once into .cache/node from the committed lock file."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".cache" / "node"
_FILES = (
    "package.json",
    "package-lock.json",
    ".npmrc",
    "client.mjs",
    "openid_client.mjs",
    "openid_signed.mjs",
    "oracle.mjs",
    "signed.mjs",
    "mtls_client.mjs",
    "openid_connect.mjs",
)


def unavailable() -> str | None:
    """Why the clients cannot run here, or None."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return "group node: no node and npm on this machine"
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    return None if int(version.lstrip("v").split(".")[0]) >= 20 else "group node: node is older than 20"


def install() -> Path:
    """The folder with node_modules; installs from the lock file when that has changed."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp, wanted = CACHE / ".installed", (HERE / "package-lock.json").read_text()
        for name in _FILES:
            shutil.copyfile(HERE / name, CACHE / name)
        if not stamp.exists() or stamp.read_text() != wanted:
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
            subprocess.run(command, cwd=CACHE, check=True, timeout=300, env=os.environ.copy())
            stamp.write_text(wanted)
    return CACHE
