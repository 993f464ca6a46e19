"""`mydata statistics publish`, and what the gateway's own log and ledger tell of an answer: nothing."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json

import pytest
import yaml

from gateway import telemetry
from gateway.awareness.answers import QUESTIONS
from gateway.awareness.ticket import Tickets
from gateway.cli import main
from tests.world import World


def run(world: World, month: str) -> int:
    """The command as an operator types it."""
    settings, file = world.settings, world.folder / "publish.yaml"
    told = {
        name: str(getattr(settings, name)) for name in ("profile", "issuer", "database", "keys", "registry")
    }
    file.write_text(yaml.safe_dump(told), encoding="utf-8")
    return main(["statistics", "publish", month, "--config", str(file)])


async def test_a_month_is_published_by_command(own_world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Once, and the second time it says that it stands; a month to come is refused."""
    assert await asyncio.to_thread(run, own_world, "2025-10") == 0
    first = await own_world.rows("publication")
    assert await asyncio.to_thread(run, own_world, "2025-10") == 0
    said = capsys.readouterr().out
    assert "2025-10: published" in said
    assert "2025-10: stands already" in said
    assert await own_world.rows("publication") == first
    assert await asyncio.to_thread(run, own_world, "2099-01") != 0
    assert len(await own_world.rows("publication")) == len(first) == 2
    assert (await own_world.kinds())["statistics:month:published"] == 1
    (payload,) = [row for row in await own_world.rows("ledger_payload") if b"month:published" in row["body"]]
    said = json.loads(payload["body"])["body"]
    hashes = {row["about"]: hashlib.sha256(row["body"]).hexdigest() for row in first}
    assert said == {"month": "2025-10", "sha256": hashes}


async def test_an_answer_leaves_nothing_in_log_or_ledger(
    own_world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger gets no entry, the log no ticket, answer or consent."""
    given = await own_world.given()
    tickets = Tickets(own_world.parts.keys.pairwise)
    now = int(own_world.clock().timestamp())
    ticket = str(tickets.give("grant", given.consent_id, now, now))
    entries = await own_world.entries()
    lines = io.StringIO()
    monkeypatch.setattr(telemetry, "_lines", lines)  # the access log as it is written out
    answers = dict.fromkeys(QUESTIONS, "partly")
    answer = await own_world.http.post(
        f"{own_world.origin}/questionnaire",
        data={"ticket": ticket, **answers},
        headers={"origin": own_world.origin, "sec-fetch-site": "same-origin"},
    )
    assert answer.status_code == 303
    said = lines.getvalue() + capsys.readouterr().out
    assert "POST /questionnaire" in said
    for canary in ("partly", *ticket.split(".")[2:], given.consent_id):
        assert canary not in said
    assert await own_world.entries() == entries
