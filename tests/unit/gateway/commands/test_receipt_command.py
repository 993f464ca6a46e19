"""`mydata receipt verify`: what a citizen reads, and the exit codes."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from gateway.commands import receipt
from tests.unit.consent.test_receipts import JWKS, VKEY
from tests.unit.consent.test_receipts import receipt as signed_receipt


def run(folder: Path, *words: str) -> int:
    """Run `mydata receipt verify` on the receipt in `folder`."""
    parser = argparse.ArgumentParser()
    receipt.register(parser.add_subparsers())
    files = [str(folder / "receipt.jws"), "--issuer-keys", str(folder / "jwks.json")]
    chosen = parser.parse_args(["receipt", "verify", *files, *words])
    return int(chosen.run(chosen))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A receipt with its final newline, and the gateway's keys."""
    (tmp_path / "receipt.jws").write_bytes(signed_receipt() + b"\n")
    (tmp_path / "jwks.json").write_text(json.dumps(JWKS))
    return tmp_path


def test_it_is_read_in_its_own_language(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Recipient, items and fields in words, and the place in the log."""
    assert run(folder, "--ledger-key", VKEY) == 0
    shown = capsys.readouterr().out
    assert "든든가계부" in shown
    assert "한빛은행" in shown
    assert "계좌번호" in shown
    assert "entry 3 stands in the log" in shown


def test_without_the_logs_key_it_says_what_was_not_checked(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No silence about what a check leaves open."""
    assert run(folder) == 0
    assert "NOT checked" in capsys.readouterr().out
    assert run(folder, "--json") == 0
    assert json.loads(capsys.readouterr().out)["ledger_checked"] is False


def test_a_changed_receipt_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1 and the finding."""
    data = bytearray(signed_receipt())
    data[-20] = ord("A") if data[-20] != ord("A") else ord("B")
    (folder / "receipt.jws").write_bytes(data)
    assert run(folder) == 1
    assert "REFUSED receipt_signature_invalid" in capsys.readouterr().err
    assert run(folder, "--json") == 1
    assert json.loads(capsys.readouterr().out)["code"] == "receipt_signature_invalid"


def test_another_log_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A key that is not the log's verifies nothing."""
    assert run(folder, "--ledger-key", VKEY[:-4] + "AAA=") == 1
    assert "receipt_ledger_invalid" in capsys.readouterr().err


def test_unreadable_keys_are_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2 and the file's name."""
    (folder / "jwks.json").write_text("{}")
    assert run(folder) == 2
    assert "jwks.json" in capsys.readouterr().err
