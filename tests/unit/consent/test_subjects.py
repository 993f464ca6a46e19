"""Citizens' keys: made, wrapped, used, destroyed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from consent.subjects import SUBJECT, SubjectError, SubjectId, SubjectKey, SubjectKeys, commit
from gateway.database import Database

KEK = bytes(range(32))
KEY = SubjectKey(b"k" * 32)


async def test_a_created_key_opens_again(database: Database) -> None:
    """The key that is stored wrapped is the same key for every process with the KEK."""
    async with database.transaction() as session:
        subject = await SubjectKeys(KEK).create(session)
    async with database.reading() as session:
        one = await SubjectKeys(KEK).key(session, subject)
        other = await SubjectKeys(KEK).key(session, subject)

    assert one.tag(1) == other.tag(1)
    assert other.unseal(one.seal(b"payload", "here"), "here") == b"payload"


async def test_two_citizens_share_nothing(database: Database) -> None:
    """Names and keys are fresh for each citizen."""
    keys = SubjectKeys(KEK)
    async with database.transaction() as session:
        first, second = await keys.create(session), await keys.create(session)
        one, two = await keys.key(session, first), await keys.key(session, second)

    assert first != second
    assert one.tag(1) != two.tag(1)


async def test_another_kek_opens_nothing(database: Database) -> None:
    """With a wrong KEK the key is unreadable, and so is a wrapped key moved to another citizen's row."""
    keys = SubjectKeys(KEK)
    async with database.transaction() as session:
        first, second = await keys.create(session), await keys.create(session)
        wrapped = (await session.execute(select(SUBJECT.c.wrapped).where(SUBJECT.c.id == first))).scalar_one()
        await session.execute(update(SUBJECT).where(SUBJECT.c.id == second).values(wrapped=wrapped))
    async with database.reading() as session:
        with pytest.raises(SubjectError, match="subject_unreadable"):
            await SubjectKeys(b"x" * 32).key(session, first)
        with pytest.raises(SubjectError, match="subject_unreadable"):
            await keys.key(session, second)


async def test_an_erased_key_is_gone(database: Database) -> None:
    """After erasure no key, no chain state and no wrapped bytes are stored; nothing brings them back."""
    keys = SubjectKeys(KEK)
    async with database.transaction() as session:
        subject = await keys.create(session)
        await session.execute(update(SUBJECT).where(SUBJECT.c.id == subject).values(n=3, head=b"h" * 32))
    async with database.transaction() as session:
        await keys.erase(session, subject)
    async with database.reading() as session:
        row = (await session.execute(select(SUBJECT).where(SUBJECT.c.id == subject))).one()
        with pytest.raises(SubjectError, match="subject_erased"):
            await keys.key(session, subject)

    assert tuple(row) == (subject, 0, None, None)


async def test_there_is_nothing_to_erase_twice(database: Database) -> None:
    """Erasing an unknown citizen, or one already erased, is refused."""
    keys = SubjectKeys(KEK)
    async with database.transaction() as session:
        subject = await keys.create(session)
        await keys.erase(session, subject)
        for name in (subject, SubjectId("s-none")):
            with pytest.raises(SubjectError, match="subject_unknown"):
                await keys.erase(session, name)
        with pytest.raises(SubjectError, match="subject_unknown"):
            await keys.key(session, SubjectId("s-none"))


@given(st.integers(0, (1 << 64) - 1), st.integers(0, (1 << 64) - 1))
def test_tags_and_salts_are_all_different(first: int, second: int) -> None:
    """Two events share a tag or salt only if they are the same event; a tag is never a salt."""
    assert (KEY.tag(first) == KEY.tag(second)) == (first == second)
    assert (KEY.salt(first) == KEY.salt(second)) == (first == second)
    assert KEY.tag(first) != KEY.salt(second)


def test_the_derivations_are_fixed() -> None:
    """Tag, salt and commitment are a format: the same key gives these bytes for ever."""
    assert KEY.tag(1).hex()[:16] == "32eb69dc01558e5b"
    assert KEY.salt(1).hex()[:16] == "73888bf3999f0b5c"
    assert KEY.com(1, b"{}") == commit(KEY.salt(1), b"{}")
    assert KEY.com(1, b"{}") != KEY.com(2, b"{}")


@given(st.binary(max_size=200), st.text(max_size=20), st.integers(0))
def test_sealed_bytes_open_only_as_sealed(plain: bytes, context: str, place: int) -> None:
    """A changed bit, another context or another key opens nothing."""
    sealed = KEY.seal(plain, context)
    changed = bytearray(sealed)
    changed[place % len(sealed)] ^= 1 << place % 8

    assert KEY.unseal(sealed, context) == plain
    for bytes_, text, key in [
        (bytes(changed), context, KEY),
        (sealed, context + "x", KEY),
        (sealed, context, SubjectKey(b"j" * 32)),
        (sealed[:11], context, KEY),
    ]:
        with pytest.raises(SubjectError, match="subject_unreadable"):
            key.unseal(bytes_, text)


def test_keys_of_another_length_are_refused() -> None:
    """Neither a short KEK nor a short key is used."""
    with pytest.raises(SubjectError):
        SubjectKeys(b"short")
    with pytest.raises(SubjectError):
        SubjectKey(b"short")


def test_a_key_does_not_print_itself() -> None:
    """Neither key shows its bytes when it is printed."""
    assert "kkkk" not in repr(KEY)
    assert "01" not in repr(SubjectKeys(KEK)).rpartition(" at ")[0]
