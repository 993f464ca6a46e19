"""`mydata receipt verify FILE --issuer-keys JWKS [--ledger-key VKEY]`: check a citizen's receipt offline."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from consent import exporting
from consent.receipt_verify import ReceiptError, verify
from gateway.commands.inputs import InputUnusableError, printable, read_bytes, read_key_set
from gateway.commands.receipt_words import lines

EPILOG = """\
exit code:  0 verified    1 refused: changed, not signed by these keys, or not in this log
            2 a file could not be read

Get the keys from the gateway's published key set and the log's key from a second place you trust.
Without --ledger-key the receipt shows only what the gateway signed, not that its log holds it.
"""


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the `receipt` group."""
    group = subparsers.add_parser("receipt", help="verify a citizen's receipt")
    verbs = group.add_subparsers(metavar="VERB", required=True)
    verb = verbs.add_parser(
        "verify",
        help="verify a receipt offline",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verb.add_argument("file", type=Path, metavar="FILE", help="a receipt (one line) or an export")
    verb.add_argument("--issuer-keys", type=Path, required=True, metavar="JWKS", help="the gateway's keys")
    verb.add_argument("--ledger-key", metavar="VKEY", help="the log's verification key, origin+hash+base64")
    verb.add_argument("--json", action="store_true", help="print one JSON object")
    verb.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    try:
        data, keys = read_bytes(arguments.file, exporting.MAX_BYTES), read_key_set(arguments.issuer_keys)
        if data.startswith(b"{"):
            payload = exporting.verify(data, keys, arguments.ledger_key)
        else:
            payload = verify(data.removesuffix(b"\n"), keys, arguments.ledger_key)
    except ReceiptError as error:
        what = str(error.params.get("what", ""))
        if arguments.json:
            print(json.dumps({"verified": False, "code": error.code, "what": what}))
        else:
            print(f"REFUSED {error.code}: {what}.", file=sys.stderr)
        return 1
    except InputUnusableError as error:
        print(f"mydata: {error}", file=sys.stderr)
        return 2
    if arguments.json:
        checked = arguments.ledger_key is not None
        print(
            json.dumps({"verified": True, "ledger_checked": checked, "receipt": payload}, ensure_ascii=False)
        )
    else:
        print("\n".join(map(printable, lines(payload, arguments.ledger_key is not None))))
    return 0
