"""Errors as lines for the person at the terminal: every coded error one line, no parameters of the store."""

from __future__ import annotations

import argparse

import pytest
from sqlalchemy.exc import IntegrityError

from consent.errors import ConsentError
from gateway import cli
from gateway.commands import explain as module
from gateway.commands.explain import explain
from gateway.commands.inputs import InputUnusableError
from gateway.errors import Problem
from gateway.keys import KeysError
from gateway.policy.errors import BundleInvalid


class Coded(ConsentError):
    """An error of a lower package whose code has a text."""

    code = "subject_unknown"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (Problem("client_exists"), "client_exists: This client is already registered. Nothing was changed."),
        (Problem("not_found", detail="no checkpoint"), "not_found: There is nothing here. (no checkpoint)"),
        (Coded("subject_unknown"), "subject_unknown: There is no record of this person."),
        (KeysError("keys_missing", "a.pem: no such key"), "keys_missing: a.pem: no such key"),
        (BundleInvalid("x: no policy in it"), "policy_bundle_invalid: The policy cannot be read. (x: no "),
        (InputUnusableError("a: too large"), "mydata: a: too large"),
        (FileNotFoundError(2, "No such file", "a"), "mydata: a: No such file"),
        (OSError("odd"), "mydata: odd"),
    ],
)
def test_one_line(error: Exception, line: str) -> None:
    """Code, what happened, what to do."""
    (told,) = explain(error)
    assert told.startswith(line)


def test_no_value_of_the_store_is_shown() -> None:
    """Statement and parameters of a database error stay away from the terminal; its first line is enough."""
    cause = Exception("duplicate key\nDETAIL: Key (name)=(홍길동)")
    (told,) = explain(IntegrityError("insert into citizen values (?)", ("홍길동",), cause))
    assert "duplicate key" in told
    assert "홍길동" not in told
    assert "insert" not in told


def test_nothing_in_a_file_steers_the_terminal() -> None:
    """Control characters are replaced and long texts cut."""
    (told,) = explain(KeysError("keys_missing", "\x1b[2J" + "x" * 5000))
    assert "\x1b" not in told
    assert len(told) < module.MAX_DETAIL + 40


class Failing:
    """A group with one command, `fail`, that raises what it was made with."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def register(self, subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
        """Add `fail`."""
        subparsers.add_parser("fail").set_defaults(run=self.run)

    def run(self, _chosen: argparse.Namespace) -> int:
        """Never ends well."""
        raise self.error


def test_what_nobody_foresaw_keeps_its_traceback() -> None:
    """A mistake of ours is not hidden behind a friendly line."""
    assert explain(ZeroDivisionError()) == []
    with pytest.raises(ZeroDivisionError):
        cli.main(["fail"], [Failing(ZeroDivisionError())])


def test_a_coded_error_ends_main_with_two(capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever command raises it."""
    assert cli.main(["fail"], [Failing(Coded("subject_unknown"))]) == 2
    assert capsys.readouterr().err == "subject_unknown: There is no record of this person.\n"


def test_ctrl_c_is_no_error() -> None:
    """130, as shells expect."""
    assert cli.main(["fail"], [Failing(KeyboardInterrupt())]) == 130
