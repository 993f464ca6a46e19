"""Another key around citizens' keys: everything opens at every moment, and the old one is needed no more."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from sqlalchemy import select

from consent.events import Event
from consent.ledger.entry import decode
from consent.ledger_tables import OUTBOX
from consent.subjects import SUBJECT, SubjectError, SubjectId, SubjectKeys
from gateway.commands import keys as command
from gateway.commands.key_changes import AT_ONCE, rewrap
from gateway.database import Database
from gateway.demo.participants import HOLDERS, registry
from gateway.keys import KeysError, create_keys, kek, load_keys
from gateway.settings import Settings

NOW = 1_800_000_000
MANY = AT_ONCE + 7


@pytest.fixture
async def settings(tmp_path: Path, database: Database) -> Settings:
    """A gateway with keys and many citizens."""
    create_keys(tmp_path / "keys")
    file = tmp_path / "registry.yaml"
    file.write_text(
        yaml.safe_dump(
            registry("http://127.0.0.1:1", dict.fromkeys(HOLDERS, "http://127.0.0.1:1")), allow_unicode=True
        )
    )
    made = Settings(
        profile="demo",
        issuer="http://127.0.0.1:8080",
        database=database.engine.url.render_as_string(hide_password=False),
        keys=tmp_path / "keys",
        registry=file,
    )
    keys = SubjectKeys(load_keys(made.keys).subject_kek)
    async with database.transaction() as session:
        for _ in range(MANY):
            await keys.create(session)
    return made


async def subjects(database: Database) -> list[SubjectId]:
    """Every citizen."""
    async with database.reading() as session:
        return [SubjectId(one) for one in (await session.execute(select(SUBJECT.c.id))).scalars()]


async def tags(database: Database, keys: SubjectKeys) -> dict[str, bytes]:
    """What the key of each citizen makes of the number one."""
    found = await subjects(database)
    async with database.reading() as session:
        return {one: (await keys.key(session, one)).tag(1) for one in found}


async def test_every_key_is_wrapped_again_and_stays_the_same(settings: Settings, database: Database) -> None:
    """A gateway that runs meanwhile opens and adds citizens; at last the new key opens everything."""
    running = SubjectKeys(load_keys(settings.keys).subject_kek)
    before = await tags(database, running)
    assert kek.begin(settings.keys)
    assert not kek.begin(settings.keys)
    assert await rewrap(settings, kek.Keks.of(settings.keys), NOW) == MANY
    assert await tags(database, running) == before
    async with database.transaction() as session:
        await running.create(session)
    assert await rewrap(settings, kek.Keks.of(settings.keys), NOW) == 0
    only = SubjectKeys((settings.keys / kek.CURRENT).read_bytes())
    assert before.items() <= (await tags(database, only)).items()
    async with database.reading() as session:
        entries = (await session.execute(select(OUTBOX.c.entry))).scalars().all()
    assert [decode(entry).kind for entry in entries] == [Event.KEY_SUBJECTS_REWRAPPED.value]


async def test_what_was_added_under_the_old_key_meanwhile_is_found(
    settings: Settings, database: Database
) -> None:
    """A process that has not looked yet still wraps under the old one: the next pass moves that too."""
    late = SubjectKeys((settings.keys / kek.CURRENT).read_bytes())
    kek.begin(settings.keys)
    await rewrap(settings, kek.Keks.of(settings.keys), NOW)
    async with database.transaction() as session:
        await late.create(session)
    assert await rewrap(settings, kek.Keks.of(settings.keys), NOW) == 1


async def test_half_a_pass_can_be_gone_on_with(settings: Settings, database: Database) -> None:
    """Killed between two transactions: both halves open, and the rest is done by the next run."""
    kek.begin(settings.keys)
    keys = SubjectKeys(kek.Keks.of(settings.keys))
    async with database.transaction() as session:
        last, changed = await keys.rewrap(session, "", AT_ONCE)
    assert (last is not None, changed) == (True, AT_ONCE)
    assert len(await tags(database, keys)) == MANY
    assert await rewrap(settings, kek.Keks.of(settings.keys), NOW) == MANY - AT_ONCE


async def test_an_erased_citizen_stays_erased(settings: Settings, database: Database) -> None:
    """Wrapping again brings nobody back."""
    keys = SubjectKeys(load_keys(settings.keys).subject_kek)
    gone = (await subjects(database))[0]
    async with database.transaction() as session:
        await keys.erase(session, gone)
    kek.begin(settings.keys)
    assert await rewrap(settings, kek.Keks.of(settings.keys), NOW) == MANY - 1
    async with database.reading() as session:
        with pytest.raises(SubjectError) as refused:
            await keys.key(session, gone)
    assert refused.value.code == "subject_erased"


CHILD = """
import os, signal, sys
from pathlib import Path
from gateway.keys import kek

fatal, calls = int(sys.argv[2]), 0

def dying(real):
    def call(*given, **named):
        global calls
        calls += 1
        if calls == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*given, **named)
    return call

for name in ("open", "fsync", "link", "replace", "rename"):
    setattr(os, name, dying(getattr(os, name)))
kek.begin(Path(sys.argv[1]))
"""


def test_killed_at_any_step_the_old_key_is_never_lost(tmp_path: Path) -> None:
    """Whatever step was the last: the first key still opens, and the next try puts a new one in its place."""
    for step in range(1, 30):
        folder = tmp_path / f"keys-{step}"
        create_keys(folder)
        first = (folder / kek.CURRENT).read_bytes()
        done = subprocess.run([sys.executable, "-c", CHILD, str(folder), str(step)], check=False)
        assert done.returncode in (0, -9)
        assert first in kek.Keks.of(folder).known()
        kek.begin(folder)
        known = kek.Keks.of(folder).known()
        assert len(known) == 2
        assert known[1] == first
        assert not (folder / kek.NEXT).exists()
        if done.returncode == 0:
            return
    raise AssertionError("it never came to its end")


def test_the_old_key_is_not_destroyed_too_early(tmp_path: Path) -> None:
    """Gateways need a moment to follow; until then it is kept, whoever asks."""
    create_keys(tmp_path / "keys")
    kek.begin(tmp_path / "keys")
    with pytest.raises(KeysError, match="try again in"):
        kek.finish(tmp_path / "keys")
    assert (tmp_path / "keys" / kek.OLD).exists()
    later = time.time() + kek.SETTLE_SECONDS + 1
    kek.finish(tmp_path / "keys", clock=lambda: later)
    assert not (tmp_path / "keys" / kek.OLD).exists()
    assert len(kek.Keks.of(tmp_path / "keys").known()) == 1
    assert kek.begin(tmp_path / "keys")


def test_the_command_says_what_it_did(
    tmp_path: Path, settings_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Prepare makes the key and nothing else; the second run wraps; finishing too early is refused."""
    assert run("rewrap", "--prepare", "--config", str(settings_file)) == 0
    assert "still opens" in capsys.readouterr().out
    assert run("rewrap", "--config", str(settings_file)) == 0
    assert capsys.readouterr().out.startswith("0 citizens' keys")
    with pytest.raises(KeysError):
        run("rewrap", "--finish", "--config", str(settings_file))
    assert (tmp_path / "keys" / kek.OLD).exists()


def run(*arguments: str) -> int:
    """Run the group as the command line would."""
    parser = argparse.ArgumentParser()
    command.register(parser.add_subparsers())
    chosen = parser.parse_args(["keys", *arguments])
    return int(chosen.run(chosen))


def test_nobody_but_the_owner_reads_the_new_key(tmp_path: Path) -> None:
    """Every KEK is a file of mode 0600."""
    create_keys(tmp_path / "keys")
    kek.begin(tmp_path / "keys")
    for name in (kek.CURRENT, kek.OLD):
        assert os.stat(tmp_path / "keys" / name).st_mode & 0o777 == 0o600
