"""A PKCS #11 token of this process's own: SoftHSM from the system's packages, in a folder of its own.

The library looks for tokens once in a process, so there is one, made before the library is.
"""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
)
PIN = "1234"


def module() -> Path | None:
    """The library, if this machine has SoftHSM."""
    if shutil.which("softhsm2-util") is None:
        return None
    return next((Path(name) for name in MODULES if Path(name).exists()), None)


@cache
def token() -> str:
    """The label of the token; made at the first call."""
    label = f"token-{secrets.token_hex(6)}"
    asked = ["softhsm2-util", "--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", PIN]
    subprocess.run(asked, check=True, capture_output=True, env={**os.environ, "SOFTHSM2_CONF": _config()})
    return label


@cache
def _config() -> str:
    folder = Path(tempfile.mkdtemp(prefix="mydata-tokens-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "tokens").mkdir()
    config = folder / "softhsm2.conf"
    config.write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(config)
    return str(config)
