"""Two witnesses, ours and one nobody here wrote, see the same logs: both cosign growth and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from consent.ledger.proof import consistency
from consent.ledger.submission import Submission
from consent.ledger.tiles import node_reader
from consent.ledger.verify.note import COSIGNER, Key, open_note
from tests import aics
from tests.ledger.witnesses import aics_witness, our_witness
from tests.unit.consent.ledger.exports import VKEY, MadeLog


@dataclass
class Watched:
    """A witness at `address` that has cosigned the honest log at 300 entries."""

    address: str
    vkey: str

    async def add(self, log: MadeLog, old: int, *, body: bytes | None = None) -> httpx.Response:
        """Show it `log`, saying that it saw `old` entries."""
        size = len(log.entries)
        path = consistency(old, size, node_reader(size, log.tiles.__getitem__)) if old <= size else []
        sent = body if body is not None else Submission(old, tuple(path), log.note).encode()
        async with httpx.AsyncClient(trust_env=False) as client:
            return await client.post(f"{self.address}/add-checkpoint", content=sent)

    def cosigned(self, log: MadeLog, answer: httpx.Response) -> bool:
        """Whether the answer is the witness's own line over this log."""
        key = Key(self.vkey, (COSIGNER,))
        head = open_note(log.note.encode() + answer.content, (Key(VKEY),), "answer", (key,))
        return (key.name, key.id) in head.times


@pytest.fixture(params=["ours", "aics-witness"])
async def watched(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Watched]:
    """Each of the two witnesses, after its first cosignature."""
    if request.param == "ours":
        async with our_witness(tmp_path / "w", VKEY) as (address, key):
            yield await started(Watched(address, key))
        return
    if aics.folder()[0] is None:
        pytest.skip(f"group aics: {aics.folder()[1]}")
    with aics_witness(tmp_path / "w", VKEY) as (address, key):
        yield await started(Watched(address, key))


async def started(witness: Watched) -> Watched:
    """It sees the log for the first time, at 300 entries."""
    log = MadeLog(300)
    answer = await witness.add(log, 0)
    assert answer.status_code == 200, answer.text
    assert witness.cosigned(log, answer)
    return witness


async def test_growth_is_cosigned(watched: Watched) -> None:
    """A log that continues, and the same log again, get a cosignature each."""
    for old, log in ((300, MadeLog(600)), (600, MadeLog(600))):
        answer = await watched.add(log, old)
        assert answer.status_code == 200, answer.text
        assert watched.cosigned(log, answer)


async def test_a_fork_is_refused(watched: Watched) -> None:
    """Another history of the same size is refused, and the honest one is still cosigned afterwards."""
    fork = await watched.add(MadeLog(300, salted=b"fork"), 300)
    honest = await watched.add(MadeLog(301), 300)

    assert fork.status_code in {409, 422}
    assert honest.status_code == 200


async def test_a_rewrite_is_refused(watched: Watched) -> None:
    """A longer log whose beginning was changed is refused."""
    assert (await watched.add(MadeLog(600, salted=b"rewritten"), 300)).status_code == 422


async def test_a_rollback_is_refused(watched: Watched) -> None:
    """A shorter log is refused, whatever old size it claims; the witness says what it knows."""
    claimed = await watched.add(MadeLog(200), 100)
    wrong = await watched.add(MadeLog(200), 300)

    assert (claimed.status_code, claimed.text) == (409, "300\n")
    assert wrong.status_code == 400


async def test_strangers_are_refused(watched: Watched) -> None:
    """A log nobody named, a signature of another key, and bytes that are no request."""
    log = MadeLog(600)
    good = Submission(300, (), log.note).encode()
    unknown = await watched.add(log, 300, body=good.replace(b"mydata.test/ledger/2026", b"other.test/log"))
    spoilt = bytearray(good)
    spoilt[-20] ^= 1
    unsigned = await watched.add(log, 300, body=bytes(spoilt))
    nonsense = await watched.add(log, 300, body=b"old three\n\n")

    assert (unknown.status_code, nonsense.status_code) == (404, 400)
    assert unsigned.status_code in {400, 403}
