"""References and masked names of accounts, the lists shown with a question, on both stores."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent import repository_accounts
from consent.accounts import Listed, Offer, label, reference
from consent.subjects import SubjectId, SubjectKeys
from gateway.database import Database

KEYS = SubjectKeys(b"k" * 32)
NUMBER = "110-234-567890"


@pytest.mark.parametrize(
    ("name", "account", "shown"),
    [
        ("모두의 통장", NUMBER, "모두의 통장 ***-7890"),
        ("", "12", "***-2"),
        ("", "1", "***"),
        ("이름\n줄", "12345678", "이름줄 ***-5678"),
        ("긴" * 100, "1234", "긴" * 60 + " ***-34"),
    ],
)
def test_an_account_is_named_by_its_end_only(name: str, account: str, shown: str) -> None:
    """Four characters at most, never more than half; nothing of the name that is not text."""
    assert label(name, account) == shown


@given(st.text(max_size=200), st.text(min_size=1, max_size=40))
def test_never_more_than_half_of_a_number_shows(name: str, account: str) -> None:
    """Whatever a holder calls an account."""
    shown = label("", account).removeprefix("***").removeprefix("-")
    assert len(shown) <= 4
    assert 2 * len(shown) <= max(len(account), 1)
    assert len(label(name, account)) <= 70


async def _key(database: Database):  # type: ignore[no-untyped-def]
    async with database.transaction() as session:
        subject = await KEYS.create(session)
        return subject, await KEYS.key(session, subject)


async def test_a_reference_is_of_one_citizen_client_and_holder(database: Database) -> None:
    """The same account under another key, client or holder cannot be told to be the same."""
    _, mine = await _key(database)
    _, other = await _key(database)
    known = reference(mine, "client", "bank", NUMBER)
    assert known == reference(mine, "client", "bank", NUMBER)
    others = {
        reference(other, "client", "bank", NUMBER),
        reference(mine, "client-2", "bank", NUMBER),
        reference(mine, "client", "bank-2", NUMBER),
        reference(mine, "clien", "tbank", NUMBER),
        reference(mine, "client", "bank", NUMBER[:-1]),
    }
    assert len(others) == 5
    assert known not in others
    assert len(known) == 26
    assert set(known) <= set("abcdefghijklmnopqrstuvwxyz234567")


async def test_a_list_is_kept_for_its_citizen_and_question(database: Database) -> None:
    """Sealed, replaced when asked again, nobody else's, and nothing of it in clear."""
    subject, key = await _key(database)
    stranger, strange_key = await _key(database)
    offer = Offer((Listed("a" * 26, "통장 ***-7890"), Listed("b" * 26, "옛 통장 ***-1111", "closed")))
    missing = Offer(missing="holder_down")
    async with database.transaction() as session:
        question = ("i-1", subject, key)
        await repository_accounts.keep_lists(session, question, {"bank/n": missing}, at=1, ends=9)
        await repository_accounts.keep_lists(session, question, {"bank/n": offer}, at=2, ends=9)
    async with database.reading() as session:
        assert await repository_accounts.lists(session, "i-1", subject, key) == {"bank/n": (offer, 2)}
        assert await repository_accounts.lists(session, "i-2", subject, key) == {}
        assert await repository_accounts.lists(session, "i-1", stranger, strange_key) == {}
    assert "7890" not in repr(offer)


async def test_a_masked_name_stays_as_it_was_first_chosen(database: Database) -> None:
    """Kept once an account, by citizen; an unknown citizen has none."""
    subject, key = await _key(database)
    async with database.transaction() as session:
        for name in ("통장 ***-7890", "다른 이름 ***-7890"):
            chosen = [("bank", Listed("a" * 26, name))]
            await repository_accounts.keep_labels(session, (subject, key), chosen, at=1)
    async with database.reading() as session:
        assert await repository_accounts.labels(session, subject, key) == {"a" * 26: "통장 ***-7890"}
        assert await repository_accounts.labels(session, SubjectId("s-nobody"), key) == {}
