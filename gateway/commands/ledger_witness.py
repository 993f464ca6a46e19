"""`mydata ledger witness` watches a log for others; `mydata ledger mirror` keeps a checked copy of one."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import uvicorn
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consent.ledger.errors import LedgerFormatError
from consent.ledger.verify import Finding, Report, Trust, source_of
from gateway.commands.inputs import (
    InputUnusableError,
    make_folder,
    read_bytes,
    read_json_object,
    write_private,
)
from gateway.ledger.mirror import mirror
from gateway.ledger.witness import Witness, witness_app

KEY, SETTINGS = "witness.pem", "witness.json"


def register(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `witness` and `mirror` to the ledger's verbs."""
    group = verbs.add_parser("witness", help="watch a log: cosign what continues it, refuse the rest")
    steps = group.add_subparsers(metavar="STEP", required=True)
    made = steps.add_parser("init", help="make a witness's key and folder; prints its key")
    made.add_argument("folder", type=Path, metavar="DIR")
    made.add_argument("--name", required=True, help="as it signs: bank.example.kr/witness")
    made.add_argument("--log", required=True, action="append", metavar="VKEY", help="a log's key, or several")
    made.set_defaults(run=_init)
    served = steps.add_parser("serve", help="answer add-checkpoint requests")
    served.add_argument("folder", type=Path, metavar="DIR")
    served.add_argument("--host", default="127.0.0.1")
    served.add_argument("--port", type=int, default=8470)
    served.set_defaults(run=_serve)
    copied = verbs.add_parser("mirror", help="bring a checked copy of a log up to date; run it by a timer")
    copied.add_argument("folder", type=Path, metavar="DIR")
    copied.add_argument("place", metavar="ADDRESS", help="https://GATEWAY/ledger, a folder or a tar file")
    copied.add_argument("--key", required=True, action="append", metavar="VKEY", help="the log's key")
    copied.add_argument("--policy", type=Path, metavar="FILE", help="witnesses and quorum it must have")
    copied.add_argument("--token", type=Path, metavar="FILE", help="file of the token that opens entries")
    copied.add_argument("--hashes-only", action="store_true", help="do not copy entries")
    copied.set_defaults(run=_mirror)


def _init(arguments: argparse.Namespace) -> int:
    make_folder(arguments.folder)
    if (arguments.folder / KEY).exists():
        raise InputUnusableError(f"{arguments.folder / KEY}: is there already; a witness has one key")
    key = Ed25519PrivateKey.generate()
    try:
        Trust.of([arguments.log[0]])
        witness = Witness(arguments.folder, arguments.name, key, arguments.log)
    except (Finding, LedgerFormatError) as error:
        raise InputUnusableError(str(error)) from None
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_private(arguments.folder / KEY, pem)
    named = {"name": arguments.name, "logs": arguments.log}
    write_private(arguments.folder / SETTINGS, json.dumps(named, indent=1).encode() + b"\n")
    print(witness.vkey)
    return 0


def load_witness(folder: Path) -> Witness:
    """The witness of a folder made by `init`; InputUnusableError when it cannot be one."""
    settings: dict[str, Any] = read_json_object(folder / SETTINGS)
    try:
        key = serialization.load_pem_private_key(read_bytes(folder / KEY, 10_000), None)
        if not isinstance(key, Ed25519PrivateKey):
            raise InputUnusableError(f"{folder / KEY}: not an Ed25519 key")
        for log in settings["logs"]:
            Trust.of([log])
        return Witness(folder, settings["name"], key, settings["logs"])
    except (Finding, LedgerFormatError, KeyError, TypeError, ValueError) as error:
        raise InputUnusableError(f"{folder}: not a witness's folder: {error}") from None


def _serve(arguments: argparse.Namespace) -> int:
    witness = load_witness(arguments.folder)
    print(f"witness {witness.vkey} at http://{arguments.host}:{arguments.port}", flush=True)
    uvicorn.run(witness_app(witness), host=arguments.host, port=arguments.port, log_level="warning")
    return 0


def _mirror(arguments: argparse.Namespace) -> int:
    make_folder(arguments.folder)
    policy = read_bytes(arguments.policy, 262_144) if arguments.policy else None
    token = read_bytes(arguments.token, 4096).decode().strip() if arguments.token else None
    try:
        trust, source = Trust.of(arguments.key, policy), source_of(arguments.place, token)
    except Finding as finding:
        report = Report(findings=[finding])
    else:
        report = mirror(arguments.folder, source, trust, entries=not arguments.hashes_only)
    sys.stdout.write(report.as_text())
    return report.exit_code
