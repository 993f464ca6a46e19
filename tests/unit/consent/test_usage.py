"""Asked, agreed, sent, missing and why, per item."""

from __future__ import annotations

from dataclasses import replace

from consent.records import Move, State, move
from consent.terms import Choices, narrow
from consent.usage import ItemOutcome, of_consent
from tests.unit.consent.household import AT, BANK, CATALOGUE, HOSPITAL, MARKET, consent, details, parsed

ASKED = parsed(details())
AGREED = narrow(ASKED, Choices(frozenset({MARKET})), catalogue=CATALOGUE)
GIVEN = move(consent(State.REQUESTED), Move.GIVE, AT, terms=AGREED)
BANK_FIELDS = ("account_num", "trans_dtime", "trans_amt", "balance_amt")
FIRST = ItemOutcome("c-1", "t-1", BANK, BANK_FIELDS, BANK_FIELDS, records=10, at=AT)


def test_before_any_transfer_everything_is_missing_for_a_reason() -> None:
    """What was not chosen and what was not sent yet are told apart."""
    bank, hospital, market = of_consent(GIVEN, [])
    assert bank.missing["trans_memo"] == "not_chosen"
    assert bank.missing["trans_amt"] == "not_sent_yet"
    assert (hospital.item, hospital.agreed) == (HOSPITAL, ())
    assert set(hospital.missing.values()) == {"not_chosen"}
    assert market.agreed == ("orderDate", "totalPrice")


def test_what_was_sent_is_not_missing() -> None:
    """After a complete transfer only what was not chosen is missing."""
    bank, *_ = of_consent(GIVEN, [FIRST])
    assert bank.sent == BANK_FIELDS
    assert bank.missing == {"trans_memo": "not_chosen"}
    assert (bank.records, bank.transfers) == (10, (FIRST,))


def test_the_latest_transfer_says_why_something_is_missing() -> None:
    """A field's own code comes first, then the item's reason, then its outcome."""
    held = replace(FIRST, transfer_id="t-2", sent=(), at=AT + 9, outcome="refused", reason="periodic_general")
    part = replace(held, sent=("trans_amt",), withheld={"balance_amt": "minimised"})
    bare = replace(held, reason=None)
    assert of_consent(GIVEN, [FIRST, held])[0].missing["trans_amt"] == "periodic_general"
    missing = of_consent(GIVEN, [FIRST, part])[0].missing
    assert (missing["balance_amt"], missing["trans_dtime"]) == ("minimised", "periodic_general")
    assert of_consent(GIVEN, [bare])[0].missing["trans_amt"] == "refused"
    newest_first = of_consent(GIVEN, [FIRST, held])[0].transfers
    assert [outcome.transfer_id for outcome in newest_first] == ["t-2", "t-1"]


def test_other_consents_do_not_show() -> None:
    """An outcome under another consent is never shown on this one's page."""
    stranger = replace(FIRST, consent_id="c-2")
    assert of_consent(GIVEN, [stranger])[0].transfers == ()


def test_a_refused_request_agreed_to_nothing() -> None:
    """After a no, every field asked is shown as not chosen."""
    for use in of_consent(consent(State.REFUSED), []):
        assert use.agreed == ()
        assert set(use.missing.values()) == {"not_chosen"}
