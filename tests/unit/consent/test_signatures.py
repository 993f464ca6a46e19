"""A citizen's signature over the text: what holds, and everything that does not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from consent.signatures import SignatureError, anchors, content_of, verify
from consent.text import build
from gateway.keyring import base64url
from tests.unit.consent import signing
from tests.unit.consent.household import AT, consent, wording
from tests.unit.consent.signing import Authority

TEXT = build(consent().terms, wording("ko"))
CONTENT = content_of(TEXT, consent())


TRUSTED = Authority()
KEY = ec.generate_private_key(ec.SECP256R1())
CERTIFICATE = TRUSTED.certify(KEY)


def signed(
    content: bytes = CONTENT, certificate: x509.Certificate = CERTIFICATE, key: Any = KEY, **header: Any
) -> str:
    """A detached JWS over `content`."""
    return signing.signed(content, certificate, key, **header)


def refused(jws: str, content: bytes = CONTENT, at: int = AT) -> None:
    """`jws` is refused, and the refusal holds nothing of it."""
    with pytest.raises(SignatureError) as error:
        verify(jws, content, [TRUSTED.certificate], at)
    assert error.value.code == "signature_refused"


def test_row_4_a_signature_over_the_text_holds() -> None:
    """ES256 and PS256 by certified keys; the hash names the signature as it came."""
    made = verify(signed(), CONTENT, [TRUSTED.certificate], AT)
    assert made.certificate_sha256 == CERTIFICATE.fingerprint(hashes.SHA256()).hex()
    long = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    jws = signed(certificate=TRUSTED.certify(long, content_commitment=True), key=long)
    assert verify(jws, CONTENT, [TRUSTED.certificate], AT).algorithm == "PS256"


def test_another_text_language_consent_or_version_is_not_signed_by_it() -> None:
    """A signature fits one text of one version of one consent."""
    english = build(consent().terms, wording("en"))
    other = (
        content_of(english, consent()),
        content_of(replace(TEXT, body=TEXT.body + " "), consent()),
        content_of(TEXT, replace(consent(), id="c-2")),
        content_of(TEXT, replace(consent(), version=2)),
    )
    for content in other:
        refused(signed(), content)
        refused(signed(content))


def test_certificates_that_do_not_count() -> None:
    """Expired, not yet valid, of another authority, not for signatures, self-made, none trusted."""
    refused(signed(certificate=TRUSTED.certify(KEY, days=(-30, -1))))
    refused(signed(certificate=TRUSTED.certify(KEY, days=(1, 30))))
    refused(signed(), at=AT + 31 * 86_400)
    refused(signed(certificate=Authority().certify(KEY)))
    refused(signed(certificate=TRUSTED.certify(KEY, key_agreement=True)))
    refused(signed(certificate=TRUSTED.certify(ec.generate_private_key(ec.SECP256R1()))))
    with pytest.raises(SignatureError):
        verify(signed(), CONTENT, [], AT)


def test_weak_keys_and_other_algorithms() -> None:
    """RSA below 2048 bits, another curve, `none`, HMAC, RS256, a header that says more."""
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505
    refused(signed(certificate=TRUSTED.certify(short), key=short))
    wide = ec.generate_private_key(ec.SECP384R1())
    refused(signed(certificate=TRUSTED.certify(wide), key=wide))
    for algorithm in ("none", "HS256", "RS256", "ES384", "EdDSA", ["ES256"], None):
        refused(signed(alg=algorithm))
    refused(signed(jwk={}))
    refused(signed(b64=False, crit=["b64"]))
    refused(signed(x5c=[]))
    refused(signed(x5c=["AAAA"]))
    refused(signed(x5c="AAAA"))
    refused(signed(x5c=[1]))
    refused("a" * 20_000)
    refused("..")
    head, _, signature = signed().split(".")
    refused(f"{head}.{base64url(CONTENT)}.{signature}")


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 127))
def test_any_changed_byte_is_found(place: int, byte: int) -> None:
    """No byte of it can be another one."""
    made = bytearray(JWS.encode())
    place %= len(made)
    if made[place] == byte:
        return
    made[place] = byte
    refused(made.decode("latin-1"))


JWS = signed()


def test_authorities_are_read_from_a_folder(tmp_path: Path) -> None:
    """Every certificate of every PEM file; none, and nobody is trusted."""
    assert anchors(tmp_path) == []
    (tmp_path / "one.pem").write_bytes(TRUSTED.certificate.public_bytes(serialization.Encoding.PEM))
    assert anchors(tmp_path) == [TRUSTED.certificate]
