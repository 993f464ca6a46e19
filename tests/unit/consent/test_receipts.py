"""Receipts: what they say, that they verify offline against a small real log, and what is refused."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consent.canonical import canonical
from consent.ledger import checkpoint, proof
from consent.ledger.entry import Entry, encode
from consent.ledger.tree import leaf_hash, perfect_root
from consent.receipt_kinds import grant
from consent.receipts import Evidence, Facts, House, ReceiptError, digest, sign, verify
from consent.records import Move
from consent.subjects import SubjectKey
from consent.terms import to_details
from gateway.keyring import SigningKey, base64url
from tests.unit.consent.household import AT, CLIENT, consent, wording

SIGNER = SigningKey.of(ec.generate_private_key(ec.SECP256R1()))
JWKS = {"keys": [SIGNER.jwk()]}
LOG = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ORIGIN = "mydata.example/ledger/2026"
VKEY = checkpoint.vkey(ORIGIN, LOG.public_key())
KEY = SubjectKey(bytes(range(32)))
INDEX = 3
HOUSE = House(
    "https://mydata.example",
    "KR",
    "mydata-operator",
    {"ko": "운영자", "en": "Operator"},
    "help@mydata.example",
    "sandbox",
)


def said(**changes: Any) -> dict[str, Any]:
    """What the journal commits to when a consent is given."""
    given = consent()
    body = {
        "consent": given.id,
        "version": given.version,
        "state": given.state.value,
        "by": given.by.value,
        "authorization_details": to_details(given.terms),
        "text_sha256": given.text_hash,
        "language": given.language,
    }
    return {"event": "consent:grant:given", "by": "test", "body": body, "n": 1, "prev": None, **changes}


def evidence(payload: dict[str, Any] | None = None, kind: str = "consent:grant:given") -> Evidence:
    """The grant's entry at position 3 of a log of 8, under a signed checkpoint."""
    opened = canonical(payload or said())
    entry = encode(Entry(AT, kind, CLIENT.id, KEY.tag(1), KEY.com(1, opened)))
    entries = [encode(Entry(AT, "ledger:log:opened", "gateway", None, bytes([n]) * 32)) for n in range(8)]
    entries[INDEX] = entry
    leaves = [leaf_hash(one) for one in entries]

    def read(level: int, index: int) -> bytes:
        return perfect_root(leaves[index << level : (index + 1) << level])

    head = checkpoint.Checkpoint(ORIGIN, 8, proof.root(8, read))
    path = tuple(proof.inclusion(INDEX, 8, read))
    return Evidence(entry, INDEX, path, checkpoint.sign(head, LOG), opened, KEY.salt(1))


def payload(proven: Evidence | None = None) -> dict[str, Any]:
    """The receipt's payload."""
    return grant(facts(proven or evidence()), text_version="2026-11-22")


def facts(proven: Evidence, **changes: Any) -> Facts:
    """What every receipt here is made from."""
    values: dict[str, Any] = {
        "id": "c-1.1",
        "house": HOUSE,
        "issued_at": datetime(2026, 11, 22, 3, 0, 1, tzinfo=UTC),
        "consent": consent(),
        "move": Move.GIVE,
        "principal": base64url(bytes(32)),
        "recipient_country": "KR",
        "wording": wording("ko"),
        "evidence": proven,
        **changes,
    }
    return Facts(**values)


def receipt(proven: Evidence | None = None) -> bytes:
    """A signed receipt."""
    return sign(payload(proven), SIGNER.sign)


def code(data: bytes, jwks: dict[str, Any] | None = None, vkey: str | None = VKEY) -> str:
    """The code with which `data` is refused."""
    with pytest.raises(ReceiptError) as refused:
        verify(data, JWKS if jwks is None else jwks, vkey)
    return refused.value.code


def changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    """A receipt with a changed payload, signed by the issuer: only its content can betray it."""
    made = json.loads(json.dumps(payload()))
    change(made)
    return sign(made, SIGNER.sign)


def test_round_trip_with_and_without_the_ledger_key() -> None:
    """A receipt verifies offline to exactly the payload that was signed."""
    data = receipt()
    assert verify(data, JWKS, VKEY) == payload()
    assert verify(data, JWKS) == payload()
    assert digest(data) == "sha256:" + hashlib.sha256(data).hexdigest()


def test_it_says_everything_in_words() -> None:
    """Recipient and contact, purpose, items and fields in both languages, duration, and how to withdraw."""
    made = payload()
    assert made["recipient"]["contact"] == "privacy@deundeun.example"
    assert made["purpose"]["name"]["ko"]
    bank = made["items"][0]
    assert bank["holder"]["name"] == {"ko": "한빛은행", "en": "Hanbit Bank"}
    assert bank["fields"][0]["name"] == {"ko": "계좌번호", "en": "Account number"}
    terms = bank["terms"]
    assert (terms["frequency"], terms["history_from"], bank["basis"]) == ("P7D", "2026-05-01", "portability")
    kept = made["storage"]["duration"]
    assert (made["start"], made["end"], kept) == ("2026-11-22", "2027-05-21", "P90D")
    assert made["rights"]["review_url"].startswith("https://")
    assert made["rights"]["withdraw"].keys() == {"ko", "en"}


def test_it_opens_one_event_and_not_the_citizens_key() -> None:
    """The salt of this event is in it; the key all events hang on is not."""
    text = json.dumps(payload())
    assert base64url(KEY.salt(1)) in text
    assert base64url(bytes(range(32))) not in text
    assert base64url(KEY.salt(2)) not in text


@pytest.mark.parametrize("position", range(0, 6000, 61))
def test_any_flipped_bit_is_detected(position: int) -> None:
    """Bits over the whole receipt: each flip is refused."""
    data = bytearray(receipt())
    data[(position * 7 // 8) % len(data)] ^= 1 << position % 8
    with pytest.raises(ReceiptError):
        verify(bytes(data), JWKS, VKEY)


def test_other_keys() -> None:
    """Keys other than the issuer's, the log's, or none at all verify nothing."""
    other = SigningKey.of(ec.generate_private_key(ec.SECP256R1()))
    posing = {**other.jwk(), "kid": SIGNER.kid}
    log = checkpoint.vkey(ORIGIN, Ed25519PrivateKey.generate().public_key())
    data = receipt()
    assert code(data, {"keys": [other.jwk()]}) == "receipt_unknown_issuer_key"
    assert code(data, {"keys": []}) == "receipt_unknown_issuer_key"
    assert code(data, {}) == "receipt_unknown_issuer_key"
    assert code(data, {"keys": [posing]}) == "receipt_signature_invalid"
    assert code(data, {"keys": [posing, SIGNER.jwk()]}) == "receipt_unknown_issuer_key"
    assert code(data, {"keys": [{**SIGNER.jwk(), "crv": "P-384"}]}) == "receipt_issuer_key_unusable"
    assert code(data, {"keys": [{**SIGNER.jwk(), "x": "AA=="}]}) == "receipt_issuer_key_unusable"
    assert code(data, vkey=log) == "receipt_ledger_invalid"
    assert code(data, vkey="nonsense") == "receipt_ledger_invalid"


def test_encoding() -> None:
    """Appended, cut, padded, re-spelled: not the one form of a receipt."""
    data = receipt()
    header, body, signature = data.split(b".")
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    spelled = signature[:-1] + alphabet[alphabet.index(signature[-1]) + 1 :][:1]
    for broken in (data + b".", data + b"\n", data + b"=", header + b"." + body, b"", b"\n" + data):
        assert code(broken) == "receipt_encoding"
    assert code(b".".join((header, body, spelled))) == "receipt_encoding"
    assert code(data[:-2]) in ("receipt_encoding", "receipt_signature_invalid")
    assert code(b"a" * 128_000) == "receipt_too_large"


@pytest.mark.parametrize("typ", ["JWT", "mydata-bundle+jwt", ""])
def test_another_kind_of_token_is_no_receipt(typ: str) -> None:
    """The issuer's other signatures cannot pass for a receipt."""
    data = SIGNER.sign(json.loads(canonical(payload())), typ).encode()
    assert code(data) == "receipt_header_invalid"


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda text: text[:-1] + b',"id":"rcp_02"}', "receipt_not_canonical"),
        (lambda text: text.replace(b'"version":1', b'"version":1,"version":1'), "receipt_not_canonical"),
        (lambda text: b" " + text, "receipt_not_canonical"),
        (lambda text: text.replace(b'"version":1', b'"version":1.0'), "receipt_unreadable"),
        (lambda text: text[:-1], "receipt_unreadable"),
        (lambda _: b"[" * 50_000, "receipt_unreadable"),
        (lambda _: b"[]", "receipt_not_canonical"),
        (lambda _: b"{}", "receipt_invalid"),
    ],
)
def test_payload_bytes_even_if_signed(spoil: Callable[[bytes], bytes], expected: str) -> None:
    """Duplicate names, spaces, fractions: refused although the issuer signed them."""
    assert code(signed(spoil(canonical(payload())))) == expected


def signed(text: bytes) -> bytes:
    """A JWS over any payload bytes."""
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
    from cryptography.hazmat.primitives.hashes import SHA256

    header = canonical({"alg": "ES256", "kid": SIGNER.kid, "typ": "mydata-receipt+jwt"})
    signing_input = f"{base64url(header)}.{base64url(text)}".encode()
    r, s = decode_dss_signature(SIGNER.private.sign(signing_input, ec.ECDSA(SHA256())))
    return signing_input + b"." + base64url(r.to_bytes(32, "big") + s.to_bytes(32, "big")).encode()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda p: p.update(extra=1), "receipt_invalid"),
        (lambda p: p.pop("rights"), "receipt_invalid"),
        (lambda p: p.update(schema="mydata-receipt/1"), "receipt_invalid"),
        (lambda p: p.update(kind="use"), "receipt_invalid"),
        (lambda p: p.update(ledger=None), "receipt_invalid"),
        (lambda p: p["ledger"].pop("entry"), "receipt_invalid"),
        (lambda p: p["ledger"].update(entry="AAAA"), "receipt_ledger_invalid"),
        (lambda p: p["ledger"].update(index=4), "receipt_proof_wrong"),
        (lambda p: p["ledger"].update(index=-1), "receipt_proof_wrong"),
        (lambda p: p["ledger"].update(index=True), "receipt_proof_wrong"),
        (lambda p: p["ledger"]["inclusion"].pop(), "receipt_proof_wrong"),
        (lambda p: p["ledger"]["inclusion"].append("A" * 43), "receipt_proof_wrong"),
        (lambda p: p["ledger"].update(inclusion=["A=="]), "receipt_encoding"),
        (lambda p: p["ledger"].update(checkpoint=p["ledger"]["checkpoint"] + "\n"), "receipt_ledger_invalid"),
        (lambda p: p["ledger"].update(checkpoint="x"), "receipt_ledger_invalid"),
        (lambda p: p["opening"].update(salt=base64url(bytes(32))), "receipt_opening_wrong"),
        (lambda p: p["opening"].update(payload=base64url(b"{}")), "receipt_opening_wrong"),
        (lambda p: p["consent"].update(version=2), "receipt_ledger_mismatch"),
        (lambda p: p["consent"].update(text_sha256="0" * 64), "receipt_ledger_mismatch"),
        (lambda p: p["recipient"].update(id="other"), "receipt_ledger_mismatch"),
        (lambda p: p.update(end="2030-01-01"), "receipt_ledger_mismatch"),
        (lambda p: p.update(language="en"), "receipt_ledger_mismatch"),
        (lambda p: p["purpose"].update(id="health-coaching"), "receipt_ledger_mismatch"),
        (lambda p: p["items"].pop(), "receipt_ledger_mismatch"),
        (lambda p: p["items"][0]["fields"].pop(), "receipt_ledger_mismatch"),
        (lambda p: p["items"][0]["fields"][0].update(id="trans_no"), "receipt_ledger_mismatch"),
        (lambda p: p["items"][0]["dataset"].update(id="finance.loans"), "receipt_ledger_mismatch"),
        (lambda p: p["event"].update(by="delegate"), "receipt_ledger_mismatch"),
        (lambda p: p["event"].update(at="2026-11-22T03:00:01Z"), "receipt_ledger_mismatch"),
        (lambda p: p["storage"].update(duration="P1Y"), "receipt_ledger_mismatch"),
        (lambda p: p.update(opening={}), "receipt_invalid"),
        (lambda p: p["items"][0]["terms"].update(frequency="P1D"), "receipt_ledger_mismatch"),
    ],
)
def test_content_even_if_signed(change: Callable[[dict[str, Any]], object], expected: str) -> None:
    """Words, opening, entry and proof must all say the same."""
    assert code(changed(change)) == expected


def test_an_entry_of_another_kind_is_no_grant() -> None:
    """A withdrawal's entry does not carry a grant's receipt."""
    data = receipt(evidence(said(event="consent:grant:withdrawn"), "consent:grant:withdrawn"))
    assert code(data) == "receipt_ledger_mismatch"
    mixed = receipt(evidence(said(event="consent:grant:narrowed"), "consent:grant:given"))
    assert code(mixed) == "receipt_ledger_mismatch"


def test_a_narrowing_has_a_receipt_too() -> None:
    """What the citizen narrowed to is agreed anew and receipted as such."""
    assert verify(
        receipt(evidence(said(event="consent:grant:narrowed"), "consent:grant:narrowed")), JWKS, VKEY
    )


def test_a_signer_that_writes_other_bytes_is_refused() -> None:
    """What is signed is exactly the canonical payload."""
    with pytest.raises(ReceiptError) as refused:
        sign(payload(), lambda claims, typ: SIGNER.sign({**claims, "iat": 1}, typ))
    assert refused.value.code == "receipt_not_canonical"


def test_the_errors_hold_no_content() -> None:
    """A refusal names what is wrong, never a value of the receipt."""
    with pytest.raises(ReceiptError) as refused:
        verify(changed(lambda p: p["opening"].update(salt=base64url(bytes(32)))), JWKS, VKEY)
    assert "privacy@deundeun.example" not in str(refused.value)
    assert base64.b64encode(bytes(32)).decode()[:20] not in str(refused.value)
