"""docs/service-company.md as a company would use it: its document is registered, its Python is run."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from consent.calendar import korean_day
from gateway.demo.story import Wishes
from gateway.oauth import clients
from gateway.oauth.tables import ClientRow
from tests.world import CLIENT, REDIRECT, World

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGE = Path(__file__).resolve().parents[2] / "docs/service-company.md"


def example(language: str, number: int = 0) -> str:
    """One example of the page."""
    text = PAGE.read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)[number]


def lay_out(folder: Path, world: World) -> None:
    """What the page has the company write: three keys, the script, the details with this year's days."""
    p256 = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    keys = {"signing": p256[0], "proof": p256[1], "sealing": x25519.X25519PrivateKey.generate()}
    for name, key in keys.items():
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / f"{name}.pem").write_bytes(pem)
    (folder / "ask.py").write_text(example("python"), encoding="utf-8")
    details: list[dict[str, Any]] = json.loads(example("json", 1))
    today = korean_day(world.clock())
    details[0] |= {"start": str(today), "end": str(today + timedelta(days=180))}
    details[0]["items"][0]["history_from"] = str(today - timedelta(days=80))
    (folder / "details.json").write_text(json.dumps(details))


async def start(folder: Path, *words: str) -> asyncio.subprocess.Process:
    """Run the page's script as its reader does."""
    pipe = asyncio.subprocess.PIPE
    environment = {**os.environ, "PYTHONPATH": str(PAGE.parents[1]), "PYTHONUNBUFFERED": "1"}
    return await asyncio.create_subprocess_exec(
        sys.executable, "ask.py", *words, cwd=folder, env=environment, stdin=pipe, stdout=pipe
    )


async def register(folder: Path, world: World) -> None:
    """The page's document with the keys the script prints, in place of the world's own client."""
    printed, _ = await (await start(folder, "keys")).communicate()
    document = json.loads(example("json", 0)) | {"jwks": json.loads(printed), "redirect_uris": [REDIRECT]}
    async with world.database.transaction() as session:
        old = await session.get(ClientRow, CLIENT)
        await session.delete(old)
        await session.flush()
        await clients.add(session, document, at=world.clock.seconds)


async def test_the_page_leads_to_an_opened_bundle(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the printed address to records, and the shell command opens what the script kept."""
    lay_out(tmp_path, world)
    await register(tmp_path, world)
    script = await start(tmp_path, world.origin, CLIENT, REDIRECT)
    assert script.stdin is not None
    assert script.stdout is not None
    address = (await script.stdout.readline()).decode().split()[-1]
    citizen = await world.citizen()
    done = await citizen.answer(await citizen.sign_in(address), "agree", Wishes(items=()))
    carried = await citizen.return_to_company(done)
    query = "&".join(f"{name}={value}" for name, value in carried.items())
    said, _ = await script.communicate(f"{REDIRECT}?{query}\n".encode())

    assert script.returncode == 0
    assert re.search(r"deposit-transactions\.ndjson': [1-9]", said.decode())
    assert opened(tmp_path) == 0
    assert "trans_memo: not_chosen" in capsys.readouterr().out


def opened(folder: Path) -> int:
    """`mydata bundle open` as the page has it."""
    from gateway.cli import main

    command = re.search(r"`mydata (bundle open [^`]*)`", PAGE.read_text(encoding="utf-8"))
    assert command is not None
    files = {"bundle.mdb", "company.jwk", "issuer.jwks", "opened"}
    words = [str(folder / word) if word in files else word for word in command[1].split()]
    return main(words)
