"""A policy's way into force at a running gateway: two people, no restart, a bad one keeps the old."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml
from sqlalchemy import update

from consent.calendar import korean_day
from gateway.policy.bundle import default_folder, load, of, unpack
from gateway.policy.tables import PolicyBundleRow
from tests import opa
from tests.warm import start_mydata
from tests.world import World, open_world

pytestmark = pytest.mark.opa


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A gateway whose policy two people sign for: Ara builds, Bora approves."""
    signers = {}
    for name in ("ara", "bora", "cheol"):
        _, line = await mydata("signer", name, "--out", str(tmp_path / f"{name}.pem"))
        signers |= yaml.safe_load(line)
    del signers["cheol"]
    (tmp_path / "signers.yaml").write_text(yaml.safe_dump(signers))
    async with open_world(tmp_path, policy_signers=tmp_path / "signers.yaml") as opened:
        (tmp_path / "gateway.yaml").write_text(yaml.safe_dump(opened.settings.model_dump(mode="json")))
        yield opened


async def mydata(*arguments: str) -> tuple[int, str]:
    """One `mydata policy` command; its exit code and what it said."""
    with tempfile.NamedTemporaryFile() as errors:
        process = await start_mydata(["policy", *arguments], Path(errors.name))
        out = await process.stdout.read()
        return await process.wait(), (out + errors.read()).decode()


async def step(world: World, *arguments: str, by: str, signed: bool = True) -> tuple[int, str]:
    """A step of the way, taken by somebody."""
    who = ["--as", by, *(["--key", str(world.folder / f"{by}.pem")] if signed else [])]
    return await mydata(*arguments, *who, "--config", str(world.folder / "gateway.yaml"))


def binary() -> str:
    """The real OPA."""
    path, reason = opa.binary()
    if path is None:
        pytest.skip(f"group opa: {reason}")
    return str(path)


def candidate(folder: Path, *, retention: int = 30) -> Path:
    """A policy that lets recipients keep data for fewer days; its table says so."""
    shutil.copytree(default_folder(), folder)
    file = folder / "mydata/reference/data.json"
    data = json.loads(file.read_text())
    data["limits"]["retention_days"][0]["value"] = retention
    file.write_text(json.dumps(data))
    return folder


async def retained_days(world: World, key: str) -> int:
    """How long the next transfer may be kept, in days."""
    given = await world.given()
    transfer = await given.company.ask_transfer(key=key)
    (until,) = (o["until"] for o in transfer["decision"]["obligations"] if "until" in o)
    return round((until - world.clock.seconds) / 86400)


async def ready(world: World) -> dict[str, object]:
    """What /readyz says."""
    answer = await world.http.get(f"{world.origin}/readyz")
    assert answer.status_code == 200
    said: dict[str, object] = answer.json()["parts"]
    return said


async def test_from_a_folder_into_force_without_a_restart(world: World, tmp_path: Path) -> None:
    """Tried, built, approved by another, activated, entered in the ledger, served to OPA, and decided on."""
    folder = str(candidate(tmp_path / "candidate"))
    assert await retained_days(world, "before-the-change") == 90
    day = korean_day(world.clock()).isoformat()
    window = ("--from", day, "--to", day, "--config", str(world.folder / "gateway.yaml"))
    code, said = await mydata("what-if", "--candidate", folder, *window)
    assert code == 0, said
    assert {name: json.loads(said)[name] for name in ("looked_at", "decisions", "items")} == {
        "looked_at": "<5",
        "decisions": [],
        "items": [],
    }
    assert json.loads(said)["obligations_only"] == "<5"
    assert "policy:bundle:activated" not in await world.kinds()
    code, said = await step(world, "build", folder, "--opa", binary(), by="ara")
    assert code == 0, said
    revision = load(tmp_path / "candidate").revision
    assert revision in said

    for refused in ("activate",):
        assert (await step(world, refused, revision, by="ara", signed=False))[0] == 2
    assert (await step(world, "approve", revision, by="ara"))[0] == 2
    assert (await step(world, "approve", revision, by="cheol"))[0] == 2
    assert (await step(world, "approve", revision[7:20], by="bora"))[0] == 0
    assert (await step(world, "approve", revision, by="bora"))[0] == 2
    await world.parts.engine.look()
    assert world.parts.engine.revision == load().revision

    assert (await world.http.get(f"{world.origin}/policy/bundle.signed.tar.gz")).status_code == 404
    code, said = await step(world, "activate", revision, by="bora", signed=False)
    assert code == 0, said
    assert (await step(world, "activate", revision, by="bora", signed=False))[0] == 2
    await world.parts.engine.look()
    assert world.parts.engine.revision == revision
    assert await retained_days(world, "after-the-change") == 30
    assert (await world.kinds())["policy:bundle:activated"] == 1

    signed = await world.http.get(f"{world.origin}/policy/bundle.signed.tar.gz")
    assert unpack(signed.content).revision == revision
    assert signed.headers["etag"] == f'"{revision}"'
    served = await world.http.get(f"{world.origin}/policy/bundle.tar.gz")
    assert served.headers["etag"] == f'"{revision}"'
    again = await world.http.get(
        f"{world.origin}/policy/bundle.tar.gz", headers={"If-None-Match": served.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")
    _, listed = await mydata("list", "--config", str(world.folder / "gateway.yaml"))
    assert [line.endswith("IN FORCE") for line in listed.splitlines() if revision in line] == [True]
    for decision in await world.rows("policy_decision"):
        code, told = await mydata("replay", decision["id"], "--config", str(world.folder / "gateway.yaml"))
        assert code == 0, told


async def test_a_bad_bundle_keeps_the_old_one_and_readiness_says_so(world: World, tmp_path: Path) -> None:
    """Bytes changed in the store after approval are not run: the old policy goes on deciding."""
    folder = str(candidate(tmp_path / "candidate"))
    revision = load(tmp_path / "candidate").revision
    for name, arguments in (("ara", ("build", folder, "--opa", binary())), ("bora", ("approve", revision))):
        assert (await step(world, *arguments, by=name))[0] == 0
    other = of({**load().files, "mydata/law/law.rego": b"package mydata.law\n"})
    table = PolicyBundleRow.__table__  # type: ignore[attr-defined]
    async with world.parts.engine._turn:  # the gateway does not look before the bytes are changed
        assert (await step(world, "activate", revision, by="bora", signed=False))[0] == 0
        async with world.database.transaction() as session:
            tampered = update(table).where(table.c.revision == revision)
            await session.execute(tampered.values(archive=other.tarball()))

    await world.parts.engine.look()
    assert (await ready(world))["policy"] == f"ready, but {revision} refused"
    assert await retained_days(world, "still-the-old-one") == 90
    assert (await world.http.get(f"{world.origin}/policy/bundle.tar.gz")).headers["etag"] != f'"{revision}"'

    await the_old_one_is_not_for_ever(world)
    async with world.database.transaction() as session:
        mended = update(table).where(table.c.revision == revision)
        await session.execute(mended.values(archive=load(tmp_path / "candidate").tarball()))
    assert await retained_days(world, "mended-without-a-restart") == 30
    assert (await ready(world))["policy"] == "ready"


async def the_old_one_is_not_for_ever(world: World) -> None:
    """A day without seeing a usable policy in force ends deciding, and nothing but deciding."""
    await world.forward(86400 + 60)
    given = await world.given()
    for door, content in (("transfers", {}), ("precheck", {})):
        headers = {"Idempotency-Key": "too-old-a-policy"} if door == "transfers" else {}
        answered = await given.company.call("POST", f"{world.origin}/{door}", headers=headers, json=content)
        assert (answered.status_code, answered.json()["code"]) == (503, "policy_unavailable")
    answer = await world.http.get(f"{world.origin}/readyz")
    assert answer.status_code == 503
    assert answer.json()["parts"]["policy"] == "not ready"
    assert (await given.citizen.withdraw(given.consent_id)).status == 200


@pytest.mark.parametrize("fault", ["recursion", "clock", "promise", "negation"])
async def test_what_is_not_sound_is_never_built(world: World, tmp_path: Path, fault: str) -> None:
    """A circle, a clock, a broken promise or the wrong `not` ends at the first step, named."""
    folder = candidate(tmp_path / "candidate")
    rego = folder / "mydata/transfer/client.rego"
    added = {
        "recursion": "\nround_it(n) := round_it(n - 1)\n",
        "clock": "\nlate if time.now_ns() > 0\n",
        "promise": "",
        "negation": "",
    }
    text = rego.read_text() + added[fault]
    if fault == "promise":
        text = text.replace('"client_suspended"', '"cross_border"')
    if fault == "negation":
        text = text.replace("import future.keywords.not\n", "")
    rego.write_text(text)
    code, said = await step(world, "build", str(folder), "--opa", binary(), by="ara")
    assert code == 2
    words = {"recursion": "recursi", "clock": "undefined function", "promise": "canary", "negation": "not"}
    assert words[fault] in said
    async with world.database.reading() as session:
        assert len((await session.execute(PolicyBundleRow.__table__.select())).all()) == 1  # type: ignore[attr-defined]


async def test_nothing_entered_when_refused(world: World) -> None:
    """Steps that are refused leave no entry."""
    assert (await step(world, "activate", load().revision, by="bora", signed=False))[0] == 2
    assert (await step(world, "approve", "sha256:00", by="bora"))[0] == 2
    assert "policy:bundle:activated" not in await world.kinds()
