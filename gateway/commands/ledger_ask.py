"""`mydata ledger search` and `open`: a regulator asks a gateway; `verify` then checks what came."""

from __future__ import annotations

import argparse
import json
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from gateway.commands.inputs import InputUnusableError, printable, read_bytes, write_private

TIMEOUT_SECONDS = 60
MAX_ANSWER = 1 << 26


def register(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `search` and `open` to the ledger's verbs."""
    searched = verbs.add_parser("search", help="find entries of a gateway by kind, party, time and citizen")
    for name in ("kind", "party"):
        searched.add_argument(f"--{name}")
    for name in ("since", "until", "after", "limit"):
        searched.add_argument(f"--{name}", type=int, metavar="N")
    about = "only this citizen's (record id s-... or a consent id c-...); their trail shows the look"
    searched.add_argument("--citizen", metavar="ID", help=about)
    searched.add_argument("--case", help="why; needed with --citizen")
    opened = verbs.add_parser("open", help="read what chosen entries say, as a file `verify --trail` checks")
    for made, run in ((searched, _search), (opened, _open)):
        made.add_argument("place", metavar="ADDRESS", help="https://GATEWAY/ledger")
        made.add_argument("--token", type=Path, required=True, metavar="FILE", help="file of your token")
        made.set_defaults(run=run)
    opened.add_argument("indexes", type=int, nargs="+", metavar="INDEX")
    opened.add_argument("--case", required=True, help="why: it stands in the ledger and the citizen's trail")
    opened.add_argument("--out", type=Path, required=True, metavar="FILE", help="readable by you only")


def _search(arguments: argparse.Namespace) -> int:
    names = ("kind", "party", "since", "until", "after", "limit")
    query = {name: value for name in names if (value := getattr(arguments, name)) is not None}
    if (arguments.citizen is None) != (arguments.case is None):
        raise InputUnusableError("--citizen and --case belong together")
    if arguments.citizen is None:
        answer = json.loads(_ask(arguments, f"entries?{urlencode(query)}"))
    else:
        named = {**query, "citizen": arguments.citizen, "case": arguments.case}
        answer = json.loads(_ask(arguments, "citizens", named))
    for entry in answer["entries"]:
        when = datetime.fromtimestamp(entry["at"], UTC).isoformat()
        print(printable(f"{entry['index']:>9}  {when}  {entry['kind']}  {entry['party']}"))
    print(f"{len(answer['entries'])} found among {answer['size']} entries; the index proves nothing: verify")
    return 0


def _open(arguments: argparse.Namespace) -> int:
    asked = {"case": arguments.case, "indexes": arguments.indexes}
    write_private(arguments.out, _ask(arguments, "openings", asked))
    print(f"written to {arguments.out}; check it: mydata ledger verify --trail {arguments.out} --key VKEY")
    return 0


def _ask(arguments: argparse.Namespace, path: str, body: dict[str, Any] | None = None) -> bytes:
    parts = urlsplit(arguments.place)
    local = parts.hostname in {"127.0.0.1", "localhost", "::1"}
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        raise InputUnusableError(f"{arguments.place}: a token is sent to an https address only")
    token = read_bytes(arguments.token, 4096).decode().strip()
    request = urllib.request.Request(  # noqa: S310 - the scheme was looked at above
        f"{arguments.place.rstrip('/')}/{path}",
        data=json.dumps(body).encode() if body is not None else None,
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    opener = urllib.request.build_opener(_Still)
    try:
        with opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
            return bytes(answer.read(MAX_ANSWER))
    except urllib.error.HTTPError as error:
        told = printable(error.read(2000).decode(errors="replace"))
        raise InputUnusableError(f"{arguments.place}: answered {error.code}: {told}") from None
    except (OSError, ValueError) as error:
        raise InputUnusableError(f"{arguments.place}: cannot be reached: {error}") from None


class _Still(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Follow nothing: the token is for one address."""
