"""Fixtures every test may use, and the report of what could not run."""

from __future__ import annotations

import asyncio
import faulthandler
import gc
import json
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_timeout
from fastapi.dependencies import models

from gateway.database import Database
from tests import nginx, postgres, softhsm
from tests.compiled import share_compiled
from tests.loops import Loop
from tests.samples import samples_dir
from tests.tables import return_databases, with_tables

ROOT = Path(__file__).resolve().parents[1]
GROUPS = ("postgres", "opa", "browser", "node", "nginx", "pkcs11", "samples")


LAST_RESORT_SECONDS = 60
"""How long after its time is over a test may take to end."""

_TERMINAL = pytest.StashKey[int]()

share_compiled()
gc.disable()  # until all is collected: what imports and collecting make is never garbage
_REMEMBERED = [kept for kept in vars(models).values() if hasattr(kept, "cache_clear")]


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The event loop of the tests."""
    return {"uvloop": Loop}


def pytest_configure(config: pytest.Config) -> None:
    """Keep a way to the terminal that no test captures."""
    config.stash[_TERMINAL] = os.dup(2)


def pytest_timeout_set_timer(item: pytest.Item, settings: pytest_timeout.Settings) -> None:
    """End the process, telling where every thread stands, when the end of a test's time did not end it."""
    after = settings.timeout + LAST_RESORT_SECONDS
    faulthandler.dump_traceback_later(after, exit=True, file=item.config.stash[_TERMINAL])


def pytest_timeout_cancel_timer(item: pytest.Item) -> None:
    """The test has ended."""
    faulthandler.cancel_dump_traceback_later()


def pytest_collection_finish() -> None:
    """What collecting made stays for the whole run: no garbage collection need look at it again.

    A test makes a gateway and lets it go, so looking for garbage less often costs little memory.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


@pytest.fixture(autouse=True)
def _let_go() -> Iterator[None]:
    """Return the databases, forget the apps that ended.

    FastAPI remembers thousands of functions of theirs, and with each a whole gateway. A process that
    serves one app never notices; one that opened a thousand grows by gigabytes.
    """
    yield
    for remembered in _REMEMBERED:
        remembered.cache_clear()
    return_databases()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, with the reason, the groups whose real part this machine does not have."""
    missing = {
        "postgres": postgres.binaries() is None,
        "nginx": nginx.binary() is None,
        "pkcs11": softhsm.module() is None,
        "samples": samples_dir() is None,
    }
    reasons = {
        "postgres": "group postgres: no PostgreSQL binaries >= 15 on this machine",
        "nginx": "group nginx: no nginx on this machine",
        "pkcs11": "group pkcs11: no SoftHSM on this machine",
        "samples": "group samples: the folder of published samples is absent",
    }
    for item in items:
        for group, absent in missing.items():
            if absent and item.get_closest_marker(group):
                item.add_marker(pytest.mark.skip(reason=reasons[group]))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print each group that did not run with its count; leave the list where the build can read it."""
    skipped = terminalreporter.stats.get("skipped", [])
    counts = Counter(_reason(report) for report in skipped)
    for reason, count in sorted(counts.items()):
        terminalreporter.write_line(f"NOT RUN: {count} x {reason}")
    if target := os.environ.get("MYDATA_SKIP_REPORT"):
        Path(target).write_text(json.dumps(counts, ensure_ascii=False, sort_keys=True, indent=1))


def _reason(report: object) -> str:
    text = getattr(report, "longrepr", "")
    return str(text[2] if isinstance(text, tuple) else text).removeprefix("Skipped: ")


@pytest.fixture(scope="session")
def postgres_socket() -> Iterator[str]:
    """The socket folder of this session's own PostgreSQL cluster."""
    with postgres.cluster() as socket:
        yield socket


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, once for each store the product supports."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'mydata.db'}"
    socket: str = request.getfixturevalue("postgres_socket")
    return f"{socket}|{tmp_path.name}"


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A database with the current tables, on each store."""
    made = Database(await with_tables(database_url))
    yield made
    await made.close()
