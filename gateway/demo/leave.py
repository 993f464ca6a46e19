"""What the demo leaves behind: files, keys, and the commands that verify each offline."""

from __future__ import annotations

import json
import shutil
from importlib import resources
from pathlib import Path

from gateway.demo.story import Cast
from gateway.keys import load_keys


def leave(cast: Cast, target: Path) -> Path:
    """Copy ledger, trail, bundle, receipt and keys to `target`, which is made; the folder again."""
    source = cast.world.plan.folder
    target.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(target / "ledger", ignore_errors=True)
    shutil.copytree(source / "ledger", target / "ledger")
    shutil.copy(source / "trail.json", target / "trail.json")
    (target / "bundle.mdb").write_bytes(cast.sealed)
    (target / "receipt.jws").write_bytes(cast.receipt)
    key = target / "company.jwk"
    key.touch(mode=0o600)
    key.write_text(json.dumps(cast.world.company_keys.sealing_private()))
    jwks = load_keys(source / "keys").signing.jwks()
    (target / "issuer.jwks").write_text(json.dumps(jwks))
    (target / "ledger.vkey").write_text(cast.story.facts["vkey"])
    (target / "README.md").write_text(resources.files("gateway.demo").joinpath("left.md").read_text())
    return target
