"""`mydata`: one command a job. Each group lives in gateway/commands/ and registers itself here."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import version

from gateway.commands import bundle, client, demo, keys, ledger, migrate, receipt, serve
from gateway.errors import Problem
from gateway.settings import SettingsError

GROUPS = (demo, serve, migrate, keys, client, ledger, bundle, receipt)

DESCRIPTION = """\
MyData Gateway: a personal-data consent and portability gateway.

A citizen grants, narrows and withdraws consent; a service company receives sealed bundles of exactly
that; a regulator verifies every step in the ledger.
"""

EPILOG = """\
start here:   mydata demo                 the whole way, with generated people
run it:       mydata keys init DIR, mydata migrate, mydata serve --config FILE
check it:     mydata ledger verify DIR --key VKEY, mydata bundle open FILE --key KEY
"""


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog="mydata",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"mydata {version('mydata-gateway')}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for group in GROUPS:
        group.register(commands)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; bad input ends with one line a finding and exit code 2, never with a traceback."""
    chosen = parser().parse_args(arguments)
    try:
        return int(chosen.run(chosen))
    except SettingsError as error:
        print("The settings cannot be used:", *error.problems, sep="\n  ", file=sys.stderr)
    except Problem as problem:
        print(f"{problem.code}: {problem.title('en')} {problem.hint('en')}".strip(), file=sys.stderr)
    except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    return 2


if __name__ == "__main__":
    sys.exit(main())
