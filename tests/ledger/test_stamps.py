"""Time-stamps before `openssl ts`, and before ours, which asks it: what each accepts and refuses."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ledger.stamps import CLASSES, Authority, Stamped, made
from tests.ledger.test_judges import PAGE
from tests.unit.consent.ledger.exports import VKEY

SECONDS = 60


def table() -> dict[str, list[str]]:
    """The table of docs/design/ledger.md: class -> verdict of openssl ts, verdict of ours."""
    part = PAGE.read_text(encoding="utf-8").partition("## Time-stamps\n")[2].partition("\n## ")[0]
    rows = [re.findall(r"\s*([^|]+?)\s*\|", row[1:]) for row in part.splitlines() if row.startswith("|")]
    return {row[0]: row[1:] for row in rows[2:]}


@pytest.fixture(scope="module")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> tuple[Authority, Authority]:
    """The one the reader trusts, and another."""
    assert shutil.which("openssl"), "openssl is needed to judge time-stamps"
    home = tmp_path_factory.mktemp("authorities")
    return Authority(home / "right", "Time of Korea"), Authority(home / "other", "Somebody else")


def openssl(case: Stamped) -> bool:
    """`openssl ts -verify`."""
    command: list[str | Path] = ["openssl", "ts", "-verify", "-data", case.note, "-in", case.token]
    command += ["-CAfile", case.trusted]
    return subprocess.run(command, capture_output=True, timeout=SECONDS, check=False).returncode == 0


def ours(case: Stamped, *more: str | Path) -> subprocess.CompletedProcess[str]:
    """`python -m consent.ledger.verify` with the stamp."""
    module: list[str | Path] = [sys.executable, "-m", "consent.ledger.verify", case.export, "--key", VKEY]
    given: list[str | Path] = ["--json", "--stamp", case.token, "--stamped", case.note, "--tsa", case.trusted]
    return subprocess.run(
        [*module, *given, *more], capture_output=True, text=True, timeout=SECONDS, check=False
    )


def test_the_table_names_every_class() -> None:
    """No class is caught by none, and ours refuses all but the honest one."""
    assert list(table()) == list(CLASSES)
    for name, (_, verdict) in table().items():
        assert verdict == ("accepts" if name == "honest stamp" else "refuses"), name


@pytest.mark.parametrize("name", CLASSES)
def test_each_stamp_is_judged_as_the_table_says(
    name: str, tmp_path: Path, authorities: tuple[Authority, Authority]
) -> None:
    """The verdicts are taken from the judges themselves, in processes of their own."""
    case = made(name, tmp_path, authorities)
    said = ours(case)
    verdicts = ["accepts" if openssl(case) else "refuses", "refuses" if said.returncode else "accepts"]

    assert verdicts == table()[name], said.stdout
    assert said.returncode in (0, 33, 34), said.stderr


def test_a_stamp_says_until_when(tmp_path: Path, authorities: tuple[Authority, Authority]) -> None:
    """The report names how many entries the authority vouches for, and its time, as openssl prints it."""
    said = json.loads(ours(made("honest stamp", tmp_path, authorities)).stdout)

    assert said["checks"]["stamp"] == "held"
    assert said["stamped"]["size"] == 300
    assert said["stamped"]["at"].endswith("GMT")


def test_the_three_options_need_each_other(
    tmp_path: Path, authorities: tuple[Authority, Authority], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stamp without its checkpoint or authority is no command; without openssl there is no verdict."""
    case = made("honest stamp", tmp_path, authorities)
    module: list[str | Path] = [sys.executable, "-m", "consent.ledger.verify", case.export, "--key", VKEY]
    alone = subprocess.run([*module, "--stamp", case.token], capture_output=True, text=True, check=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    nothing = ours(case)

    assert (alone.returncode, alone.stderr.count("need each other")) == (2, 1)
    assert (nothing.returncode, nothing.stderr.count("openssl")) == (2, 1)
