"""`mydata ledger second-key FILE --origin ORIGIN` makes the ML-DSA-44 key that also signs checkpoints."""

from __future__ import annotations

import argparse
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from consent.clock import utc_now
from consent.ledger.errors import LedgerFormatError
from consent.ledger.shards import origin_at
from gateway.commands.inputs import InputUnusableError, write_private
from gateway.ledger.watch import read_second_key, second_vkey


def register(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `second-key` to the ledger's verbs."""
    made = verbs.add_parser("second-key", help="make, or show, the ML-DSA-44 key that also signs checkpoints")
    made.add_argument("file", type=Path, metavar="FILE", help="made if it is not there; readable by you only")
    made.add_argument("--origin", required=True, help="the log's name: setting ledger_origin")
    made.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    if not arguments.file.exists():
        key = MLDSA44PrivateKey.generate()
        form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        write_private(arguments.file, key.private_bytes(*form))
    try:
        print(second_vkey(origin_at(arguments.origin, utc_now()), read_second_key(arguments.file)))
    except LedgerFormatError as error:
        raise InputUnusableError(str(error)) from None
    return 0
