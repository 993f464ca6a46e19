"""The books of `make faults`: resumed, sharded, added up, and never clean when something was lost."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.ledger import faulting, faults
from tests.ledger.faulting import Faults, Outcome, part, read, total
from tests.ledger.store import Running

CLEAN = Outcome(5, 0, 0, 0)


@pytest.fixture
def book(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A long run of 100 faults that writes to a file of its own."""
    monkeypatch.setattr(faulting, "FAULTS", 100)
    return tmp_path / "faults.jsonl"


def test_a_stopped_run_goes_on_where_it_stopped(book: Path) -> None:
    """Done faults are not done again, those of another class do not count; a line cut off is still to do."""
    Faults("other", 50, 1, book).settled(4, CLEAN)
    first = Faults("disk", 50, 1, book)
    for number in (0, 1, 3):
        first.settled(number, CLEAN)
    with book.open("a") as file:
        file.write('{"kind": "disk", "number": 4')

    assert list(Faults("disk", 50, 1, book)) == [2, 4]


def test_shards_share_the_faults_out(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every fault is in exactly one shard, with the same seeded choices."""
    parts = []
    for shard in ("1/3", "2/3", "3/3"):
        monkeypatch.setenv("MYDATA_FAULTS_SHARD", shard)
        parts.append(list(Faults("disk", 80, 1, book)))

    assert parts == [[0, 3, 6], [1, 4, 7], [2, 5]]
    assert Faults("disk", 80, 1).chance(3).random() == random.Random("disk/3").random()


@pytest.mark.parametrize("shard", ["0/2", "3/2", "2", "a/b", "/"])
def test_what_is_no_shard_is_refused(shard: str) -> None:
    """Rather than a run over nothing that looks like a clean one."""
    with pytest.raises(ValueError, match=r"shard|int"):
        part(shard)


@pytest.mark.parametrize(
    ("stored", "findings", "found"),
    [
        ({"a": 1, "b": 1, "unsaid": 1}, 0, (1, 0, 0, 0)),
        ({"a": 1}, 0, (1, 1, 0, 0)),
        ({"a": 1, "b": 2}, 0, (1, 0, 1, 0)),
        ({"a": 1, "b": 1}, 2, (1, 0, 0, 2)),
    ],
)
def test_what_is_missing_or_twice_is_counted(
    book: Path, stored: dict[str, int], findings: int, found: tuple[int, ...]
) -> None:
    """A loss fails the test and stands in the file, so that the total cannot forget it."""
    outcome = Outcome.judged(["a", "b"], 1, stored, findings)

    assert outcome == Outcome(*found)
    faults = Faults("disk", 50, 1, book)
    if outcome.clean:
        faults.settled(0, outcome)
    else:
        with pytest.raises(AssertionError):
            faults.settled(0, outcome)
    assert [total(read(book))[n] for n in ("lost", "duplicated", "inconsistent")] == list(found[1:])


def test_a_slow_fail_over_fails_and_is_counted(book: Path) -> None:
    """Beyond what is allowed it is late; the slowest of each class is in the total."""
    faults = Faults("leader", 50, 1, book)
    faults.settled(0, CLEAN, seconds=0.5, allowed=1.0)
    with pytest.raises(AssertionError):
        faults.settled(1, CLEAN, seconds=1.5, allowed=1.1, felt=False)

    summary = total(read(book))
    assert (summary["late"], summary["slowest_seconds"]) == (1, {"leader": 1.5})
    assert (summary["faults"], summary["felt"], summary["acknowledged"]) == (2, 1, 10)


@pytest.mark.parametrize(("lost", "code"), [(0, 0), (1, 1)])
def test_the_exit_code_remembers_a_loss(
    book: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], lost: int, code: int
) -> None:
    """Also one of an earlier call, whatever was run today."""
    monkeypatch.setattr(faults, "RESULTS", book)
    monkeypatch.setattr(faults, "TESTS", ["--version"])
    if lost:
        with pytest.raises(AssertionError):
            Faults("disk", 50, 1, book).settled(0, Outcome(1, lost, 0, 0))

    assert faults.main([]) == code
    assert f'"lost": {lost}' in capsys.readouterr().out


def test_the_turn_somebody_was_lost_in_is_no_usual_turn(tmp_path: Path) -> None:
    """A survivor's slowest turn is taken from the others, before and after."""
    running = Running.__new__(Running)
    running.lines = [(at, "published 1") for at in (1.0, 1.2, 4.0, 4.3)]

    assert running.slowest_turn(2.0) == pytest.approx(0.3)
