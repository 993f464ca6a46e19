"""The log and its witnesses: cosigned, degraded in sight, never held up, never talked into two histories."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from fastapi import FastAPI

from connectors.http import open_client
from consent.ledger.checkpoint import vkey
from consent.ledger.cosignature import cosigner_vkey
from consent.ledger.verify import Policy, Trust, verify
from gateway.database import in_transaction
from gateway.errors import Problem
from gateway.ledger import export, routes, witness, witnessing
from gateway.ledger.cosigned import DEGRADE_SECONDS
from gateway.ledger.log import Log
from gateway.ledger.watch import read_policy
from gateway.ledger.witnessing import HEARTBEAT_SECONDS, Witnessing, poster
from gateway.settings import SettingsError
from gateway.telemetry import Metrics
from tests.serving import serving
from tests.unit.gateway.ledger.banks import Bank, Dripping, MadeUp, Stage, bank_says, lying
from tests.unit.gateway.ledger.conftest import ORIGIN, SIGNER, Ledger

SECOND = MLDSA44PrivateKey.from_seed_bytes(b"2" * 32)


@pytest.fixture
async def stage(ledger: Ledger, tmp_path: Path) -> AsyncIterator[Stage]:
    """Three open banks."""
    async with AsyncExitStack() as stack:
        banks = [Bank(tmp_path / name, name, ledger) for name in ("bank-a", "bank-b", "bank-c")]
        for bank in banks:
            await stack.enter_async_context(serving(bank, [bank.bound]))
        client = await stack.enter_async_context(open_client(refuse=in_transaction))
        yield Stage(ledger, banks, client)


async def test_a_cosigned_log_satisfies_the_policy(stage: Stage, tmp_path: Path) -> None:
    """What is published carries three cosignatures, as does the export; an auditor's policy accepts both."""
    assert await stage.grow(300)
    assert await stage.grow(20)
    note = await stage.log.published()
    report = verify(await stage.exported(tmp_path / "out"), stage.trust(max_age=60))

    assert report.findings == []
    assert len(report.cosigned) == 3
    assert (tmp_path / "out" / "checkpoint").read_text() == note
    assert report.checks()["quorum"] == report.checks()["freshness"] == "held"


async def test_one_bank_down_changes_nothing(stage: Stage, tmp_path: Path) -> None:
    """Two of three are a quorum; the third is named with its reason, and catches up when it is back."""
    assert await stage.grow()
    stage.banks[0].open = False
    assert await stage.grow(5)
    standing = await stage.asking.standing()
    told = {seen.name: (seen.size, seen.reason) for seen in standing.witnesses}
    stage.banks[0].open = True
    assert await stage.grow(5)

    assert told == {"bank-a": (1, "answered 503"), "bank-b": (6, None), "bank-c": (6, None)}
    assert [seen.size for seen in (await stage.asking.standing()).witnesses] == [11, 11, 11]


async def test_without_a_quorum_it_degrades_in_sight_and_goes_on(stage: Stage) -> None:
    """First the last cosigned checkpoint is shown, then the newest without; entries and readers go on."""
    assert await stage.grow()
    cosigned = await stage.log.published()
    for bank in stage.banks[:2]:
        bank.open = False
    assert not await stage.grow(2)
    early = await stage.log.published()
    assert await stage.asking.quorate()
    stage.ledger.clock.now += DEGRADE_SECONDS + 1
    late = await stage.log.published()
    degraded = await stage.asking.quorate()
    appended = await stage.ledger.append(1)
    await stage.log.integrate_now()

    assert early == cosigned
    assert late.split("\n")[1] == "3"
    assert late.count("— ") == 2
    assert not degraded
    assert await stage.log.wait_integrated(appended[0].outbox_id, 5) == 3
    for bank in stage.banks:
        bank.open = True
    assert await stage.asking.ask()
    assert await stage.asking.quorate()
    assert (await stage.log.published()).split("\n")[1] == "4"


async def test_the_standing_is_told_to_everybody(stage: Stage) -> None:
    """Status page in both languages, JSON, metrics: each says met or degraded, and who is missing."""
    app = FastAPI(routes=routes(stage.log))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as browser:
        await stage.grow()
        met = (await browser.get("/ledger/status")).json()
        for bank in stage.banks:
            bank.open = False
        await stage.grow()
        stage.ledger.clock.now += DEGRADE_SECONDS + 1
        degraded = (await browser.get("/ledger/status")).json()
        page = (await browser.get("/ledger/status", headers={"accept": "text/html"})).text

    assert (met["state"], degraded["state"]) == ("met", "degraded")
    assert {witness["reason"] for witness in degraded["witnesses"]} == {"answered 503"}
    assert "증인이 모자라요" in page
    assert "Too few witnesses" in page
    stage.asking._measure(await stage.asking.standing())
    assert stage.metrics.registry.get_sample_value("mydata_ledger_quorum") == 0


async def test_a_quiet_log_is_cosigned_anew(stage: Stage, tmp_path: Path) -> None:
    """Without growth the witnesses' times still advance, so that freshness means something."""
    await stage.grow()
    stage.ledger.clock.now += HEARTBEAT_SECONDS
    assert await stage.asking.ask()
    await stage.exported(tmp_path / "out")
    stage.ledger.clock.now += 30

    assert verify(tmp_path / "out", stage.trust(max_age=30)).findings == []
    assert [f.code for f in verify(tmp_path / "out", stage.trust(max_age=29)).findings] == [
        "checkpoint_stale"
    ]


async def test_a_second_history_gets_no_cosignature(stage: Stage, tmp_path: Path) -> None:
    """An operator who forks the log with the same key stands before witnesses that remember the first one."""
    await stage.grow(10)
    for bank in stage.banks:
        fork = MadeUp(stage.log, 10)
        status, body = await bank_says(bank, fork.body(10))
        assert status == 409, body
        assert list((tmp_path / bank.name / "evidence").iterdir())


async def test_bad_proofs_leave_room_for_evidence(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Strangers who bring a good checkpoint with bad proofs fill one place; a fork is still kept."""
    monkeypatch.setattr(witness, "KEPT_EVIDENCE", 2)
    await stage.grow(3)
    bank = stage.banks[0]
    await stage.ledger.append(2)
    await stage.log.integrate_now()
    note = await stage.log.checkpoint()
    for number in range(5):
        junk = base64.b64encode(bytes([number]) * 32).decode()
        status, _ = await bank_says(bank, f"old 3\n{junk}\n\n{note}".encode())
        assert status == 422

    status, _ = await bank_says(bank, MadeUp(stage.log, 3).body(3))

    kinds = sorted(file.name.partition("-")[0] for file in (tmp_path / bank.name / "evidence").iterdir())
    assert (status, kinds) == (409, ["fork", "unproved"])


async def test_a_witness_that_drips_hides_nobody(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of three answers a byte at a time for ever: the quorum of the others is counted meanwhile."""
    monkeypatch.setattr(witnessing, "ASK_SECONDS", 3)  # what the honest ones have on a busy machine
    asked = stage.banks[2].app = Dripping()
    async with asyncio.timeout(30):
        assert await stage.grow()

    reasons = {seen.name: seen.reason for seen in (await stage.asking.standing()).witnesses}
    assert reasons[stage.banks[2].name] == "cannot be reached: TimeoutError"
    assert asked.begun


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ([(200, b"")], "answered without its cosignature"),
        ([(200, b"x" * 100_000)], "cannot be reached: DecodingError"),
        ([(409, b"5\n")], "knows 5 entries, this log has 1"),
        ([(409, b"0\n")], "answered 409"),
        ([(409, b"one\n")], "answered 409"),
        ([(307, b"")], "answered 307"),
        ([(500, b"")], "answered 500"),
    ],
)
async def test_a_witness_that_lies_is_named(
    ledger: Ledger, answers: list[tuple[int, bytes]], reason: str
) -> None:
    """Empty, endless, redirecting or contradicting answers count for nothing and are told."""
    key = cosigner_vkey("liar.test/w", Ed25519PrivateKey.generate().public_key())
    await ledger.append()
    await ledger.log.integrate_now()
    async with lying(answers) as address, open_client(refuse=in_transaction) as client:
        policy = Policy.read(f"witness liar {key} {address}\nquorum liar\n".encode())
        asking = Witnessing(
            ledger.database, ledger.log.vkey, policy, poster(client, policy), ledger.clock, Metrics()
        )
        assert not await asking.ask()
        standing = await asking.standing()

    assert standing.degraded
    assert standing.witnesses[0].reason == reason


async def test_only_addresses_of_the_policy_are_called(stage: Stage) -> None:
    """The seam refuses any other address before anything is sent."""
    async with open_client(refuse=in_transaction) as client:
        post = poster(client, stage.policy)
        with pytest.raises(httpx.UnsupportedProtocol):
            await post("http://127.0.0.1:9/add-checkpoint", b"")


def test_an_unsafe_policy_does_not_start(ledger: Ledger, tmp_path: Path) -> None:
    """Plain http elsewhere, an unreachable quorum, another log and no file at all are named at the start."""
    key = cosigner_vkey("w.test/w", Ed25519PrivateKey.generate().public_key())
    other = vkey("other.test/log", Ed25519PrivateKey.generate().public_key())
    file = tmp_path / "policy"
    told = {
        "MYDATA.L002": f"witness w {key} http://w.test\nquorum w\n",
        "MYDATA.L003": f"witness w {key} https://w.test/\nquorum w\n",
        "MYDATA.L005": f"witness w {key}\nquorum w\n",
        "MYDATA.L004": f"log {other}\nquorum none\n",
    }
    for code, text in told.items():
        file.write_text(text)
        with pytest.raises(SettingsError, match=re.escape(code)):
            read_policy(file, ledger.log.vkey, plain_http=True)
    with pytest.raises(SettingsError, match=r"MYDATA\.L001"):
        read_policy(tmp_path / "none", ledger.log.vkey, plain_http=True)


async def test_a_second_key_signs_what_is_published(ledger: Ledger, tmp_path: Path) -> None:
    """With an ML-DSA-44 key the published checkpoint carries both signatures; receipts keep the short one."""
    log = Log(ledger.database, SIGNER, ORIGIN, ledger.last_signed, clock=ledger.clock, second=SECOND)
    await ledger.append(3)
    await log.integrate_now()
    async with ledger.database.reading() as session:
        await export(session, tmp_path / "out")
    keys = [log.vkey, cosigner_vkey(ORIGIN, SECOND.public_key())]

    assert verify(tmp_path / "out", Trust.of(keys)).findings == []
    assert [f.code for f in verify(tmp_path / "out", log.vkey).findings] == ["checkpoint_signer"]
    assert (await log.checkpoint()).count("— ") == 1
    assert (await log.published()).count("— ") == 2


async def test_before_the_first_checkpoint_there_is_nothing(stage: Stage) -> None:
    """An empty log has nothing to show and nothing to ask about."""
    assert not await stage.asking.ask()
    with pytest.raises(Problem, match="not_found"):
        await stage.log.published()
