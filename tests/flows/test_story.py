"""The whole story as a newcomer runs it, on both stores and both policy engines; and what it leaves."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from consent.ledger.verify import verify as verify_ledger
from consent.receipt_verify import ReceiptError
from consent.receipt_verify import verify as verify_receipt
from gateway.bundles.open import BundleRejected, open_bundle
from gateway.policy.bundle import load
from gateway.policy.server import LocalOpa
from tests import opa
from tests.tables import fresh_database

FLIPS = 200


@dataclass(frozen=True)
class Played:
    """What one run of the demo printed and left."""

    said: dict[str, Any]
    folder: Path


async def play(folder: Path, *arguments: str) -> Played:
    """Run `mydata demo --json --out` as a process of its own."""
    command = [sys.executable, "-m", "gateway.cli", "demo", "--json", "--out", str(folder), *arguments]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, progress = await process.communicate()
    assert process.returncode == 0, progress.decode()[-3000:]
    return Played(json.loads(out), folder)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """One run on SQLite and the embedded engine."""
    return asyncio.run(play(tmp_path_factory.mktemp("demo")))


def test_the_story_holds_on_sqlite_and_the_embedded_engine(played: Played) -> None:
    """Every check of the demo holds, five holders sent records, one item is withheld with its article."""
    said = played.said

    assert [c for c in said["checks"] if not c["held"]] == []
    assert said["policy"]["engine"].startswith("regorus/")
    assert len({item["holder"] for item in said["items"] if item["sent"]}) == 5
    assert "42-5(3)" in json.dumps(said["items"])
    assert said["bundle"]["stamp"] == "sandbox"


@pytest.mark.postgres
@pytest.mark.opa
async def test_the_story_holds_on_postgresql_and_opa(tmp_path: Path, postgres_socket: str) -> None:
    """The same story, word for word, on PostgreSQL and an OPA server."""
    binary, reason = opa.binary()
    if binary is None:
        pytest.skip(f"group opa: {reason}")
    database = await fresh_database(postgres_socket)
    async with LocalOpa(binary, load()) as server:
        said = (await play(tmp_path / "out", "--database", database, "--opa", server.url)).said

    assert said["held"]
    assert said["policy"]["engine"].startswith("opa/1.")


def test_everything_left_behind_verifies(played: Played) -> None:
    """Ledger, trail, bundle and receipt verify with the keys left beside them, and with nothing else."""
    for check in CHECKS.values():
        assert check(played.folder)


def test_a_flipped_bit_anywhere_is_detected(played: Played, tmp_path: Path) -> None:
    """200 seeded single-bit flips over all exported files: each one is refused by the file's verifier."""
    rng = random.Random(2026)
    files = [p for p in sorted(played.folder.rglob("*")) if p.is_file() and guardian(p, played.folder)]
    missed = []
    for number in range(FLIPS):
        source = files[number % len(files)]
        position, bit = rng.randrange(source.stat().st_size), rng.randrange(8)
        copy = tmp_path / str(number)
        shutil.copytree(played.folder, copy)
        target = copy / source.relative_to(played.folder)
        data = bytearray(target.read_bytes())
        data[position] ^= 1 << bit
        target.write_bytes(data)
        if CHECKS[str(guardian(source, played.folder))](copy):
            missed.append(f"{source.name} byte {position} bit {bit}")
        shutil.rmtree(copy)

    assert missed == []


def ledger(folder: Path) -> bool:
    """Whether the exported log verifies with the key beside it."""
    key = (folder / "ledger.vkey").read_text()
    return not verify_ledger(folder / "ledger", key).findings


def trail(folder: Path) -> bool:
    """Whether the citizen's trail verifies against the exported log."""
    key = (folder / "ledger.vkey").read_text()
    return not verify_ledger(folder / "ledger", key, trail=(folder / "trail.json").read_bytes()).findings


def bundle(folder: Path) -> bool:
    """Whether the sealed bundle verifies and opens."""
    jwks, key = (json.loads((folder / name).read_bytes()) for name in ("issuer.jwks", "company.jwk"))
    try:
        return bool(open_bundle((folder / "bundle.mdb").read_bytes(), key, jwks).parts)
    except BundleRejected:
        return False


def receipt(folder: Path) -> bool:
    """Whether the receipt verifies, its inclusion proof too."""
    jwks, key = json.loads((folder / "issuer.jwks").read_bytes()), (folder / "ledger.vkey").read_text()
    try:
        return bool(verify_receipt((folder / "receipt.jws").read_bytes(), jwks, key))
    except ReceiptError:
        return False


CHECKS = {"ledger": ledger, "trail.json": trail, "bundle.mdb": bundle, "receipt.jws": receipt}


def guardian(file: Path, folder: Path) -> str | None:
    """Which check guards this file; None for keys and the README, which are not exports."""
    first = file.relative_to(folder).parts[0]
    return first if first in CHECKS else None
