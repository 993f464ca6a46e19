"""`mydata demo`: the product's main job, played with generated people."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from gateway.commands.inputs import InputUnusableError


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    command = subparsers.add_parser(
        "demo",
        help="the whole way with generated people, from consent to a verified bundle",
        description="Start a gateway, an identity provider and five holders, take a citizen and a company "
        "through the whole story, and check every step. Exit code 0 only if every check held.",
    )
    command.add_argument("--json", action="store_true", help="print the result as one JSON object")
    command.add_argument(
        "--out", type=Path, metavar="DIR", help="leave ledger, bundle, receipt, keys and a README here"
    )
    command.add_argument(
        "--serve", action="store_true", help="keep everything up afterwards and print the addresses"
    )
    command.add_argument(
        "--seed", type=int, default=2026, help="which people are generated (default: %(default)s)"
    )
    command.add_argument("--database", metavar="URL", help="use this empty store instead of a SQLite file")
    command.add_argument("--opa", metavar="URL", help="ask this OPA server instead of the embedded engine")
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Play the story."""
    from gateway.demo.play import play

    if chosen.out is not None:
        _refuse_to_mix(chosen.out)
    return asyncio.run(play(chosen))


def _refuse_to_mix(folder: Path) -> None:
    """Only an empty folder, a new one, or what an earlier demo left is written over."""
    if folder.exists() and not folder.is_dir():
        raise InputUnusableError(f"{folder}: is a file, not a folder")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "ledger.vkey").is_file():
        raise InputUnusableError(f"{folder}: holds something else than an earlier demo; name a new folder")
