"""Which signing key does what: announced, active, retired, gone, revoked; by one document and the clock."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.keys import Keys, KeysError, SigningKeys, create_keys, load_keys
from gateway.keys.custody import new_key
from gateway.keys.manifest import ANNOUNCE_SECONDS, Entry, Manifest, State, due
from gateway.oauth.jws import parse, verify
from gateway.oauth.published import MAX_AGE_SECONDS
from gateway.oauth.tokens import LIFETIME_SECONDS
from gateway.rotation import TICK_SECONDS
from gateway.settings import Settings

DAY = 86_400
PERIOD = 90 * DAY
OVERLAP = DAY


@dataclass
class Folder:
    """A folder of keys as one process has it open; `again()` is another process."""

    path: Path
    now: int = 0
    keys: Keys = field(init=False)

    def __post_init__(self) -> None:
        self.keys = self.again()
        self.now = self.house.manifest.keys[0].active_from

    def again(self) -> Keys:
        """The keys as another process reads them."""
        return load_keys(self.path, overlap=OVERLAP, now=self.now or None)

    @property
    def house(self) -> SigningKeys:
        """What moves the signing keys."""
        assert self.keys.house is not None
        return self.keys.house

    def states(self) -> dict[str, State]:
        """Every key with what it may do now."""
        return {entry.kid: state for entry, state in self.house.manifest.states(self.now, OVERLAP)}

    def forward(self, seconds: int) -> None:
        """Time passes and the process looks."""
        self.now += seconds
        self.house.refresh(self.now)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A folder with one ES256 key."""
    create_keys(tmp_path / "keys")
    return Folder(tmp_path / "keys")


def kids(keys: Keys) -> list[str]:
    """The names in the published set."""
    return [jwk["kid"] for jwk in keys.signing.jwks()["keys"]]


def test_a_key_goes_its_way_without_anything_being_written(folder: Folder) -> None:
    """Announced, then active with the old one retired, then the old one gone: only the clock moves."""
    first = folder.keys.signing.current.kid
    second = folder.house.rotate("ES256", folder.now).kid
    files = sorted(path.name for path in folder.path.iterdir())
    assert kids(folder.keys) == [first, second]
    assert folder.keys.signing.current.kid == first
    folder.forward(ANNOUNCE_SECONDS - 1)
    assert folder.keys.signing.current.kid == first
    folder.forward(1)
    assert kids(folder.keys) == [second, first]
    folder.forward(OVERLAP - 1)
    assert folder.states() == {first: State.RETIRED, second: State.ACTIVE}
    folder.forward(1)
    assert kids(folder.keys) == [second]
    assert folder.states()[first] is State.GONE
    assert sorted(path.name for path in folder.path.iterdir()) == files


def test_what_was_signed_before_is_accepted_while_it_lives(folder: Folder) -> None:
    """A token signed in the last second of a key verifies for longer than any token lives."""
    folder.house.rotate("ES256", folder.now)
    folder.forward(ANNOUNCE_SECONDS - 1)
    jws = parse(folder.keys.signing.sign({"sub": "a"}, "at+jwt"))
    folder.forward(1 + LIFETIME_SECONDS)
    public = folder.keys.signing.public(jws.header["kid"])
    assert public is not None
    assert verify(jws, public)


def test_the_times_fit_each_other() -> None:
    """Nobody's cache is older than the announcement, and no token lives longer than the shortest overlap."""
    assert ANNOUNCE_SECONDS > MAX_AGE_SECONDS + TICK_SECONDS
    shortest = Settings.model_fields["key_overlap_hours"].metadata[0].ge * 3600
    assert shortest > LIFETIME_SECONDS


def test_one_key_an_algorithm(tmp_path: Path) -> None:
    """Each algorithm has its own key and its own schedule; ES256 signs unless another is asked for."""
    create_keys(tmp_path / "keys", ("ES256", "PS256", "EdDSA"))
    signing = load_keys(tmp_path / "keys").signing
    assert signing.algorithms == ("ES256", "PS256", "EdDSA", "Ed25519")
    for alg in signing.algorithms:
        jws = parse(signing.signing(alg).sign({"sub": "a"}, "JWT"))
        public = signing.public(jws.header["kid"])
        assert jws.header["alg"] == alg
        assert public is not None
        assert verify(jws, public)
    assert parse(signing.sign({}, "JWT")).header["alg"] == "ES256"


def test_a_schedule_makes_one_key_a_period(folder: Folder) -> None:
    """The next key is announced in time for none to sign longer than the period."""
    assert folder.house.rotate_due(folder.now, PERIOD) == []
    folder.forward(PERIOD - ANNOUNCE_SECONDS)
    (made,) = folder.house.rotate_due(folder.now, PERIOD)
    assert made.active_from == folder.now + ANNOUNCE_SECONDS
    assert folder.house.rotate_due(folder.now, PERIOD) == []
    folder.forward(ANNOUNCE_SECONDS)
    assert folder.keys.signing.current.kid == made.kid
    assert folder.house.rotate_due(folder.now, PERIOD) == []


def test_of_two_replicas_one_wins_and_both_agree(folder: Folder) -> None:
    """Two processes that both find a key due make one; the other follows, and nothing is left over."""
    other = folder.again().house
    assert other is not None
    folder.forward(PERIOD)
    made = [*folder.house.rotate_due(folder.now, PERIOD), *other.rotate_due(folder.now, PERIOD)]
    assert len(made) == 1
    folder.house.refresh(folder.now)
    assert folder.house.manifest == other.manifest
    assert len(list(folder.path.glob("signing*.pem"))) == 2


def test_what_a_killed_process_left_is_swept_away(folder: Folder) -> None:
    """A key file that no document names goes after an hour; a fresh one, and every named one, stays."""
    old, fresh = folder.path / "signing-stray.pem", folder.path / "signing-fresh.pem"
    for path in (old, fresh):
        path.write_bytes(b"left")
    os.utime(old, (1, 1))
    os.utime(folder.path / "signing.pem", (1, 1))
    folder.house.sweep(folder.now)
    assert (old.exists(), fresh.exists(), (folder.path / "signing.pem").exists()) == (False, True, True)


def test_a_running_process_follows_another(folder: Folder) -> None:
    """A key rotated by a command is published by a process that was there before, at its next look."""
    other = folder.again()
    second = folder.house.rotate("ES256", folder.now).kid
    assert other.house is not None
    assert second not in kids(other)
    assert other.house.refresh(folder.now)
    assert second in kids(other)
    assert not other.house.refresh(folder.now)


def test_a_compromised_key_is_out_at_once(folder: Folder) -> None:
    """It is published no more, nothing it signed verifies, another signs, the private half is destroyed."""
    first = folder.keys.signing.current.kid
    heir = folder.house.revoke(first, folder.now)
    folder.house.sweep(folder.now)
    assert heir is not None
    assert kids(folder.keys) == [heir.kid] == [folder.keys.signing.current.kid]
    assert folder.keys.signing.public(first) is None
    assert not (folder.path / "signing.pem").exists()
    assert kids(folder.again()) == [heir.kid]
    told = {key["kid"]: key.get("revoked") for key in folder.keys.signing.newest.historical()["keys"]}
    assert told == {first: {"revoked_at": folder.now}, heir.kid: None}


def test_an_announced_key_takes_over_from_a_compromised_one(folder: Folder) -> None:
    """No third key is made when the next one is known already."""
    first = folder.keys.signing.current.kid
    second = folder.house.rotate("ES256", folder.now).kid
    assert folder.house.revoke(first, folder.now) is None
    assert folder.keys.signing.current.kid == second
    assert kids(folder.keys) == [second]


def test_revoking_a_key_that_does_not_sign_leaves_the_one_that_does(folder: Folder) -> None:
    """An announced or retired key goes; the active one stays, also when the announced one's time comes."""
    first = folder.keys.signing.current.kid
    second = folder.house.rotate("ES256", folder.now).kid
    assert folder.house.revoke(second, folder.now) is None
    assert kids(folder.keys) == [first]
    folder.forward(2 * ANNOUNCE_SECONDS)
    assert kids(folder.keys) == [first]
    assert folder.states() == {first: State.ACTIVE, second: State.REVOKED}


def test_revoking_twice_changes_nothing_more(folder: Folder) -> None:
    """The second time there is nothing to do, and an unknown name is refused."""
    first = folder.keys.signing.current.kid
    folder.house.revoke(first, folder.now)
    generation = folder.house.manifest.generation
    assert folder.house.revoke(first, folder.now + 5) is None
    assert folder.house.manifest.generation == generation
    with pytest.raises(KeysError) as refused:
        folder.house.revoke("nobody", folder.now)
    assert refused.value.code == "keys_unknown"


def test_a_folder_made_before_keys_rotated_still_works(folder: Folder) -> None:
    """One signing.pem and no document: it signs, as old as its file, and can be followed."""
    for path in folder.path.glob("signing-*.json"):
        path.unlink()
    keys = folder.again()
    assert keys.house is not None
    first = keys.signing.current.kid
    second = keys.house.rotate("ES256", folder.now).kid
    assert kids(keys) == [first, second]


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"generation": 1, "keys": []}', "\x00"])
def test_a_broken_document_is_refused(folder: Folder, text: str) -> None:
    """It is named, and nobody starts with fewer keys than there were."""
    (folder.path / "signing-000001.json").write_text(text)
    with pytest.raises(KeysError, match=r"signing-000001\.json") as refused:
        folder.again()
    assert refused.value.code == "keys_unreadable"


def test_a_document_with_another_public_key_is_refused(folder: Folder) -> None:
    """A name stands for one key: a public half that is not the named one's is not published."""
    path = folder.path / "signing-000001.json"
    other = Entry.of(new_key("ES256").public_key(), place="file", name="x", announced_at=0, active_from=0)
    text = path.read_text()
    path.write_text(text.replace(folder.house.manifest.keys[0].public, other.public))
    with pytest.raises(KeysError, match=r"signing-000001\.json"):
        folder.again()


@given(st.data())
def test_there_is_always_exactly_one_key_that_signs(data: st.DataObject) -> None:
    """Whatever is announced, revoked and waited for, in any order: one active key, never a revoked one."""
    now = 1000
    first = Entry.of(new_key("EdDSA").public_key(), place="file", name="0", announced_at=0, active_from=now)
    manifest = Manifest(1, (first,))
    for _ in range(data.draw(st.integers(1, 12))):
        step = data.draw(st.sampled_from(["wait", "announce", "revoke"]))
        if step == "wait":
            now += data.draw(st.integers(0, 3 * ANNOUNCE_SECONDS))
        elif step == "announce":
            manifest = manifest.announced(made(now, now + ANNOUNCE_SECONDS))
        else:
            kid = data.draw(st.sampled_from([e.kid for e in manifest.keys if e.revoked_at is None]))
            manifest = manifest.revoked(kid, now, made(now, now) if manifest.orphans(kid, now) else None)
        states = list(manifest.states(now, OVERLAP))
        assert len(states) == len(manifest.keys)
        assert [e.revoked_at for e, state in states if state is State.ACTIVE] == [None]
        assert len(due(manifest, now, PERIOD)) <= 1


def made(announced_at: int, active_from: int) -> Entry:
    """A new key's entry."""
    public = new_key("EdDSA").public_key()
    return Entry.of(public, place="file", name="n", announced_at=announced_at, active_from=active_from)
