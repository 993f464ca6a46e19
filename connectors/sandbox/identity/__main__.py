"""`python -m connectors.sandbox.identity --port 0 --config FILE`."""

from __future__ import annotations

import argparse
import hashlib
import secrets
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.applications import Starlette

from connectors.sandbox.identity.config import IdentityConfig, read_file, roll, signing_key
from connectors.sandbox.identity.provider import create_provider, public_keys
from connectors.sandbox.serving import Certificate, run


def main(arguments: list[str] | None = None) -> int:
    """Serve until the parent ends; 2 and one sentence for a configuration that cannot be used."""
    parser = argparse.ArgumentParser(prog="connectors.sandbox.identity", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes any free port")
    parser.add_argument(
        "--config", type=Path, required=True, metavar="FILE", help="JSON or YAML, see docs/sandbox.md"
    )
    chosen = parser.parse_args(arguments)
    try:
        given = read_file(chosen.config)
        key = signing_key(given.key)
    except (ValueError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2

    def build(origin: str) -> tuple[Starlette, Mapping[str, Any]]:
        config = IdentityConfig(
            issuer=origin,
            clients={client.client_id: client for client in given.clients},
            holders=frozenset(given.holders),
            people=roll(given),
            today=given.today,
            key=key,
            pairwise_secret=hashlib.sha256(f"sandbox pairwise {given.seed}".encode()).digest(),
            now=lambda: int(time.time()),
            token=lambda: secrets.token_urlsafe(32),
        )
        return create_provider(config), {"jwks": public_keys(config)}

    tls = Certificate(given.tls.certificate, given.tls.key) if given.tls else None
    return run(build, chosen.port, tls)


if __name__ == "__main__":
    sys.exit(main())
