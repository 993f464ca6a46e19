"""`mydata statistics publish MONTH`: freeze a month that is over, for everybody to read."""

from __future__ import annotations

import argparse
import asyncio
import socket
from pathlib import Path

from consent.catalogue import load as load_catalogue
from consent.clock import utc_now
from consent.journal import Journal
from consent.subjects import SubjectKeys
from gateway.awareness import publishing
from gateway.awareness.window import Month
from gateway.commands.store import opened
from gateway.keys import load_keys
from gateway.registry import load_registry
from gateway.settings import Settings, load_settings

PUBLISH = """\
Publish the statistics of use and the answers of MONTH (Korean days) at /statistics, once and for ever. The
numbers carry noise and are multiples of five: see docs/awareness.md. A month can be published from a day
after its end. Doing it again changes nothing.
"""


def register(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to those of `statistics`."""
    shape = argparse.RawDescriptionHelpFormatter
    verb = verbs.add_parser(
        "publish", help="freeze a month for the public", description=PUBLISH, formatter_class=shape
    )
    verb.add_argument("month", type=_month, metavar="MONTH", help="a month that is over (YYYY-MM)")
    verb.add_argument("--config", type=Path, required=True, metavar="FILE", help="settings (YAML)")
    verb.set_defaults(run=_publish)


def _month(text: str) -> Month:
    try:
        return Month.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a month (YYYY-MM)") from error


def _publish(arguments: argparse.Namespace) -> int:
    written = asyncio.run(_written(load_settings(arguments.config), arguments.month))
    said = "published" if written else "stands already as it was published; nothing changed"
    print(f"{arguments.month.name}: {said}")
    return 0


async def _written(settings: Settings, month: Month) -> bool:
    journal = Journal(SubjectKeys(load_keys(settings.keys).subject_kek), socket.gethostname())
    catalogue = load_catalogue(None, *settings.catalogues)
    registry = load_registry(settings.registry, plain_http=settings.profile == "demo")
    said = publishing.Publisher(journal, registry.operator.code)
    async with opened(settings) as database:
        return await publishing.publish(database, said, catalogue, month, int(utc_now().timestamp()))
