"""A manifest the issuer signed is still refused when its bytes or content do not agree with the bundle."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway.bundles.open import canonical
from tests.unit.gateway.bundles.forging import code, rebuilt, resigned, signed
from tests.unit.gateway.bundles.story import Story, story


@pytest.fixture(scope="module")
def small() -> Story:
    """A bundle of one frame."""
    return story()


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda text: text[:-1] + b',"id":"bnd_02"}', "bundle_manifest_duplicate_name"),
        (
            lambda text: text.replace(b'"version":1', b'"version":1,"version":2'),
            "bundle_manifest_duplicate_name",
        ),
        (lambda text: b" " + text, "bundle_manifest_not_canonical"),
        (lambda text: text.replace(b'"version":1', b'"version":1.0'), "bundle_manifest_unreadable"),
        (lambda text: text.replace(b'"version":1', b'"version":NaN'), "bundle_manifest_unreadable"),
        (lambda text: text[:-1], "bundle_manifest_unreadable"),
        (lambda text: text + b"\xff", "bundle_manifest_unreadable"),
        (lambda _: b"[" * 50_000, "bundle_manifest_unreadable"),
        (lambda _: b"[]", "bundle_manifest_invalid"),
    ],
)
def test_manifest_bytes_even_if_signed(small: Story, spoil: Callable[[bytes], bytes], expected: str) -> None:
    """Duplicate names, spaces, fractions and other spellings are refused although the issuer signed them."""
    jws = signed(small, spoil(canonical(small.sealed.manifest)))
    assert code(small, rebuilt(small.sealed.data, jws)) == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda m: m.update(format="mdb/2"), "bundle_manifest_invalid"),
        (lambda m: m.pop("issuer"), "bundle_manifest_invalid"),
        (lambda m: m.pop("crypto"), "bundle_manifest_invalid"),
        (lambda m: m.pop("parts"), "bundle_manifest_invalid"),
        (lambda m: m["parts"].append({}), "bundle_manifest_invalid"),
        (lambda m: m["parts"].append(None), "bundle_manifest_invalid"),
        (lambda m: m["parts"].append(m["parts"][0]), "bundle_manifest_invalid"),
        (lambda m: m["parts"].pop(), "bundle_trailing_bytes"),
        (lambda m: m["parts"][0].update(name="../evil"), "bundle_manifest_invalid"),
        (lambda m: m["parts"][0].update(name="a..b"), "bundle_manifest_invalid"),
        (lambda m: m["parts"][0].update(name="other"), "bundle_frame_invalid"),
        (lambda m: m["parts"][0].update(plain_size=-5), "bundle_manifest_invalid"),
        (lambda m: m["parts"][0].update(plain_size=True), "bundle_manifest_invalid"),
        (lambda m: m["parts"][0].update(frame_size=0), "bundle_manifest_invalid"),
        (lambda m: m["parts"][0].update(cipher_size=10), "bundle_manifest_invalid"),
        (lambda m: m["parts"][0].update(nonce_prefix="AAAA"), "bundle_manifest_invalid"),
        (lambda m: m["parts"][0].update(nonce_prefix="AAAAAAAAAA"), "bundle_frame_invalid"),
        (lambda m: m["parts"][0].update(plain_hmac="AAAA"), "bundle_part_changed"),
        (lambda m: m["crypto"].update(aead="none"), "bundle_unsupported"),
        (lambda m: m["crypto"].update(compression="zstd"), "bundle_unsupported"),
        (lambda m: m["crypto"].update(wraps=[]), "bundle_wrong_recipient"),
        (lambda m: m["crypto"]["wraps"].append(m["crypto"]["wraps"][0]), "bundle_wrong_recipient"),
        (lambda m: m["crypto"]["wraps"][0].update(suite="other"), "bundle_unsupported"),
        (lambda m: m["crypto"]["wraps"][0].update(sealed="AAAA"), "bundle_wrong_recipient"),
        (lambda m: m.update(id="bnd_02"), "bundle_wrong_recipient"),
        (lambda m: m["obligations"].update(delete_by="2099-01-01"), "bundle_wrong_recipient"),
    ],
)
def test_content_even_if_signed(
    small: Story, change: Callable[[dict[str, Any]], object], expected: str
) -> None:
    """Sizes, names and keys must agree, and key and frames are bound to the manifest they were made for."""
    assert code(small, resigned(small, change)) == expected
