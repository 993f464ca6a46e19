"""The real OPA: built once from tools/opa into the cache, or a reason why it is not there."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MODULE = ROOT / "tools" / "opa"
CACHE = ROOT / ".cache" / "tools"
BUILD_SECONDS = 900


@cache
def binary() -> tuple[Path | None, str]:
    """The path of OPA, or None and why. MYDATA_OPA names one that is already there."""
    named = os.environ.get("MYDATA_OPA")
    if named:
        return (Path(named), "") if Path(named).is_file() else (None, f"MYDATA_OPA={named} is not a file")
    CACHE.mkdir(parents=True, exist_ok=True)
    path, stamp = CACHE / "opa", CACHE / "opa.sum"
    wanted = _wanted()
    with (CACHE / "opa.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if path.is_file() and stamp.is_file() and stamp.read_text() == wanted:
            return path, ""
        reason = _build(path)
        if reason:
            return None, reason
        stamp.write_text(wanted)
        return path, ""


def _build(path: Path) -> str:
    go = shutil.which("go") or ("/usr/local/go/bin/go" if Path("/usr/local/go/bin/go").is_file() else None)
    if go is None:
        return "no go compiler to build OPA with (MYDATA_OPA can name a binary)"
    command = [go, "build", "-o", str(path), "github.com/open-policy-agent/opa"]
    nice = shutil.which("nice")
    try:
        done = subprocess.run(
            [nice, "-n", "10", *command] if nice else command,
            cwd=MODULE,
            env=_environment(),
            capture_output=True,
            text=True,
            timeout=BUILD_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"building OPA took more than {BUILD_SECONDS} s"
    return "" if done.returncode == 0 else f"building OPA failed: {done.stderr.strip()[-400:]}"


def _environment() -> dict[str, str]:
    env = {**os.environ, "GOFLAGS": "-mod=readonly", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}
    if "HOME" not in env:
        cache = ROOT / ".cache" / "go"
        env.setdefault("GOPATH", str(cache))
        env.setdefault("GOMODCACHE", str(cache / "mod"))
        env.setdefault("GOCACHE", str(cache / "build"))
    return env


def _wanted() -> str:
    return (MODULE / "go.mod").read_text() + (MODULE / "go.sum").read_text()
