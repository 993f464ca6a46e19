"""What OPA itself says of a policy, before anybody signs it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from gateway.policy.bundle import default_folder
from gateway.policy.errors import BundleInvalid

SECONDS = 60


def check(opa: Path, folder: Path) -> str:
    """Run `opa check --strict` with this gateway's schemas and capabilities; which OPA passed it.

    The input's shape and the allowed builtins are the gateway's own, never the candidate's: both engines must
    be able to run it. Raises BundleInvalid with what OPA said.
    """
    ours = default_folder()
    limits = ["--schema", str(ours / "schemas"), "--capabilities", str(ours / "capabilities.json")]
    said = _run(opa, "check", "--strict", *limits, "--ignore", "*_test.rego", str(folder / "mydata"))
    if said.returncode != 0:
        raise BundleInvalid((said.stdout + said.stderr).strip()[:2000])
    for file in sorted((folder / "mydata").rglob("*.rego")):
        if "import future.keywords.not\n" not in file.read_text(encoding="utf-8"):
            raise BundleInvalid(f"{file.name}: must import future.keywords.not; without it engines differ")
    version = re.search(r"Version: (\S+)", _run(opa, "version").stdout)
    return f"opa/{version.group(1) if version else 'unknown'}"


def _run(opa: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(  # noqa: S603 - the operator names the OPA
            [str(opa), *arguments], capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BundleInvalid(f"{opa}: cannot be run: {type(error).__name__}") from error
