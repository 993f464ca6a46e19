"""What the demo leaves behind for whoever wants to check it: files, keys, and the commands that verify each."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from gateway.demo.story import Cast
from gateway.keys import load_keys

README = """\
# What the demo left

Everything here verifies offline; the gateway is gone.

| file | what it is | verify it with |
|---|---|---|
| ledger/ | the exported log | `mydata ledger verify ledger --key "$(cat ledger.vkey)"` |
| trail.json | one citizen's events, opened, with proofs | `mydata ledger verify ledger --key "$(cat ledger.vkey)" --trail trail.json` |
| bundle.mdb | the sealed bundle | `mydata bundle open bundle.mdb --key company.jwk --issuer-keys issuer.jwks` |
| receipt.jws | the citizen's receipt | `mydata receipt verify receipt.jws --issuer-keys issuer.jwks --ledger-key "$(cat ledger.vkey)"` |
| company.jwk | the company's private key: it opens the bundle | |
| issuer.jwks | the gateway's public keys | |
| ledger.vkey | the log's verification key | |

Change any byte of any file and run the command again: it is refused.
Without a witness or an earlier pinned checkpoint the ledger shows integrity only: its operator could have
rewritten it before it was exported.
"""


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
    (target / "README.md").write_text(README)
    return target
