"""`mydata ledger`: export, trail and verify from the command line."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest

from consent.journal import Journal
from consent.subjects import SubjectKeys
from gateway.cli import main
from gateway.keys import create_keys, load_keys
from gateway.ledger import Log
from gateway.ledger.watch import read_second_key
from tests.unit.gateway.ledger.conftest import ORIGIN, Ledger


@pytest.fixture
async def config(ledger: Ledger, tmp_path: Path) -> Path:
    """The settings of a gateway whose log has ten published entries, three of them about one citizen."""
    create_keys(tmp_path / "keys")
    loaded = load_keys(tmp_path / "keys")
    ledger.keys = SubjectKeys(loaded.subject_kek)
    ledger.journal = Journal(ledger.keys, "gateway-1")
    ledger.log = Log(ledger.database, loaded.ledger, ORIGIN, ledger.last_signed)
    subject = await ledger.citizen()
    await ledger.append(7)
    await ledger.append(3, subject)
    await ledger.log.integrate_now()
    (tmp_path / "subject").write_text(subject)
    return ledger.config(tmp_path, tmp_path / "keys")


async def mydata(*words: str | Path) -> int:
    """Run the command as a process would, outside this test's event loop."""
    return await asyncio.to_thread(main, [str(word) for word in words])


async def test_what_export_prints_verifies(
    config: Path, ledger: Ledger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command that export prints is the one that verifies the export, trail included."""
    out, file = tmp_path / "out", tmp_path / "trail.json"
    subject = (tmp_path / "subject").read_text()
    assert await mydata("ledger", "export", out, "--config", config) == 0
    assert await mydata("ledger", "trail", subject, "--config", config, "--out", file) == 0
    printed = re.search(r"mydata (ledger verify .*)", capsys.readouterr().out)
    assert printed is not None
    words = printed[1].split()
    assert await mydata(*words, "--trail", file, "--json") == 0
    report = json.loads(capsys.readouterr().out)

    assert (report["ok"], report["size"], report["trail_events"]) == (True, 10, 3)
    assert words[-1] == ledger.log.vkey


async def test_a_changed_export_has_its_exit_code(
    config: Path, ledger: Ledger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Damage ends with the exit code of its finding and names file and code."""
    out = tmp_path / "out"
    assert await mydata("ledger", "export", out, "--config", config) == 0
    (out / "tile/0/000.p/10").write_bytes(b"")
    assert await mydata("ledger", "verify", out, "--key", ledger.log.vkey) == 24

    assert "tile_mismatch  tile/0/000.p/10" in capsys.readouterr().out


async def test_bad_input_is_told_without_a_traceback(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A full folder, an unknown citizen, no settings and no keys end with 2 and one line."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    assert await mydata("ledger", "export", tmp_path / "full", "--config", config) == 2
    assert "ledger_export_not_empty" in capsys.readouterr().err
    trail = ("ledger", "trail", "s-none", "--out", tmp_path / "t", "--config")
    assert await mydata(*trail, config) == 2
    assert "subject_unknown" in capsys.readouterr().err
    assert await mydata(*trail, tmp_path / "none.yaml") == 2
    assert "MYDATA.S010" in capsys.readouterr().err
    (tmp_path / "keys" / "ledger.pem").unlink()
    assert await mydata(*trail, config) == 2
    assert "ledger.pem" in capsys.readouterr().err
    assert not (tmp_path / "t").exists()


async def test_export_prints_every_key_that_signs(
    config: Path,
    ledger: Ledger,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With a second key the printed command demands its signature, too, and still verifies."""
    second = tmp_path / "second.pem"
    assert await mydata("ledger", "second-key", second, "--origin", ORIGIN) == 0
    loaded = load_keys(tmp_path / "keys")
    log = Log(ledger.database, loaded.ledger, ORIGIN, ledger.last_signed, second=read_second_key(second))
    await ledger.append(1)
    await log.integrate_now()
    monkeypatch.setenv("MYDATA_LEDGER_SECOND_KEY", str(second))
    capsys.readouterr()
    assert await mydata("ledger", "export", tmp_path / "out", "--config", config) == 0
    printed = re.search(r"mydata (ledger verify .*)", capsys.readouterr().out)
    assert printed is not None

    assert printed[1].count("--key") == 2
    assert await mydata(*printed[1].split()) == 0
