"""A sandbox holder as a process of its own: ready line, a pull over real HTTP, and an end with its parent."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.authorization import ConsentTerms, Gateway, HolderToken, link
from connectors.contract import Outcome, Reason
from connectors.errors import HolderError
from connectors.http import open_client
from connectors.registry import Entry, connect
from connectors.runtime import Runtime
from connectors.sandbox.people import people
from gateway.errors import catalogue
from tests.unit.connectors import holders

TODAY = date(2026, 11, 22)


def _file(folder: Path, **other: Any) -> Path:
    file = folder / "holder.json"
    config = {
        "id": "hanbit-bank",
        "org_code": holders.ORG,
        "operators": {holders.GATEWAY: holders.jwks(holders.GATEWAY_KEY)},
        "identity": {holders.ISSUER: holders.jwks(holders.IDENTITY_KEY)},
        "people": {"seed": 7, "today": TODAY.isoformat(), "count": 2},
        "page_size": 20,
    }
    file.write_text(json.dumps({**config, **other}), encoding="utf-8")
    return file


def _command(file: Path, sector: str = "finance") -> list[str]:
    return [sys.executable, "-m", "connectors.sandbox", "holder", "--sector", sector, "--config", str(file)]


@contextmanager
def _started(file: Path) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, Any]]]:
    with subprocess.Popen(_command(file), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield process, json.loads(process.stdout.readline())
        finally:
            if process.poll() is None:
                process.kill()


async def test_a_holder_process_serves_generated_people_and_ends_with_its_parent(tmp_path: Path) -> None:
    """Linked, authorised, pulled, then standard input closes and it ends with 0."""
    person = people(7, 2, today=TODAY)[0]
    with _started(_file(tmp_path)) as (process, ready):
        assert (ready["ready"], ready["holder"], ready["sector"]) == (True, "hanbit-bank", "finance")
        async with open_client() as client:
            holder = connect(Entry("hanbit-bank", "finance", {}, ready["origin"], holders.ORG))
            gateway = Gateway(holders.GATEWAY, holders.sign, client)
            linked = await link(gateway, holder.manifest, holders.statement(person.id))
            terms = ConsentTerms("c-1", 1, 4_000_000_000, ("finance.deposit-transactions",))
            token = HolderToken(gateway, holder.manifest, linked, terms)
            asked = holders.request(terms.datasets[0], date(2026, 10, 1), date(2026, 10, 31))
            pulled = await Runtime(client).collect(holder, asked, token)
        assert (pulled.outcome, pulled.gaps) == (Outcome.COMPLETE, ())
        assert pulled.pages > 1
        assert process.stdin is not None
        process.stdin.close()
        assert await asyncio.to_thread(process.wait, 10) == 0


def test_a_holder_process_ends_on_sigterm(tmp_path: Path) -> None:
    """Politely, within seconds."""
    with _started(_file(tmp_path)) as (process, _):
        process.send_signal(signal.SIGTERM)
        process.wait(10)


@pytest.mark.parametrize("other", [{"people": 7}, {"unknown": 1}, {"page_size": "many"}])
def test_a_wrong_configuration_is_one_sentence(tmp_path: Path, other: dict[str, Any]) -> None:
    """Exit code 2, the file named, no traceback."""
    command = _command(_file(tmp_path, **other))
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 2
    assert "holder.json: cannot be read" in done.stderr
    assert "Traceback" not in done.stderr


def test_every_reason_has_words_for_people() -> None:
    """Each code stands in the problem catalogue in both languages."""
    for reason in Reason:
        entry = catalogue()[HolderError(reason).code]
        assert entry["ko"]
        assert entry["en"]
