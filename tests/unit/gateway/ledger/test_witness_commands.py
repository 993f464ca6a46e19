"""`mydata ledger witness`, `mirror` and `second-key` from the command line."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from connectors.trust import machine_trust
from consent.ledger.submission import Submission
from consent.ledger.verify.note import ML_DSA, Key
from gateway.cli import main
from tests.serving import left_port
from tests.unit.consent.ledger.exports import ORIGIN, VKEY, MadeLog


def mydata(*words: str | Path) -> int:
    """Run the command."""
    return main([str(word) for word in words])


def test_a_witness_is_made_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`init` prints the key for others' policies, keeps the secret private, and never makes a second one."""
    made = ("ledger", "witness", "init", tmp_path / "w", "--name", "bank.test/w", "--log", VKEY)
    assert mydata(*made) == 0
    printed = capsys.readouterr().out.strip()
    assert mydata(*made) == 2

    assert Key(printed, (4,)).name == "bank.test/w"
    assert (tmp_path / "w" / "witness.pem").stat().st_mode & 0o777 == 0o600
    assert "one key" in capsys.readouterr().err
    assert mydata(*made[:3], tmp_path / "x", "--name", "bank.test/w", "--log", "nonsense") == 2
    assert not (tmp_path / "x" / "witness.pem").exists()


def test_a_killed_witness_remembers(tmp_path: Path) -> None:
    """After kill -9 the witness still refuses the history it did not cosign."""
    assert mydata("ledger", "witness", "init", tmp_path, "--name", "bank.test/w", "--log", VKEY) == 0
    first, fork = MadeLog(20), MadeLog(20, salted=b"fork")
    assert _asked(tmp_path, Submission(0, (), first.note)) == 200
    assert _asked(tmp_path, Submission(0, (), fork.note)) == 409
    assert _asked(tmp_path, Submission(20, (), fork.note)) == 409
    assert _asked(tmp_path, Submission(20, (), first.note)) == 200


def _asked(folder: Path, submission: Submission) -> int:
    """Start the witness, ask once, kill it with the answer in hand."""
    command = [sys.executable, "-m", "gateway.cli", "ledger", "witness", "serve", str(folder), "--port"]
    port = left_port()
    url = f"http://127.0.0.1:{port}/add-checkpoint"
    with (
        httpx.Client(trust_env=False, verify=machine_trust()) as client,
        subprocess.Popen([*command, str(port)], stdout=subprocess.DEVNULL) as process,
    ):
        try:
            deadline = time.monotonic() + 30
            while True:
                try:
                    return client.post(url, content=submission.encode()).status_code
                except httpx.ConnectError:
                    assert time.monotonic() < deadline
                    time.sleep(0.1)
        finally:
            process.kill()


def test_a_mirror_grows_and_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It follows growth, keeps what it has against a fork, a rollback and damage, and says which it was."""
    logs = {"a": MadeLog(300), "b": MadeLog(700), "fork": MadeLog(800, salted=b"x")}
    for name, log in logs.items():
        log.write(tmp_path / name)
    keep = ("--key", VKEY)
    assert mydata("ledger", "mirror", tmp_path / "m", tmp_path / "a", *keep) == 0
    assert mydata("ledger", "mirror", tmp_path / "m", tmp_path / "b", *keep) == 0
    kept = sorted((p, p.read_bytes()) for p in (tmp_path / "m" / "current").rglob("*") if p.is_file())
    assert mydata("ledger", "mirror", tmp_path / "m", tmp_path / "fork", *keep) == 32
    assert mydata("ledger", "mirror", tmp_path / "m", tmp_path / "a", *keep) == 31
    (tmp_path / "b" / "tile/entries/002.p/188").write_bytes(b"")
    assert mydata("ledger", "mirror", tmp_path / "m", tmp_path / "b", *keep) == 22

    assert sorted((p, p.read_bytes()) for p in (tmp_path / "m" / "current").rglob("*") if p.is_file()) == kept
    assert "pinned_inconsistent" in capsys.readouterr().out
    assert mydata("ledger", "verify", tmp_path / "m" / "current", *keep) == 0


def test_a_mirror_survives_its_own_end(tmp_path: Path) -> None:
    """Ended between taking the old copy away and putting the new one there, the next run finds the old."""
    MadeLog(300).write(tmp_path / "a")
    MadeLog(400).write(tmp_path / "b")
    assert mydata("ledger", "mirror", tmp_path / "m", tmp_path / "a", "--key", VKEY) == 0
    (tmp_path / "m" / "current").rename(tmp_path / "m" / "old")
    (tmp_path / "m" / "fresh").mkdir()
    assert mydata("ledger", "mirror", tmp_path / "m", tmp_path / "b", "--key", VKEY, "--hashes-only") == 0
    assert sorted(path.name for path in (tmp_path / "m").iterdir()) == ["current"]


def test_a_second_key_is_made_once_and_shown_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same file gives the same key; a file that is no such key is refused."""
    made = ("ledger", "second-key", tmp_path / "second.pem", "--origin", ORIGIN)
    assert (mydata(*made), mydata(*made)) == (0, 0)
    first, again = capsys.readouterr().out.split()
    (tmp_path / "other.pem").write_text("none")

    assert first == again
    assert Key(first, (ML_DSA,)).name == ORIGIN
    assert (tmp_path / "second.pem").stat().st_mode & 0o777 == 0o600
    assert mydata(*made[:2], tmp_path / "other.pem", "--origin", ORIGIN) == 2
    (tmp_path / "second.pem").chmod(0o640)
    assert mydata(*made) == 2
    assert "other users can read this key" in capsys.readouterr().err
