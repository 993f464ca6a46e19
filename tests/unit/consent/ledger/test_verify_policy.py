"""Cosigned checkpoints: every line is checked, the quorum counted, and its age measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from consent.ledger.checkpoint import open_note, vkey
from consent.ledger.verify import Finding, Policy, Trust, verify
from tests.unit.consent.ledger.cosigned import AT, SECOND_VKEY, line, policy, second
from tests.unit.consent.ledger.exports import ORIGIN, SIGNER, VKEY, MadeLog

LOG = MadeLog(300)
HEAD = open_note(LOG.note, VKEY)
ALL = LOG.note + line(LOG.note, "bank-a") + line(LOG.note, "agency")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A fresh export of the log."""
    return LOG.write(tmp_path / "export")


def trust(text: str | None = None, *, keys: tuple[str, ...] = (VKEY,), max_age: int | None = None) -> Trust:
    """What the reader brings, at the moment AT + 60."""
    read = Trust.of(list(keys), text.encode() if text is not None else None, max_age)
    return Trust(read.keys, read.policy, read.max_age, now=lambda: AT + 60)


def codes(folder: Path, note: str, trusted: Trust) -> list[str]:
    """What is found when the checkpoint is `note`."""
    (folder / "checkpoint").write_text(note)
    return [finding.code for finding in verify(folder, trusted).findings]


def test_a_quorum_is_counted_over_groups(folder: Path) -> None:
    """One bank and the agency are enough where both groups are asked; one group alone is where any is."""
    banks = LOG.note + line(LOG.note, "bank-a") + line(LOG.note, "bank-b")

    assert codes(folder, ALL, trust(policy())) == []
    assert codes(folder, banks, trust(policy())) == ["quorum_missing"]
    assert codes(folder, banks, trust(policy("any"))) == []
    assert codes(folder, LOG.note, trust(policy("any"))) == ["quorum_missing"]
    assert codes(folder, LOG.note, trust("quorum none\n")) == []


def test_age_is_that_of_the_witnesses(folder: Path) -> None:
    """Too old, or from a future clock, a cosignature does not count; without --max-age only the future's."""
    old = LOG.note + line(LOG.note, "bank-a", AT - 600) + line(LOG.note, "agency")
    ahead = LOG.note + line(LOG.note, "bank-a", AT + 3600) + line(LOG.note, "agency")

    assert codes(folder, ALL, trust(policy(), max_age=60)) == []
    assert codes(folder, ALL, trust(policy(), max_age=59)) == ["checkpoint_stale"]
    assert codes(folder, old, trust(policy())) == []
    assert codes(folder, old, trust(policy(), max_age=300)) == ["checkpoint_stale"]
    assert codes(folder, ahead, trust(policy(), max_age=300)) == ["quorum_missing"]


def test_no_line_is_left_unchecked(folder: Path) -> None:
    """Unknown signers, a line twice, a cosignature of another tree or a changed one are all refused."""
    other = MadeLog(300, salted=b"other")

    assert codes(folder, ALL, trust()) == ["checkpoint_signer"]
    assert codes(folder, ALL + line(LOG.note, "bank-a"), trust(policy())) == ["checkpoint_signer"]
    assert codes(folder, LOG.note + line(other.note, "bank-a"), trust(policy())) == ["cosignature_wrong"]
    assert codes(folder, LOG.note + line(other.note, "agency"), trust(policy())) == ["cosignature_wrong"]


def test_every_bit_of_a_cosigned_checkpoint_counts(folder: Path) -> None:
    """No bit of text, log signature or Ed25519 cosignature can be flipped unseen."""
    note = (LOG.note + line(LOG.note, "bank-a")).encode()
    asked = trust(policy("any"))
    for bit in range(0, len(note) * 8, 3):
        changed = bytearray(note)
        changed[bit // 8] ^= 1 << bit % 8
        (folder / "checkpoint").write_bytes(changed)
        assert verify(folder, asked).findings, f"bit {bit}"


def test_a_second_key_must_have_signed_when_it_is_given(folder: Path) -> None:
    """ML-DSA-44: with the key on the command line or in the policy its signature must be there and right."""
    both = LOG.note + second(HEAD)
    wrong = LOG.note + second(open_note(MadeLog(7).note, VKEY))
    keys = (VKEY, SECOND_VKEY)

    assert codes(folder, both, trust(keys=keys)) == []
    assert codes(folder, both, trust(f"log {VKEY}\nlog {SECOND_VKEY}\nquorum none\n")) == []
    assert codes(folder, LOG.note, trust(keys=keys)) == ["checkpoint_signer"]
    assert codes(folder, both, trust()) == ["checkpoint_signer"]
    assert codes(folder, wrong, trust(keys=keys)) == ["checkpoint_signature"]
    assert (
        codes(folder, LOG.note + second(HEAD) + line(LOG.note, "bank-a"), trust(policy("any"), keys=keys))
        == []
    )


@pytest.mark.parametrize(
    "text",
    [
        *("", "quorum x\n", "quorum none\nquorum none\n", "witness a\nquorum none\n", "quorum none \x0c\n"),
        policy() + f"log {VKEY}\n",
        policy().replace("group banks 1", "group banks 3"),
        policy().replace("group banks 1", "group banks 0"),
        policy().replace("group both all banks agency", "group both all banks agency bank-a"),
        policy().replace("group both all banks agency", "group both all banks none"),
        policy().replace("group both", "group banks"),
        policy().replace("bank-a.test", "bank-x.test"),
    ],
)
def test_a_policy_that_is_not_one_is_refused(text: str) -> None:
    """No quorum, two, unknown or repeated members, repeated keys, changed names: the policy is unusable."""
    with pytest.raises(Finding) as refused:
        Policy.read(text.encode())
    assert refused.value.code in {"policy_unreadable", "key_unreadable"}


def test_a_policy_of_another_log_is_refused() -> None:
    """A policy that names logs must name the one whose key was given."""
    other = "log other.test/log+" + VKEY.partition("+")[2] + "\nquorum none\n"
    with pytest.raises(Finding):
        Trust.of([VKEY], other.encode())
    with pytest.raises(Finding, match="does not name"):
        Trust.of([VKEY], f"log {SECOND_VKEY}\nquorum none\n".encode())
    assert Trust.of([VKEY], f"log {VKEY}\nquorum none\n".encode()).keys[0].name == ORIGIN


def test_a_policy_of_another_year_holds(tmp_path: Path) -> None:
    """The policy names last year's shard, the reader this year's key, or the other way round: one log."""
    later = vkey(ORIGIN.replace("2026", "2027"), SIGNER.public_key())
    other = vkey("other.test/ledger/2027", SIGNER.public_key())
    folder = MadeLog(3).write(tmp_path / "export")

    assert verify(folder, Trust.of([later], f"log {VKEY}\nquorum none\n".encode())).findings == []
    assert verify(folder, Trust.of([VKEY], f"log {later}\nquorum none\n".encode())).findings == []
    with pytest.raises(Finding, match="policy_unreadable"):
        Trust.of([VKEY], f"log {other}\nquorum none\n".encode())
