"""`mydata keys`: make, show, list, rotate and retire the gateway's keys."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from consent.clock import utc_now
from consent.ledger.checkpoint import vkey
from consent.ledger.errors import LedgerFormatError
from consent.ledger.shards import origin_at
from gateway.commands.inputs import InputUnusableError, make_folder
from gateway.commands.key_changes import open_house, rewrap, tell_ledger
from gateway.keyring import DEFAULT
from gateway.keys import KeysError, create_keys, kek, load_keys
from gateway.keys.custody import MAKERS
from gateway.keys.manifest import Entry, State
from gateway.settings import Settings, load_settings

_ORIGIN: str = Settings.model_fields["ledger_origin"].default


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the `keys` group."""
    group = subparsers.add_parser("keys", help="make, show, rotate and retire the gateway's keys")
    verbs = group.add_subparsers(metavar="VERB", required=True)
    init = verbs.add_parser("init", help="make a new set of keys in an empty folder")
    init.add_argument("folder", type=Path, metavar="DIR", help="made if it is not there")
    init.add_argument("--only-es256", action="store_true", help="no PS256 and Ed25519 signing keys")
    init.set_defaults(run=_init)
    show = verbs.add_parser("show", help="print the public keys as JSON")
    show.add_argument("folder", type=Path, metavar="DIR", help="the folder `keys init` made")
    show.add_argument("--origin", default=_ORIGIN, help="name of the log (settings: ledger_origin)")
    show.set_defaults(run=_show)
    shown = verbs.add_parser("list", help="show every signing key and its state")
    shown.set_defaults(run=_list)
    rotate = verbs.add_parser("rotate", help="announce the next signing key; it signs an hour later")
    rotate.add_argument("--alg", choices=[*MAKERS], help="of this algorithm only; a new one signs at once")
    rotate.set_defaults(run=_rotate)
    retire = verbs.add_parser("retire", help="take a signing key out of use")
    retire.add_argument("kid", metavar="KID", help="its name: mydata keys list")
    retire.add_argument(
        "--now", action="store_true", required=True, help="at once: whatever it signed fails (compromise)"
    )
    retire.set_defaults(run=_retire)
    again = verbs.add_parser("rewrap", help="put another key around every citizen's own key")
    step = again.add_mutually_exclusive_group()
    step.add_argument("--prepare", action="store_true", help="only make it, to copy it to other replicas")
    step.add_argument("--finish", action="store_true", help="destroy the old one when nothing needs it")
    again.set_defaults(run=_rewrap)
    for verb in (shown, rotate, retire, again):
        verb.add_argument("--config", type=Path, required=True, metavar="FILE", help="settings (YAML)")


def _init(arguments: argparse.Namespace) -> int:
    try:
        make_folder(arguments.folder)
        create_keys(arguments.folder, (DEFAULT,) if arguments.only_es256 else tuple(MAKERS))
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
        ledger = vkey(origin_at(arguments.origin, utc_now()), keys.ledger.public_key())
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


def _list(chosen: argparse.Namespace) -> int:
    house = open_house(load_settings(chosen.config)).house
    for entry, state in house.manifest.states(_now(), house.overlap):
        print(_line(entry, state))
    return 0


def _rotate(chosen: argparse.Namespace) -> int:
    opened = open_house(load_settings(chosen.config))
    now = _now()
    for alg in [chosen.alg] if chosen.alg else opened.house.manifest.algorithms():
        entry = opened.house.rotate(alg, now)
        print(f"{entry.kid}  {entry.alg}  signs from {_moment(entry.active_from)}")
    asyncio.run(tell_ledger(opened, now))
    return 0


def _retire(chosen: argparse.Namespace) -> int:
    opened = open_house(load_settings(chosen.config))
    now = _now()
    heir = opened.house.revoke(chosen.kid, now)
    opened.house.sweep(now)
    print(f"{chosen.kid} is out of use; running gateways follow within seconds")
    if heir is not None:
        print(f"{heir.kid}  {heir.alg}  signs instead, from now")
    asyncio.run(tell_ledger(opened, now))
    return 0


def _rewrap(chosen: argparse.Namespace) -> int:
    settings = load_settings(chosen.config)
    if settings.key_store == "environment":
        raise KeysError("keys_place_unusable", "keys in variables are changed where the variables are set")
    if not chosen.finish and kek.begin(settings.keys):
        print(f"a new {kek.CURRENT} wraps from now on; {kek.OLD} still opens")
    if chosen.prepare:
        return 0
    total = asyncio.run(rewrap(settings, kek.Keks.of(settings.keys), _now()))
    print(f"{total} citizens' keys were under the old key and are under the new one now")
    if chosen.finish and total:
        print("run it again to be sure that none was added meanwhile; the old key is kept")
    elif chosen.finish:
        kek.finish(settings.keys)
        print("nothing is under the old key; it is destroyed")
    return 0


def _line(entry: Entry, state: State) -> str:
    since = entry.active_from if entry.revoked_at is None else entry.revoked_at
    word = {State.ANNOUNCED: "signs from", State.REVOKED: "revoked at"}.get(state, "signed from")
    return f"{entry.kid}  {entry.alg:5}  {state:9}  {word} {_moment(since)}  {entry.place}"


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _now() -> int:
    return int(utc_now().timestamp())
