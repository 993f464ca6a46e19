"""What cannot be sealed: manifests that would not be honest, mixed legal bases, unusable keys, too large."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.bundles.errors import ManifestError
from gateway.bundles.manifest import Draft, Gap, Recipient, Withheld, document
from gateway.bundles.open import open_bundle
from gateway.bundles.seal import Part, Sealed, seal
from gateway.keyring import SigningKey
from tests.unit.gateway.bundles.story import draft, recipient_key

SIGNER = SigningKey.of(ec.generate_private_key(ec.SECP256R1()))
PRIVATE, PUBLIC = recipient_key("enc-1")
PART = Part("hanbit-bank.deposit-transactions.ndjson", "application/x-ndjson", b"{}\n")


def sealed(made: Draft, *parts: Part) -> Sealed:
    """Seal with working keys."""
    return seal(made, parts or (PART,), [PUBLIC], SIGNER.sign)


def source(**changes: Any) -> Draft:
    """The draft with its one source changed."""
    made = draft()
    return replace(made, sources=(replace(made.sources[0], **changes),))


def scope(**changes: Any) -> Draft:
    """The draft with its one item changed."""
    made = draft()
    return replace(made, scope=(replace(made.scope[0], **changes),))


@pytest.mark.parametrize("basis", ["pipa-28-2", "art28_2", "", "contract"])
def test_only_consent_and_portability_share_a_bundle(basis: str) -> None:
    """PIPA 28-2 data never mixes with either; any other basis is refused too."""
    with pytest.raises(ManifestError) as refused:
        sealed(source(basis=basis))
    assert refused.value.code == "manifest_basis_mixed"


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (lambda: source(outcome="fine"), "manifest_source_invalid"),
        (lambda: source(part=None), "manifest_source_invalid"),
        (lambda: source(holder="other-bank"), "manifest_item_unmatched"),
        (lambda: replace(draft(), sources=draft().sources * 2), "manifest_item_unmatched"),
        (lambda: replace(draft(), scope=()), "manifest_item_unmatched"),
        (lambda: scope(withheld=()), "manifest_coverage_wrong"),
        (lambda: scope(sent=("trans_amt", "extra")), "manifest_coverage_wrong"),
        (lambda: scope(consented=("trans_amt",)), "manifest_coverage_wrong"),
        (lambda: scope(withheld=(Withheld(field="trans_amt", reason="x"),)), "manifest_coverage_wrong"),
        (lambda: draft(created=draft().created.replace(tzinfo=None)), "manifest_time_invalid"),
        (lambda: draft(request_id=1.5), "manifest_value_invalid"),
        (lambda: draft(request_id=2**60), "manifest_value_invalid"),
    ],
)
def test_a_manifest_that_is_not_honest_is_refused(made: Callable[[], Draft], code: str) -> None:
    """Every asked field is sent or withheld with a reason; every source is an item; counts have parts."""
    with pytest.raises(ManifestError) as refused:
        sealed(made())
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ((PART, PART), "manifest_parts_unmatched"),
        ((replace(PART, name="other.ndjson"),), "manifest_parts_unmatched"),
        ((PART, Part("extra.ndjson", "application/x-ndjson", b"")), "manifest_parts_unmatched"),
    ],
)
def test_parts_and_sources_match_one_to_one(parts: tuple[Part, ...], code: str) -> None:
    """No part without a source, no source without its part."""
    with pytest.raises(ManifestError) as refused:
        sealed(draft(), *parts)
    assert refused.value.code == code


@pytest.mark.parametrize("name", ["../x", "a/b", "A.ndjson", "manifest.json", ".hidden", "a..b", "x" * 121])
def test_part_names_are_safe_file_names(name: str) -> None:
    """A recipient can write parts to disk by their names."""
    with pytest.raises(ManifestError) as refused:
        sealed(source(part=name), replace(PART, name=name))
    assert refused.value.code == "manifest_part_name_unsafe"


@pytest.mark.parametrize(
    "change", [{"x": "AA"}, {"x": None}, {"kty": "EC"}, {"use": "sig"}, {"kid": ""}, {"kid": 1}]
)
def test_unusable_recipient_keys(change: dict[str, object]) -> None:
    """Nothing is sealed to a key that cannot open it."""
    with pytest.raises(ManifestError) as refused:
        seal(draft(), [PART], [{**PUBLIC, **change}], SIGNER.sign)
    assert refused.value.code == "manifest_recipient_key_unusable"


def test_no_or_doubled_recipient_keys() -> None:
    """A bundle has at least one recipient key, and each name once."""
    for wrong in ([], [PUBLIC, PUBLIC]):
        with pytest.raises(ManifestError) as refused:
            seal(draft(), [PART], wrong, SIGNER.sign)
        assert refused.value.code == "manifest_recipient_key_unusable"


def test_a_manifest_of_128_kb_is_refused() -> None:
    """The manifest stays small enough for every opener."""
    gaps = tuple(Gap(reason="holder_down", at=f"page {page}" + "x" * 100) for page in range(1000))
    with pytest.raises(ManifestError) as refused:
        sealed(source(gaps=gaps))
    assert refused.value.code == "manifest_too_large"


def test_a_signer_that_writes_other_bytes_is_refused() -> None:
    """What is signed is exactly the canonical manifest."""
    with pytest.raises(ManifestError) as refused:
        seal(draft(), [PART], [PUBLIC], lambda claims, typ: SIGNER.sign({**claims, "iat": 1}, typ))
    assert refused.value.code == "manifest_not_canonical"


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 131_072, 131_073])
def test_every_size_around_a_frame_comes_back(size: int) -> None:
    """Empty parts, exact frames and one byte more all open."""
    body = bytes(size)
    made = sealed(draft(), replace(PART, body=body))
    assert open_bundle(made.data, PRIVATE, {"keys": [SIGNER.jwk()]}).parts == {PART.name: body}


def test_a_bundle_that_could_send_nothing_still_says_why() -> None:
    """A source without a part is a complete statement: its outcome and gaps travel."""
    made = source(outcome="failed", part=None, records=0, gaps=(Gap(reason="holder_down"),))
    withheld = tuple(Withheld(field=name, reason="holder_down") for name in made.scope[0].asked)
    made = replace(made, scope=(replace(made.scope[0], sent=(), withheld=withheld),))
    data = seal(made, [], [PUBLIC], SIGNER.sign).data
    manifest = open_bundle(data, PRIVATE, {"keys": [SIGNER.jwk()]}).manifest
    assert manifest["parts"] == []
    assert manifest["sources"][0]["gaps"] == [{"reason": "holder_down"}]


def test_the_document_counts_what_it_holds() -> None:
    """Numbers of the risk block are sums over the sources, nothing else is claimed."""
    made = source(records=10, unreadable={"json": 2, "round:balance_amt": 1})
    plain = document(replace(made, replaced={"rrn": 4}))
    assert plain["risk"] == {"records": 10, "suppressed": 3, "replaced_in_text": {"rrn": 4}}
    assert plain["stamp"] == "sandbox"


def test_a_treatment_is_said_once() -> None:
    """Two holders of one dataset are treated by the same plan; its notes stand once."""
    made = draft()
    assert document(replace(made, treatment=made.treatment * 2)) == document(made)


def test_names_in_korean_are_signed_as_they_are() -> None:
    """Non-ASCII values survive canonical form and come back."""
    made = draft(recipient=Recipient(id="r", name={"ko": "든든\u2028\x7f\x01가계부", "en": "D"}))
    opened = open_bundle(sealed(made).data, PRIVATE, {"keys": [SIGNER.jwk()]})
    assert opened.manifest["recipient"]["name"]["ko"] == "든든\u2028\x7f\x01가계부"


def test_two_seals_of_the_same_content_share_no_key_material() -> None:
    """Every bundle has its own content key, prefix and wrap."""
    first, second = sealed(draft()), sealed(draft())
    assert first.manifest["parts"][0]["cipher_sha256"] != second.manifest["parts"][0]["cipher_sha256"]
    assert first.manifest["parts"][0]["plain_hmac"] != second.manifest["parts"][0]["plain_hmac"]
