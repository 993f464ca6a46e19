"""Pseudonyms: stable within recipient, epoch and field; unrelated across any of them."""

from __future__ import annotations

import pytest

from gateway.bundles.errors import BundleError
from gateway.bundles.pseudonym import Domain
from tests.unit.gateway.bundles.story import ROOT, SALT, keys


def test_equal_within_a_recipient_and_epoch() -> None:
    """The same citizen, recipient, epoch and field give the same pseudonym whenever they are derived."""
    assert keys().pseudonym == keys().pseudonym
    assert keys().field_prf("a.b")("110123456789") == keys().field_prf("a.b")("110123456789")


def test_different_in_every_other_place() -> None:
    """Another recipient, epoch, citizen or join group shares nothing with the first."""
    places = [
        keys().field_prf("a.b"),
        keys("other-company").field_prf("a.b"),
        keys(epoch=2).field_prf("a.b"),
        keys(salt=bytes(32)).field_prf("a.b"),
        keys().field_prf("a.c"),
    ]
    assert len({place("110123456789") for place in places}) == len(places)
    people = [keys(), keys("other-company"), keys(epoch=2), keys(salt=bytes(32))]
    assert len({person.pseudonym for person in people}) == len(people)


def test_words_cannot_run_together() -> None:
    """Recipient `a1` in epoch 1 is not recipient `a` in epoch 11."""
    assert Domain.derive(ROOT, "a1", 1).secret != Domain.derive(ROOT, "a", 11).secret


def test_known_answer() -> None:
    """The derivation is fixed for ever: recipients' stored pseudonyms depend on it."""
    assert keys().pseudonym == "mohjbAdga1t79B0pQhdnbQ"
    assert keys().field_prf("a.b")("110123456789") == "r5D5VlGz9VjQS4aoHbvUww"


@pytest.mark.parametrize(("root", "salt"), [(b"short", SALT), (ROOT, b"short"), (ROOT, bytes(33))])
def test_weak_secrets_are_refused(root: bytes, salt: bytes) -> None:
    """A short root or a salt that is not 32 bytes never makes a key."""
    with pytest.raises(BundleError) as refused:
        Domain.derive(root, "a", 1).subject(salt)
    assert refused.value.code == "pseudonym_secret_weak"


def test_no_secret_in_repr() -> None:
    """Logs that print the objects hold no key."""
    text = repr(keys())
    assert "secret=" not in text
    assert "_prk=" not in text
