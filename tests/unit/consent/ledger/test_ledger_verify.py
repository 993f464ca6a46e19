"""The offline verifier: it accepts what the log exported and nothing else."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import consent.ledger.verify as package
from consent.canonical import canonical
from consent.ledger.checkpoint import Checkpoint, sign, vkey
from consent.ledger.verify import FINDINGS, INTEGRITY_ONLY, NEVER_LOGGED, main, verify
from tests.unit.consent.ledger.exports import ORIGIN, SIGNER, VKEY, MadeLog

SIZE = 600
LOG = MadeLog(SIZE)
TRAIL = canonical(LOG.trail())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A fresh export of the log."""
    return LOG.write(tmp_path / "export")


def codes(
    folder: Path | None, key: str = VKEY, pinned: bytes | None = None, trail: bytes | None = None
) -> list[str]:
    """The codes of everything found, in order."""
    return [finding.code for finding in verify(folder, key, pinned, trail).findings]


@pytest.mark.parametrize("size", [0, 1, 3, 255, 256, 257, 600])
def test_an_export_of_any_size_is_accepted(size: int, tmp_path: Path) -> None:
    """Logs of every shape verify, alone and with their trail."""
    made = MadeLog(size)
    report = verify(made.write(tmp_path), VKEY, made.note.encode(), canonical(made.trail()))

    assert report.findings == []
    assert (report.size, report.pinned, report.events) == (size, size, len(made.events))


def test_a_log_of_three_levels_is_accepted(tmp_path: Path) -> None:
    """66,000 entries have tiles on three levels; all of them are checked."""
    assert codes(MadeLog(66_000).write(tmp_path)) == []


def test_flipping_any_bit_of_any_file_is_found(folder: Path) -> None:
    """200 seeded single-bit flips over all files and the trail: each is found, none crashes the verifier."""
    seeded = random.Random(20261122)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    assert len(files) == 8
    for round_number in range(200):
        place = round_number % (len(files) + 1)
        original = TRAIL if place == len(files) else files[place].read_bytes()
        bit = seeded.randrange(len(original) * 8)
        changed = bytearray(original)
        changed[bit // 8] ^= 1 << bit % 8
        if place == len(files):
            assert codes(folder, trail=bytes(changed)), f"trail, bit {bit}"
            assert codes(None, trail=bytes(changed)), f"trail alone, bit {bit}"
            continue
        files[place].write_bytes(changed)
        assert codes(folder), f"{files[place]}, bit {bit}"
        files[place].write_bytes(original)

    assert codes(folder, trail=TRAIL) == []


def test_every_bit_of_a_short_trail_counts() -> None:
    """Exhaustively: no bit of a trail file is without meaning."""
    trail = canonical(MadeLog(8).trail())
    for bit in range(len(trail) * 8):
        changed = bytearray(trail)
        changed[bit // 8] ^= 1 << bit % 8
        assert codes(None, trail=bytes(changed)), f"bit {bit}"


def _swap_bundle_entries(folder: Path) -> None:
    path = folder / "tile/entries/000"
    data = path.read_bytes()
    first = 2 + int.from_bytes(data[:2], "big")
    second = first + 2 + int.from_bytes(data[first : first + 2], "big")
    path.write_bytes(data[first:second] + data[:first] + data[second:])


def _append(path: Path, data: bytes) -> None:
    path.write_bytes(path.read_bytes() + data)


def _link(folder: Path) -> None:
    shutil.move(folder / "tile/0/000", folder / "tile/0/moved")
    (folder / "tile/0/000").symlink_to("moved")


def _link_folder(folder: Path) -> None:
    shutil.move(folder / "tile/0", folder.parent / "elsewhere")
    (folder / "tile/0").symlink_to(folder.parent / "elsewhere")


def _sign_again(folder: Path) -> None:
    (folder / "checkpoint").write_text(sign(Checkpoint(ORIGIN, SIZE, b"r" * 32), SIGNER))


def _shorten(folder: Path) -> None:
    data = (folder / "tile/entries/002.p/88").read_bytes()
    (folder / "tile/entries/002.p/88").write_bytes(data[: -2 - data[-100]])


DAMAGE: list[tuple[str, Callable[[Path], object]]] = [
    ("file_missing", lambda f: (f / "checkpoint").unlink()),
    ("gap_unnamed", lambda f: (f / "tile/entries/001").unlink()),
    ("file_missing", lambda f: (f / "tile/0/000").unlink()),
    ("file_missing", lambda f: (f / "tile/1/000.p/2").unlink()),
    ("file_missing", shutil.rmtree),
    ("file_unlisted", lambda f: (f / "notes.txt").write_text("hello")),
    ("file_unlisted", lambda f: (f / "tile/0/000.p").mkdir()),
    ("file_unlisted", lambda f: (f / ".hidden").write_text("")),
    ("file_unlisted", _link),
    ("file_unlisted", _link_folder),
    ("bundle_malformed", lambda f: (f / "tile/entries/000").write_bytes(b"")),
    ("bundle_malformed", lambda f: _append(f / "tile/entries/000", b"\x00\x00")),
    ("bundle_malformed", _shorten),
    ("tile_mismatch", lambda f: _append(f / "tile/0/000", b"\x00")),
    ("tile_mismatch", _swap_bundle_entries),
    ("checkpoint_malformed", lambda f: (f / "checkpoint").write_bytes(b"\xff" * 100)),
    ("checkpoint_signer", lambda f: _append(f / "checkpoint", "— witness.test AAAAAAAA\n".encode())),
    ("root_mismatch", _sign_again),
]


@pytest.mark.parametrize(("code", "damage"), DAMAGE)
def test_damage_is_named(code: str, damage: Callable[[Path], object], folder: Path) -> None:
    """Each kind of damage has its own code, and the code its exit code."""
    damage(folder)
    report = verify(folder, VKEY)

    assert report.findings[0].code == code
    assert report.exit_code == FINDINGS[code] != 0


def test_another_key_is_refused(folder: Path) -> None:
    """A log is verified under the key given, however well it is signed by another; a broken key is named."""
    other = vkey(ORIGIN, Ed25519PrivateKey.from_private_bytes(b"k" * 32).public_key())

    assert codes(folder, other) == ["checkpoint_signer"]
    assert codes(folder, vkey("other.test/log", SIGNER.public_key())) == ["checkpoint_signer"]
    assert codes(folder, VKEY[:-4]) == ["key_unreadable"]


def test_an_earlier_checkpoint_is_continued_or_not(folder: Path) -> None:
    """A pinned checkpoint must be a beginning: rewriting, truncating, foreign signatures are told apart."""
    stranger = sign(Checkpoint(ORIGIN, 3, b"r" * 32), Ed25519PrivateKey.from_private_bytes(b"k" * 32))

    assert codes(folder, pinned=MadeLog(300).note.encode()) == []
    assert codes(folder, pinned=MadeLog(0).note.encode()) == []
    assert codes(folder, pinned=MadeLog(300, salted=b"rewritten").note.encode()) == ["pinned_inconsistent"]
    assert codes(folder, pinned=MadeLog(601).note.encode()) == ["pinned_newer"]
    assert codes(folder, pinned=stranger.encode()) == ["pinned_checkpoint"]
    assert codes(folder, pinned=b"") == ["pinned_checkpoint"]


Change = Callable[[list[dict[str, object]]], object]

TRAILS: list[tuple[str, Change]] = [
    ("trail_chain", lambda events: events.pop(0)),
    ("trail_chain", lambda events: events.pop(5)),
    ("trail_chain", lambda events: events.reverse()),
    ("trail_malformed", lambda events: events.insert(1, events[0])),
    ("trail_malformed", lambda events: events[0].update(extra=1)),
    ("trail_malformed", lambda events: events[0].update(index=-1)),
    ("trail_malformed", lambda events: events[0].update(index=True)),
    ("trail_inclusion", lambda events: events[0].update(index=4)),
    ("trail_inclusion", lambda events: events[-1].update(index=SIZE)),
    ("trail_inclusion", lambda events: events[0].update(proof=[])),
    ("trail_inclusion", lambda events: events[0].update(proof="x")),
    ("trail_inclusion", lambda events: events[0].update(entry=events[1]["entry"])),
    ("trail_opening", lambda events: events[0].update(payload=events[1]["payload"])),
    ("trail_opening", lambda events: events[0].update(payload=None)),
    ("trail_opening", lambda events: events[0].update(salt=events[1]["salt"])),
    ("trail_opening", lambda events: events[0].update(salt=7)),
    ("entry_malformed", lambda events: events[0].update(entry="")),
]


@pytest.mark.parametrize(("code", "change"), TRAILS)
def test_a_changed_trail_is_refused(code: str, change: Change, folder: Path) -> None:
    """Leaving out, reordering, moving and reopening events is found, with and without the export."""
    trail = LOG.trail()
    change(trail["events"])  # type: ignore[arg-type]

    assert codes(folder, trail=canonical(trail)) == [code]
    assert codes(None, trail=canonical(trail)) == [code]


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"[]", b"{}", b"\xff", b"1.5", b"NaN", TRAIL + b"\n", b" " + TRAIL, b"[" * 100_000),
        TRAIL.replace(b'"version":1', b'"version":true'),
        TRAIL.replace(b'"version":1', b'"version":2'),
    ],
)
def test_a_file_that_is_no_trail_is_refused(data: bytes) -> None:
    """Anything but the canonical form of a trail is named malformed."""
    assert codes(None, trail=data) == ["trail_malformed"]


def test_a_trail_of_another_log_is_refused(folder: Path) -> None:
    """A trail whose signed root is not one of this export belongs to a second history."""
    forked = canonical(MadeLog(300, salted=b"forked").trail())

    assert codes(None, trail=forked) == []
    assert codes(folder, trail=forked) == ["trail_checkpoint"]
    assert codes(folder, trail=canonical(MadeLog(700).trail())) == ["trail_checkpoint"]
    assert codes(folder, trail=canonical({**LOG.trail(), "checkpoint": "x"})) == ["trail_checkpoint"]


def test_the_report_says_what_it_does_not_show(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a pinned checkpoint it says integrity only; that it cannot see unlogged events, always."""
    pinned = tmp_path / "pinned"
    pinned.write_text(MadeLog(300).note)
    assert main([str(folder), "--key", VKEY]) == 0
    alone = capsys.readouterr().out
    assert main([str(folder), "--key", VKEY, "--pinned", str(pinned)]) == 0
    continued = capsys.readouterr().out

    assert INTEGRITY_ONLY in alone
    assert INTEGRITY_ONLY not in continued
    assert NEVER_LOGGED in alone
    assert NEVER_LOGGED in continued
    assert "pinned checkpoint of 300 entries" in continued


def test_unusable_commands_end_with_two(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A missing file or nothing to verify is an error of the command, not a finding."""
    assert main(["--key", VKEY]) == 2
    assert main([str(folder), "--key", VKEY, "--trail", str(folder / "none")]) == 2
    assert (
        main(["--key", VKEY, "--trail", str(folder / "checkpoint"), "--pinned", str(folder / "checkpoint")])
        == 2
    )
    assert "none" in capsys.readouterr().err


def test_the_verifier_works_lifted_out_alone(folder: Path, tmp_path: Path) -> None:
    """Copied away from the product, with nothing of ours importable, it still verifies and still refuses."""
    lifted = tmp_path / "lifted"
    shutil.copytree(
        Path(package.__file__).parent, lifted / "verify", ignore=shutil.ignore_patterns("__pycache__")
    )
    (tmp_path / "trail").write_bytes(TRAIL)
    sources = "".join(path.read_text() for path in (lifted / "verify").glob("*.py"))
    command = [sys.executable, "-m", "verify", str(folder), "--key", VKEY, "--trail", str(tmp_path / "trail")]
    good = subprocess.run(command, cwd=lifted, capture_output=True, text=True, check=False)
    (folder / "extra").write_text("")
    bad = subprocess.run(command, cwd=lifted, capture_output=True, text=True, check=False)

    assert "from consent" not in sources
    assert "import consent" not in sources
    assert (good.returncode, bad.returncode) == (0, FINDINGS["file_unlisted"]), good.stderr
    assert "86 events opened" in good.stdout
