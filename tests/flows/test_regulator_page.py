"""docs/regulator.md as a regulator follows it: each of its commands, in order, says what the page shows."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import shlex
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from gateway.cli import main
from tests.world import World, open_world

PAGE = (Path(__file__).parents[2] / "docs/regulator.md").read_text(encoding="utf-8")
TOKEN = "regulators-token"
READERS = "readers:\n  - {id: fsc, name: FSC, token_sha256: %s, may: [entries, search, citizens, open]}\n"
BY_THE_OPERATOR = (
    "mydata keys show DIR --origin ORIGIN",
    "mydata ledger export visit-2 --config gateway.yaml",
    "mydata bundle verify bundle.mdb --issuer-keys issuer.jwks",
    "mydata policy replay ID --config gateway.yaml",
)
"""What the page runs inside a sentence."""


@dataclass(frozen=True)
class Step:
    """A command of the page, and the lines it shows below."""

    command: str
    shown: tuple[str, ...]


def steps(page: str) -> list[Step]:
    """The commands behind `$ `, in order."""
    found: list[Step] = []
    for block in re.findall(r"(?:^ {4,}.*\n)+", page, re.MULTILINE):
        for command in re.split(r"^ +\$ ", block, flags=re.MULTILINE)[1:]:
            line, *shown = command.splitlines()
            found.append(Step(line, tuple(shown)))
    return found


def shape(line: str) -> str:
    """A line without what differs from log to log: its name, numbers, roots, ids."""
    line = re.sub(r"\S+/ledger/\d+", "LOG", " ".join(line.split()))
    line = re.sub(r"c-[0-9a-f]{30}", "CONSENT", re.sub(r"root \S+", "ROOT", line))
    return re.sub(r"\d+", "N", line)


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """A gateway with a regulator's account; the desk's files lie where the commands are typed."""
    readers = tmp_path / "readers.yaml"
    readers.write_text(READERS % hashlib.sha256(TOKEN.encode()).hexdigest())
    async with open_world(tmp_path, ledger_readers=readers, ledger_origin="pilot.test/ledger/2026") as opened:
        settings = opened.settings.model_dump(mode="json", exclude_unset=True)
        (tmp_path / "gateway.yaml").write_text(yaml.safe_dump(settings))
        (tmp_path / "token").write_text(TOKEN)
        monkeypatch.chdir(tmp_path)
        yield opened


def put(name: str, data: bytes) -> None:
    """A file on the desk."""
    Path(name).write_bytes(data)


def got(name: str) -> bytes:
    """What stands in it."""
    return Path(name).read_bytes()


class Desk:
    """Types the page's commands; what stands for something of this log is put in its place."""

    def __init__(self, known: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
        """`known`: from the page's words to ours."""
        self.known, self._capsys = known, capsys

    async def types(self, command: str) -> str:
        """What it printed; it must have ended well."""
        for theirs, ours in self.known.items():
            command = command.replace(theirs, ours)
        command = re.sub(r"\$\(cat (\S+)\)", lambda file: got(file[1]).decode().strip(), command)
        words = shlex.split(command)
        if words[0] == "sqlite3":
            assert words[1] == "-readonly"
            with sqlite3.connect(f"file:{words[2]}?mode=ro", uri=True) as store:
                return "\n".join(map(str, store.execute(words[3]).fetchall()))
        assert words[0] == "mydata"
        code = await asyncio.to_thread(main, words[1:])
        said = self._capsys.readouterr()
        assert code == 0, (command, said)
        return said.out


async def lived(world: World) -> dict[str, str]:
    """A consent given, used and withdrawn; the citizen's receipt and the company's bundle lie on the desk."""
    given = await world.given()
    transfer = await world.settled(given.company, await given.company.ask_transfer("visit-0001"))
    sealed = await given.company.call("GET", transfer["bundle"])
    put("bundle.mdb", sealed.content)
    place = f"{world.origin}/my/consents/{given.consent_id}/receipts/1/file"
    put("receipt.jws", (await given.citizen.browser.http.get(place)).content)
    keys = await world.http.get(f"{world.origin}/.well-known/historical-jwks.json")
    put("issuer.jwks", keys.content)
    await given.citizen.withdraw(given.consent_id)
    await world.parts.log.integrate_now()
    (decision,) = await world.rows("policy_decision")
    return {
        "keys show DIR": "keys show keys",
        "ORIGIN": world.settings.ledger_origin,
        "https://GATEWAY": world.origin,
        "c-28111d1b57501b7144fc2f68b1506e": given.consent_id,
        "replay ID": f"replay {decision['id']}",
    }


async def test_the_page_holds_from_the_key_to_the_opened_event(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """Key, export, census, verification, trail, receipt, bundle, search, opening, decision: as written."""
    desk = Desk(await lived(world), capsys)
    for command in BY_THE_OPERATOR:
        assert f"`{command}`" in PAGE
    key = re.search(r'pilot[^\s"]+', await desk.types(BY_THE_OPERATOR[0]))
    assert key is not None
    put("ledger.vkey", key[0].encode())
    await desk.types(BY_THE_OPERATOR[1].replace("visit-2", "visit-1"))
    await desk.types("mydata ledger census --config gateway.yaml")
    await world.parts.log.integrate_now()
    for command in BY_THE_OPERATOR[1:]:
        await desk.types(command)
    found = [event["index"] for event in await events(desk)]
    desk.known |= {"1042 1057": f"{found[0]} {found[-1]}"}

    ran = []
    for step in steps(PAGE):
        if step.command.startswith("mydata ledger verify https"):
            await world.parts.log.integrate_now()
        said = [shape(line) for line in (await desk.types(step.command)).splitlines()]
        missing = [line for line in step.shown if shape(line) not in said]
        assert missing == [], (step.command, "\n".join(said))
        ran.append(step.command)

    assert len(ran) == 8
    assert await desk.types('mydata ledger verify visit-2 --key "$(cat ledger.vkey)" --page report.html')
    assert "<html" in got("report.html").decode()


async def events(desk: Desk) -> list[dict[str, int]]:
    """The citizen's trail, from a look before the page's own."""
    await desk.types(
        "mydata ledger trail c-28111d1b57501b7144fc2f68b1506e --config gateway.yaml --out first.json"
    )
    found: list[dict[str, int]] = json.loads(got("first.json"))["events"]
    return found
