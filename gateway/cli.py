"""`mydata`: one command a job. Each group lives in gateway/commands/ and registers itself here."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Protocol

from gateway.commands import (
    bundle,
    client,
    consent,
    demo,
    guardian,
    keys,
    ledger,
    migrate,
    policy,
    receipt,
    records,
    serve,
    statistics,
)
from gateway.commands.explain import explain


class Group(Protocol):
    """One command, or several about one thing; each MUST set `run`: from its arguments to an exit code."""

    def register(self, subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
        """Add the commands and what they read."""


GROUPS: tuple[Group, ...] = (
    demo,
    serve,
    migrate,
    keys,
    client,
    consent,
    guardian,
    ledger,
    policy,
    bundle,
    receipt,
    records,
    statistics,
)

_DASHED_KEY = re.compile(r"-[A-Za-z0-9_-]{42}")

DESCRIPTION = """\
MyData Gateway: a personal-data consent and portability gateway.

A citizen grants, narrows and withdraws consent; a service company receives sealed bundles of exactly
that; a regulator verifies every step in the ledger.
"""

EPILOG = """\
start here:   mydata demo                 the whole way, with generated people
run it:       mydata keys init DIR, mydata migrate --config FILE, mydata serve --config FILE
check it:     mydata ledger verify DIR --key VKEY, mydata bundle open FILE --key JWK --issuer-keys JWKS

`mydata COMMAND --help` says more. Settings may also be given as MYDATA_<NAME>. Bad input ends with exit
code 2 and one line a finding on standard error.
"""


def parser(groups: Sequence[Group] = GROUPS) -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog="mydata",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"mydata {version('mydata-gateway')}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND")
    for group in groups:
        group.register(commands)
    return top


def parsed(arguments: Sequence[str], top: argparse.ArgumentParser) -> argparse.Namespace:
    """What was asked for. A key's name (RFC 7638) that begins with a dash is a name, no option."""
    dashed = [argument for argument in arguments if _DASHED_KEY.fullmatch(argument)]
    others = [argument for argument in arguments if argument not in dashed]
    return top.parse_args([*others, "--", *dashed] if dashed else others)


def main(arguments: Sequence[str] | None = None, groups: Sequence[Group] = GROUPS) -> int:
    """Run one command; bad input ends with one line a finding and exit code 2, never with a traceback."""
    top = parser(groups)
    chosen = parsed(sys.argv[1:] if arguments is None else arguments, top)
    if "run" not in chosen:
        top.print_help(sys.stderr)
        return 2
    try:
        return int(chosen.run(chosen))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output (a pager, `head`) has seen enough; Python would complain when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as error:
        if not (lines := explain(error)):
            raise
        print(*lines, sep="\n", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
