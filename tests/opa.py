"""Real tools in Go: OPA and Regal for the policy, tlog for the ledger; built once, or a reason why not."""

from __future__ import annotations

import fcntl
import os
import re
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
    wanted = re.findall(r"^go (\S+)", (module / "go.mod").read_text(), re.MULTILINE)[0]
    go = _go(wanted)
    if go is None:
        return f"no go {wanted} or newer to build {tool} with (MYDATA_{tool.upper()} can name a binary)"
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


def _go(wanted: str) -> str | None:
    """The first Go compiler that is new enough: a machine may have an old one before it on the path."""
    folders = [*os.environ.get("PATH", "").split(os.pathsep), "/usr/local/go/bin"]
    found = [shutil.which("go", path=folder) for folder in folders if folder]
    return next((go for go in found if go and _version(_said(go)) >= _version(wanted)), None)


def _said(go: str) -> str:
    asked = [go, "env", "GOVERSION"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False, env=_environment())
    return done.stdout


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text))


def _environment() -> dict[str, str]:
    """Go's own, read-only modules, and its folders in the cache where there is no home for them."""
    env = {**os.environ, "GOFLAGS": "-mod=readonly", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}
    if "HOME" not in env:
        folder = ROOT / ".cache" / "go"
        env.setdefault("GOPATH", str(folder))
        env.setdefault("GOMODCACHE", str(folder / "mod"))
        env.setdefault("GOCACHE", str(folder / "build"))
    return env


if __name__ == "__main__":
    for each in PACKAGES:
        print(f"{each}: {' '.join(map(str, filter(None, binary(each))))}", flush=True)
