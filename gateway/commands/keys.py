"""`mydata keys init DIR` makes the gateway's keys; `mydata keys show DIR` prints their public halves."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from consent.ledger.checkpoint import vkey
from consent.ledger.errors import LedgerFormatError
from gateway.commands.inputs import InputUnusableError, make_folder
from gateway.keys import KeysError, create_keys, load_keys
from gateway.settings import Settings

_ORIGIN: str = Settings.model_fields["ledger_origin"].default


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the `keys` group."""
    group = subparsers.add_parser("keys", help="make and show the gateway's keys")
    verbs = group.add_subparsers(metavar="VERB", required=True)
    init = verbs.add_parser("init", help="make a new set of keys in an empty folder")
    init.add_argument("folder", type=Path, metavar="DIR", help="made if it is not there")
    init.set_defaults(run=_init)
    show = verbs.add_parser("show", help="print the public keys as JSON")
    show.add_argument("folder", type=Path, metavar="DIR", help="the folder `keys init` made")
    show.add_argument("--origin", default=_ORIGIN, help="name of the log (settings: ledger_origin)")
    show.set_defaults(run=_show)


def _init(arguments: argparse.Namespace) -> int:
    try:
        make_folder(arguments.folder)
        create_keys(arguments.folder)
    except (KeysError, InputUnusableError) as error:
        print(f"mydata: {error}", file=sys.stderr)
        return 2
    print(f"New keys in {arguments.folder}.")
    print("Keep a copy offline, apart from the database: without these keys what is stored cannot be opened,")
    print("and no token, receipt or log can be continued.")
    return 0


def _show(arguments: argparse.Namespace) -> int:
    try:
        keys = load_keys(arguments.folder)
        ledger = vkey(arguments.origin, keys.ledger.public_key())
    except (KeysError, LedgerFormatError) as error:
        print(f"mydata: {error}", file=sys.stderr)
        return 2
    shown = {
        "jwks": keys.signing.jwks(),
        "holder_requests": keys.holder_requests.jwk(),
        "ledger": ledger,
    }
    print(json.dumps(shown, indent=2))
    return 0
