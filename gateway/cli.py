"""`mydata`: one command a job. Each group lives in gateway/commands/ and registers itself here."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from typing import Protocol, cast


class Group(Protocol):
    """One command, or several about one thing; each MUST set `run`: from its arguments to an exit code."""

    def register(self, subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
        """Add the commands and what they read."""


NAMES = (
    "demo",
    "serve",
    "migrate",
    "keys",
    "client",
    "consent",
    "guardian",
    "ledger",
    "policy",
    "bundle",
    "receipt",
    "records",
    "statistics",
)
"""Each is a module of gateway.commands."""

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


def groups_of(arguments: Sequence[str]) -> Sequence[Group]:
    """The group that is asked for, all when none is: reading the code of all takes a second longer."""
    names = [arguments[0]] if arguments and arguments[0] in NAMES else NAMES
    return [cast(Group, import_module(f"gateway.commands.{name}")) for name in names]


def parser(groups: Sequence[Group] | None = None) -> argparse.ArgumentParser:
    """The command line of these groups, or the whole."""
    top = argparse.ArgumentParser(
        prog="mydata",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"mydata {version('mydata-gateway')}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND")
    for group in groups_of(()) if groups is None else groups:
        group.register(commands)
    return top


def parsed(arguments: Sequence[str], top: argparse.ArgumentParser) -> argparse.Namespace:
    """What was asked for. A key's name (RFC 7638) that begins with a dash is a name, no option."""
    dashed = [argument for argument in arguments if _DASHED_KEY.fullmatch(argument)]
    others = [argument for argument in arguments if argument not in dashed]
    return top.parse_args([*others, "--", *dashed] if dashed else others)


def main(arguments: Sequence[str] | None = None, groups: Sequence[Group] | None = None) -> int:
    """Run one command; bad input ends with one line a finding and exit code 2, never with a traceback."""
    given = sys.argv[1:] if arguments is None else arguments
    top = parser(groups_of(given) if groups is None else groups)
    chosen = parsed(given, top)
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
        from gateway.commands.explain import explain  # Whoever meets no error need not wait for it.

        if not (lines := explain(error)):
            raise
        print(*lines, sep="\n", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
