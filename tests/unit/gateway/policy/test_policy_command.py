"""`mydata policy`: what it prints, and that bad input ends in one line."""

from __future__ import annotations

import argparse
import io
import json
import tarfile
from pathlib import Path

import pytest

from gateway.commands import policy
from gateway.policy.bundle import load
from tests.policy.table import question


def run(*arguments: str | Path) -> int:
    """Run one command of the group."""
    top = argparse.ArgumentParser()
    policy.register(top.add_subparsers())
    chosen = top.parse_args(["policy", *(str(part) for part in arguments)])
    return int(chosen.run(chosen))


def test_revision(capsys: pytest.CaptureFixture[str]) -> None:
    """It prints the revision and nothing else."""
    assert run("revision") == 0
    assert capsys.readouterr().out == f"{load().revision}\n"


def test_bundle(tmp_path: Path) -> None:
    """It writes a bundle OPA can load, under the policy's revision."""
    assert run("bundle", tmp_path / "policy.tar.gz") == 0
    with tarfile.open(fileobj=io.BytesIO((tmp_path / "policy.tar.gz").read_bytes())) as archive:
        manifest = archive.extractfile(".manifest")
        assert manifest is not None
        assert json.load(manifest)["revision"] == load().revision


@pytest.mark.parametrize(("age", "code"), [(34, 0), (13, 1)])
def test_decide(tmp_path: Path, capsys: pytest.CaptureFixture[str], age: int, code: int) -> None:
    """It prints the decision; the exit code says whether it allows."""
    file = tmp_path / "question.json"
    file.write_bytes(question({"op": "replace", "path": "/subject/age", "value": age}).encode())
    assert run("decide", file) == code
    assert json.loads(capsys.readouterr().out)["allow"] is (code == 0)


def test_bad_input_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A question off its schema and a folder without a policy each end in one line and exit code 2."""
    file = tmp_path / "question.json"
    file.write_text("{}")
    assert run("decide", file) == 2
    assert run("revision", "--policies", tmp_path) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in lines] == ["policy_question_invalid", "policy_bundle_invalid"]
