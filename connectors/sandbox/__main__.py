"""`python -m connectors.sandbox holder --sector finance --port 0 --config FILE`."""

from __future__ import annotations

import argparse
import hashlib
import importlib
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import yaml
from starlette.applications import Starlette

from connectors.sandbox.holder import HolderConfig
from connectors.sandbox.people import people
from connectors.sandbox.serving import Certificate, run

SECTORS = ("finance", "telecom", "energy", "retail", "medical")


class Lives(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which people exist: the same for every holder and the identity provider of one sandbox."""

    seed: int
    today: date
    count: int = 12


class Tls(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """PEM files of the server's certificate and key."""

    certificate: str
    key: str


class HolderFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The configuration file (JSON or YAML).

    `operators`: gateway operator code -> public JWK set. `identity`: issuer -> public JWK set.
    """

    id: str
    org_code: str
    operators: dict[str, dict[str, Any]]
    identity: dict[str, dict[str, Any]]
    people: Lives
    page_size: int = 50
    tls: Tls | None = None


def main(arguments: list[str] | None = None) -> int:
    """Serve until the parent ends; 2 and one sentence for a configuration that cannot be used."""
    parser = argparse.ArgumentParser(prog="connectors.sandbox", description=__doc__)
    kinds = parser.add_subparsers(dest="kind", required=True)
    holder = kinds.add_parser("holder", help="serve one holder on 127.0.0.1")
    holder.add_argument("--sector", choices=SECTORS, required=True)
    holder.add_argument("--port", type=int, default=0, help="0 takes any free port")
    holder.add_argument("--config", type=Path, required=True, metavar="FILE", help="JSON or YAML")
    chosen = parser.parse_args(arguments)
    try:
        given = read_file(chosen.config)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2

    def build(origin: str) -> tuple[Starlette, Mapping[str, Any]]:
        return create(chosen.sector, given, origin), {"holder": given.id, "sector": chosen.sector}

    tls = Certificate(given.tls.certificate, given.tls.key) if given.tls else None
    return run(build, chosen.port, tls)


def read_file(file: Path) -> HolderFile:
    """Read the configuration; raises ValueError with one sentence."""
    try:
        return msgspec.convert(yaml.safe_load(file.read_text(encoding="utf-8")), HolderFile)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, msgspec.ValidationError) as error:
        first = str(error).splitlines()[0]
        raise ValueError(f"{file}: cannot be read: {first}") from error


def create(sector: str, given: HolderFile, origin: str) -> Starlette:
    """The server of `connectors.sandbox.SECTOR`, which offers `DATASETS` and `create(config)`."""
    module = importlib.import_module(f"connectors.sandbox.{sector}")
    config = HolderConfig(
        id=given.id,
        org_code=given.org_code,
        origin=origin,
        sector=sector,
        operators=given.operators,
        identity=given.identity,
        people=people(given.people.seed, given.people.count, today=given.people.today),
        datasets=module.DATASETS,
        page_size=given.page_size,
        secret=hashlib.sha256(f"sandbox links {given.id} {given.people.seed}".encode()).digest(),
    )
    app = module.create(config)
    assert isinstance(app, Starlette)  # noqa: S101 - what a sandbox sector MUST give
    return app


if __name__ == "__main__":
    sys.exit(main())
