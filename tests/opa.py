"""Real tools in Go: OPA and Regal for the policy, tlog for the ledger; built once, or a reason why not."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".cache" / "tools"
BUILD_SECONDS = 900
PACKAGES = {
    "opa": "github.com/open-policy-agent/opa",
    "regal": "github.com/open-policy-agent/regal",
    "tlog": ".",
}


@cache
def binary(tool: str = "opa") -> tuple[Path | None, str]:
    """The path of `tool`, or None and why. MYDATA_OPA, MYDATA_REGAL name one that is already there."""
    variable = f"MYDATA_{tool.upper()}"
    if named := os.environ.get(variable):
        return (Path(named), "") if Path(named).is_file() else (None, f"{variable}={named} is not a file")
    CACHE.mkdir(parents=True, exist_ok=True)
    path, stamp, module = CACHE / tool, CACHE / f"{tool}.sum", ROOT / "tools" / tool
    sources = [module / "go.mod", module / "go.sum", *sorted(module.glob("*.go"))]
    wanted = "".join(source.read_text() for source in sources)
    with (CACHE / f"{tool}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # test workers ask at the same time
        if path.is_file() and stamp.is_file() and stamp.read_text() == wanted:
            return path, ""
        if reason := _build(tool, module, path):
            return None, reason
        stamp.write_text(wanted)
        return path, ""


def _build(tool: str, module: Path, path: Path) -> str:
    go = _go()
    if go is None:
        return f"no go compiler to build {tool} with (MYDATA_{tool.upper()} can name a binary)"
    nice = shutil.which("nice")
    command = [go, "build", "-o", str(path), PACKAGES[tool]]
    try:
        done = subprocess.run(
            [nice, "-n", "10", *command] if nice else command,
            cwd=module,
            env=_environment(),
            capture_output=True,
            text=True,
            timeout=BUILD_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"building {tool} took more than {BUILD_SECONDS} s"
    return "" if done.returncode == 0 else f"building {tool} failed: {done.stderr.strip()[-400:]}"


def _go() -> str | None:
    usual = Path("/usr/local/go/bin/go")
    return shutil.which("go") or (str(usual) if usual.is_file() else None)


def _environment() -> dict[str, str]:
    """Go's own, read-only modules, and its folders in the cache where there is no home for them."""
    env = {**os.environ, "GOFLAGS": "-mod=readonly", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}
    if "HOME" not in env:
        folder = ROOT / ".cache" / "go"
        env.setdefault("GOPATH", str(folder))
        env.setdefault("GOMODCACHE", str(folder / "mod"))
        env.setdefault("GOCACHE", str(folder / "build"))
    return env
