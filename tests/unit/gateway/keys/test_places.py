"""Every place of keys keeps the same promises: a folder, a PKCS #11 token, a transit engine over https."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.keyring import KeyringError, SigningKey
from gateway.keys import KeysError, create_keys, load_keys
from gateway.keys.custody import Custody, FolderCustody
from gateway.keys.manifest import ANNOUNCE_SECONDS, Entry
from gateway.keys.pkcs11 import Pkcs11Custody
from gateway.keys.vault import VaultCustody
from gateway.oauth.jws import parse, verify
from tests import softhsm
from tests.authority import make_authority
from tests.transit import Transit, transit

ALGORITHMS = ("ES256", "PS256", "EdDSA")
PLACES = ["file", "vault", pytest.param("pkcs11", marks=pytest.mark.pkcs11)]


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[tuple[Transit, VaultCustody]]:
    """A transit engine and the place it is."""
    authority = make_authority(tmp_path)
    async with transit(authority) as made:
        custody = VaultCustody(made.url, lambda: made.token, authority.client_context(), seconds=1.0)
        yield made, custody
        await asyncio.to_thread(custody.close)


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Custody:
    """One place of keys."""
    if request.param == "file":
        return FolderCustody(tmp_path)
    if request.param == "vault":
        custody: VaultCustody = request.getfixturevalue("engine")[1]
        return custody
    return token()


def token() -> Pkcs11Custody:
    """A fresh token of this run's SoftHSM."""
    label = softhsm.token()
    module = softhsm.module()
    assert module is not None
    return Pkcs11Custody(module, label, softhsm.PIN)


def entry_of(place: Custody, key: object, name: str) -> Entry:
    """The entry of a key made in `place`."""
    return Entry.of(key.public_key(), place=place.place, name=name, announced_at=0, active_from=0)  # type: ignore[attr-defined]


def signs(key: object) -> bool:
    """Whether `key` signs so that its public half verifies."""
    signing = SigningKey.of(key)  # type: ignore[arg-type]
    jws = parse(signing.sign({"sub": "a"}, "JWT"))
    return verify(jws, signing.public())


@pytest.mark.parametrize("alg", ALGORITHMS)
@pytest.mark.parametrize("place", PLACES, indirect=True)
async def test_a_key_is_made_opened_used_and_destroyed(place: Custody, alg: str) -> None:
    """What is made signs, is found again by its entry, and is gone for good once destroyed."""

    def story() -> None:
        key, name = place.make(alg)
        entry = entry_of(place, key, name)
        assert entry.alg == alg
        assert signs(key)
        assert signs(place.open(entry))
        place.destroy(entry)
        place.destroy(entry)
        with pytest.raises(KeysError):
            place.open(entry)

    await asyncio.to_thread(story)


@pytest.mark.parametrize("place", PLACES, indirect=True)
async def test_a_place_that_holds_another_key_is_refused(place: Custody, tmp_path: Path) -> None:
    """An entry that names a key whose public half is not its own gives no key that signs."""

    def story() -> None:
        (_, name), (other, _) = place.make("ES256"), place.make("ES256")
        crossed = entry_of(place, other, name)
        try:
            opened = place.open(crossed)
        except KeysError:
            return
        assert SigningKey.of(opened).kid != crossed.kid  # a folder's key says itself whose it is

    await asyncio.to_thread(story)


@pytest.mark.parametrize("place", PLACES, indirect=True)
async def test_signing_side_by_side(place: Custody) -> None:
    """Many threads sign with one key; every signature is right."""
    key, _ = await asyncio.to_thread(place.make, "ES256")
    assert all(await asyncio.gather(*(asyncio.to_thread(signs, key) for _ in range(24))))


@pytest.mark.parametrize("where", ["vault", pytest.param("pkcs11", marks=pytest.mark.pkcs11)])
async def test_rotation_into_another_place(
    where: str, tmp_path: Path, engine: tuple[Transit, VaultCustody]
) -> None:
    """A gateway whose first key is a file rotates into another place, and both verify meanwhile."""
    custody: Custody = engine[1] if where == "vault" else token()
    create_keys(tmp_path / "keys")

    def story() -> None:
        keys = load_keys(tmp_path / "keys", places={where: custody}, make_in=where)
        assert keys.house is not None
        now = keys.house.manifest.keys[0].active_from
        made = keys.house.rotate("ES256", now)
        assert (made.place, keys.signing.newest.slow) == (where, False)
        keys.house.refresh(now + ANNOUNCE_SECONDS)
        assert keys.signing.newest.slow
        jws = parse(keys.signing.sign({"sub": "a"}, "JWT"))
        assert jws.header["kid"] == made.kid
        again = load_keys(tmp_path / "keys", places={where: custody}, now=now + ANNOUNCE_SECONDS)
        public = again.signing.public(made.kid)
        assert public is not None
        assert verify(jws, public)
        assert not list((tmp_path / "keys").glob(f"*{made.kid}*"))
        with pytest.raises(KeysError) as refused:
            load_keys(tmp_path / "keys", now=now + ANNOUNCE_SECONDS)
        assert refused.value.code == "keys_place_unusable"

    await asyncio.to_thread(story)


async def test_a_slow_key_never_signs_on_the_event_loop(engine: tuple[Transit, VaultCustody]) -> None:
    """Whoever forgets `offload` learns it at once, and the loop is not held up."""
    key = SigningKey.of((await asyncio.to_thread(engine[1].make, "ES256"))[0])
    with pytest.raises(RuntimeError, match="event loop"):
        key.sign({}, "JWT")
    assert engine[0].signed == 0


@pytest.mark.parametrize("switch", [{"status": 500}, {"status": 403}, {"status": 404}, {"slow": 5.0}])
async def test_an_engine_that_fails_is_named_and_left_alone(
    engine: tuple[Transit, VaultCustody], switch: dict[str, float]
) -> None:
    """No signature, one clear code, in bounded time; for a second nobody asks again, then it works again."""
    made, custody = engine
    key = SigningKey.of((await asyncio.to_thread(custody.make, "ES256"))[0])
    for name, value in switch.items():
        setattr(made, name, value)
    started = asyncio.get_running_loop().time()
    for _ in range(3):
        with pytest.raises(KeyringError) as refused:
            await asyncio.to_thread(key.sign, {}, "JWT")
        assert refused.value.code == "signing_unavailable"
        assert made.token not in str(refused.value)
    assert asyncio.get_running_loop().time() - started < 2.5
    made.status, made.slow = 0, 0.0
    await asyncio.sleep(1.1)
    assert await asyncio.to_thread(key.sign, {}, "JWT")


async def test_never_inside_a_transaction(tmp_path: Path, database) -> None:
    """A call to another machine inside a transaction is a fault of ours and says so."""
    from gateway.database import in_transaction

    authority = make_authority(tmp_path)
    async with transit(authority) as made:
        tls = authority.client_context()
        custody = VaultCustody(made.url, lambda: made.token, tls, refuse=in_transaction)
        key = SigningKey.of((await asyncio.to_thread(custody.make, "ES256"))[0])
        async with database.transaction():
            with pytest.raises(RuntimeError, match="inside a transaction"):
                await asyncio.to_thread(key.sign, {}, "JWT")
        await asyncio.to_thread(custody.close)
    assert made.signed == 0


@pytest.mark.pkcs11
def test_a_token_that_is_not_there_is_named() -> None:
    """The module and the label are named; nothing starts."""
    softhsm.token()
    module = softhsm.module()
    assert module is not None
    with pytest.raises(KeysError, match="nobody") as refused:
        Pkcs11Custody(module, "nobody", softhsm.PIN)
    assert refused.value.code == "keys_place_unusable"


STRANGER = """
import sys
from pathlib import Path
from gateway.keys import KeysError
from gateway.keys.pkcs11 import Pkcs11Custody

try:
    Pkcs11Custody(Path(sys.argv[1]), sys.argv[2], "9999").make("ES256")
except KeysError as error:
    print(error.code, error)
"""


@pytest.mark.pkcs11
def test_a_wrong_pin_opens_nothing_and_is_not_shown() -> None:
    """Another process with another PIN gets a clear refusal that does not repeat it."""
    given = [sys.executable, "-c", STRANGER, str(softhsm.module()), softhsm.token()]
    told = subprocess.run(given, check=True, capture_output=True, text=True).stdout
    assert told == "keys_place_unusable pkcs11: PinIncorrect\n"
