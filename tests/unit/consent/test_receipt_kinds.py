"""Receipts of a use and of an ending: bound to the ledger byte by byte; mandatory fields; no values."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent import profile
from consent.receipt_kinds import Acknowledgement, Used, grant, termination, use
from consent.receipts import ReceiptError, sign, verify
from consent.records import By, Move, State
from tests.unit.consent.household import AT, consent
from tests.unit.consent.test_receipts import JWKS, SIGNER, VKEY, evidence, facts, payload

ITEM = "hanbit-bank/finance.deposit-transactions"
USED = Used("b-1", "t-1", "sha256:00", AT, {ITEM: ["trans_amt"]}, {ITEM: {"trans_memo": "not_granted"}})
PARTIES = (
    Acknowledgement("hanbit-bank", "holder", AT + 5, "not_applicable"),
    Acknowledgement("deundeun-budget", "recipient", None, "instructed"),
)


def used() -> dict[str, Any]:
    """The payload of a use receipt under a real small log."""
    body = {
        "transfer": "t-1",
        "consent": "c-1",
        "version": 1,
        "bundle": "b-1",
        "manifest": "sha256:00",
        "sent": {ITEM: ["trans_amt"]},
        "withheld": {ITEM: {"trans_memo": "not_granted"}},
    }
    said = {"event": "bundle:release:sealed", "by": "test", "body": body, "n": 1, "prev": None}
    return use(facts(evidence(said, "bundle:release:sealed"), id="c-1.b-1"), USED)


def ended(state: State = State.WITHDRAWN, kind: str = "consent:grant:withdrawn") -> dict[str, Any]:
    """The payload of a termination receipt."""
    over = replace(consent(), state=state, version=2)
    body = {"consent": "c-1", "version": 2, "state": state.value, "by": "citizen"}
    said = {"event": kind, "by": "test", "body": body, "n": 1, "prev": None}
    proven = evidence(said, kind)
    return termination(facts(proven, id="c-1.end", consent=over, move=Move.WITHDRAW), PARTIES)


KINDS: dict[str, Callable[[], dict[str, Any]]] = {"grant": payload, "use": used, "termination": ended}
SIGNED = {kind: sign(make(), SIGNER.sign) for kind, make in KINDS.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_verifies_and_follows_the_schema(kind: str) -> None:
    """Offline, with and without the log's key, and under the published schema."""
    said = verify(SIGNED[kind], JWKS, VKEY)
    assert said == KINDS[kind]() == verify(SIGNED[kind], JWKS)
    jsonschema.validate(said, profile.schema())


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(KINDS)), st.integers(0, 200_000), st.integers(0, 255))
def test_any_changed_byte_is_found(kind: str, place: int, byte: int) -> None:
    """Whatever byte of whatever receipt becomes another one, it is refused."""
    data = bytearray(SIGNED[kind])
    place %= len(data)
    if data[place] == byte:
        return
    data[place] = byte
    with pytest.raises(ReceiptError):
        verify(bytes(data), JWKS, VKEY)


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("use", lambda p: p["items"][0]["sent"].append("trans_memo")),
        ("use", lambda p: p["items"][0].update(withheld=[])),
        ("use", lambda p: p["items"][0]["withheld"][0].update(reason="other")),
        ("use", lambda p: p["bundle"].update(id="b-2")),
        ("use", lambda p: p["bundle"].update(manifest_sha256="sha256:11")),
        ("use", lambda p: p["consent"].update(version=2)),
        ("use", lambda p: p["recipient"].update(id="other")),
        ("termination", lambda p: p["event"].update(by="recipient")),
        ("termination", lambda p: p["event"].update(why="idle")),
        ("termination", lambda p: p["event"].update(state="expired")),
        ("termination", lambda p: p["event"].update(at="2030-01-01T00:00:00Z")),
        ("termination", lambda p: p["consent"].update(id="c-2")),
        ("termination", lambda p: p.update(kind="grant")),
        ("use", lambda p: p.update(kind="termination")),
        ("use", lambda p: p.update(kind=["use"])),
    ],
)
def test_content_even_if_signed(kind: str, change: Callable[[dict[str, Any]], object]) -> None:
    """Words that the ledger does not say are refused although the issuer signed them."""
    made = json.loads(json.dumps(KINDS[kind]()))
    change(made)
    with pytest.raises(ReceiptError) as refused:
        verify(sign(made, SIGNER.sign), JWKS, VKEY)
    assert refused.value.code in ("receipt_ledger_mismatch", "receipt_invalid")


MANDATORY = {
    "id_and_schema_version": ("id", "schema", "consent.id"),
    "version_and_previous": ("consent.version", "consent.previous_version"),
    "subject": ("principal.id",),
    "controllers": ("controllers.0.id", "controllers.0.name", "controllers.0.contact", "controllers.0.type"),
    "recipients_and_contact": ("recipient.id", "recipient.legal_name", "recipient.contact"),
    "party_address": ("recipient.address.country", "controllers.0.address.country"),
    "purpose_text_and_code": ("purpose.id", "purpose.name.ko", "purpose.about.en", "purpose.category"),
    "data_items": ("items.0.dataset.id", "items.0.fields.0.name.ko", "items.0.category"),
    "chosen_assets": ("items.0.terms.dataset",),
    "sensitive": ("items.0.sensitive", "items.0.fields.0.sensitive"),
    "cycle": ("items.0.terms.frequency",),
    "history_range": ("items.0.terms.history_from",),
    "start_end": ("start", "end"),
    "retention": ("storage.duration",),
    "refusal_right": ("notice.refusal.ko", "notice.refusal.en"),
    "notice_version_language_hash": ("notice.text_version", "language", "consent.text_sha256", "notice.url"),
    "legal_basis": ("items.0.legal_basis", "items.0.article"),
    "jurisdiction": ("jurisdiction",),
    "storage_location": ("storage.location.country",),
    "withdrawal_method": ("rights.review_url", "rights.withdraw.ko"),
    "collection_method_and_actor": ("event.method", "event.by"),
    "status_event_time_entity": ("event.state", "event.status", "event.at", "event.entity"),
    "signature": ("signature",),
    "ledger_proof": ("ledger.index", "ledger.checkpoint", "ledger.inclusion"),
}
"""Every field that some standard makes mandatory in a consent record or receipt, and where it stands here."""
MAY_BE_NONE = {"consent.previous_version", "items.0.sensitive", "items.0.fields.0.sensitive", "signature"}


@pytest.mark.parametrize("field", MANDATORY)
def test_row_2_mandatory_field(field: str) -> None:
    """The field is in the receipt of a grant and says something."""
    for path in MANDATORY[field]:
        found: Any = payload()
        for step in path.split("."):
            found = found[int(step)] if isinstance(found, list) else found[step]
        assert path in MAY_BE_NONE or found, path


def names(value: Any, inside: str = "") -> set[str]:
    """Every member name of a document, but those below maps of languages and verbatim JSON."""
    if isinstance(value, list):
        return {name for one in value for name in names(one, inside)}
    if not isinstance(value, dict):
        return set()
    term = profile.context().get(inside, {})
    whole = isinstance(term, dict) and (term.get("@type") == "@json" or term.get("@container") == "@language")
    if whole:
        return set()
    return set(value) | {name for key, one in value.items() for name in names(one, key)}


@pytest.mark.parametrize("kind", KINDS)
def test_every_name_has_an_iri(kind: str) -> None:
    """JSON-LD drops what the context does not name: so it names everything."""
    used_names = names(KINDS[kind]()) - {"@context", "@type"}
    assert used_names <= set(profile.context()) - {"@version"}


def test_every_state_and_actor_has_a_dpv_term() -> None:
    """No state and no actor is left without its word, and withdrawal is never revocation."""
    states = {state: profile.term("states", state.value) for state in State}
    assert states[State.WITHDRAWN] == states[State.WITHDRAWING] != states[State.REVOKED]
    assert all(iri.startswith("dpv:Consent") for iri in states.values())
    assert all(profile.term("entities", one.value).startswith("dpv:") for one in By)
    assert profile.status(consent(), Move.RENEW) == "dpv:RenewedConsentGiven"


def test_a_copy_without_opening_still_holds_party_kind_and_time() -> None:
    """A recipient's copy verifies; its entry is still held against what it says."""
    closed = replace(evidence(), payload=None, salt=b"")
    made = grant(facts(closed), text_version="2026-11-22")
    assert made["opening"] is None
    assert verify(sign(made, SIGNER.sign), JWKS, VKEY) == made
    made["event"]["at"] = "2030-01-01T00:00:00Z"
    with pytest.raises(ReceiptError):
        verify(sign(made, SIGNER.sign), JWKS, VKEY)
