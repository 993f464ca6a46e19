"""`mydata policy ...`: name the policy, pack it for OPA, ask it; its life and its memory live in siblings."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path

from consent.catalogue import load as load_catalogue
from gateway.commands import policy_lifecycle, policy_memory
from gateway.policy.bundle import PolicyBundle, load
from gateway.policy.embedded import EmbeddedEngine
from gateway.policy.errors import PolicyError
from gateway.policy.question import parse
from gateway.policy.reference import with_sectors


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the `policy` group."""
    group = subparsers.add_parser("policy", help="the policy: name, pack, ask, replay, change")
    group.set_defaults(run=_run)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--policies", type=Path, metavar="DIR", help="the policy folder (default: the one shipped)"
    )
    shared.add_argument(
        "--catalogue",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="add the law's rows of the sectors in DIR (as the setting catalogues does)",
    )
    verbs = group.add_subparsers(metavar="VERB", required=True)
    verbs.add_parser("revision", parents=[shared], help="print the revision of the policy").set_defaults(
        act=_revision
    )
    packed = verbs.add_parser("bundle", parents=[shared], help="write the policy as an OPA bundle (tar.gz)")
    packed.add_argument("file", type=Path, metavar="FILE", help="written; what was there is replaced")
    packed.set_defaults(act=_bundle)
    asked = verbs.add_parser(
        "decide", parents=[shared], help="answer one question (JSON, policies/schemas/input.json)"
    )
    asked.add_argument("file", type=Path, metavar="FILE", help="the question")
    asked.set_defaults(act=_decide)
    policy_lifecycle.register(verbs)
    policy_memory.register(verbs)


def _run(arguments: argparse.Namespace) -> int:
    try:
        return int(arguments.act(arguments))
    except PolicyError as error:
        print(f"{error.code}: {error}", file=sys.stderr)
        return 2


def _policy(arguments: argparse.Namespace) -> PolicyBundle:
    return with_sectors(load(arguments.policies), load_catalogue(None, *arguments.catalogue))


def _revision(arguments: argparse.Namespace) -> int:
    print(_policy(arguments).revision)
    return 0


def _bundle(arguments: argparse.Namespace) -> int:
    bundle = _policy(arguments)
    arguments.file.write_bytes(bundle.tarball())
    print(f"{arguments.file}: {len(bundle.files)} files, {bundle.revision}")
    return 0


def _decide(arguments: argparse.Namespace) -> int:
    """Exit code 0 when allowed, 1 when denied."""
    question = parse(arguments.file.read_bytes())
    decision = asyncio.run(EmbeddedEngine(_policy(arguments)).decide(question))
    answer = {**json.loads(decision.canonical()), "revision": decision.revision, "engine": decision.engine}
    print(json.dumps(answer, ensure_ascii=False, indent=2))
    return 0 if decision.allow else 1
