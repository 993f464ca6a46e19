"""Sealing and opening: round trips, and everything an opener must refuse, by its code."""

from __future__ import annotations

import ast
import base64
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.bundles import open as bundles_open
from gateway.bundles.open import (
    MAGIC,
    TYP,
    BundleRejected,
    b64url,
    canonical,
    open_bundle,
    unb64url,
    verify_bundle,
)
from gateway.keyring import SigningKey
from tests.unit.gateway.bundles.forging import HEAD, code, jws_of, other_spelling, rebuilt, resigned, signed
from tests.unit.gateway.bundles.story import Story, recipient_key, story

FRAME = 64 * 1024 + 16


@pytest.fixture(scope="module")
def small() -> Story:
    """A bundle of one frame."""
    return story()


@pytest.fixture(scope="module")
def large() -> Story:
    """A bundle of several frames."""
    return story(2000)


def test_round_trip(large: Story) -> None:
    """What was sealed comes out, byte for byte, with its manifest."""
    opened = open_bundle(large.sealed.data, large.private_jwk, large.jwks, issuer="https://mydata.example")
    assert opened.parts == {large.part.name: large.part.body}
    assert opened.manifest == large.sealed.manifest
    assert large.sealed.manifest["parts"][0]["plain_size"] > 3 * 64 * 1024


def test_verification_needs_no_private_key(small: Story) -> None:
    """Signature and ciphertext hashes can be checked by anyone holding the issuer's keys."""
    assert verify_bundle(small.sealed.data, small.jwks) == small.sealed.manifest


def test_the_file_holds_no_plaintext(small: Story) -> None:
    """No treated value is readable, and the manifest has no unkeyed hash of the plaintext."""
    assert b"20261122100000" not in small.sealed.data
    manifest = json.dumps(small.sealed.manifest)
    digest = hashlib.sha256(small.part.body).digest()
    assert b64url(digest) not in manifest
    assert digest.hex() not in manifest


@pytest.mark.parametrize("cut", [0, 5, HEAD - 1, HEAD, HEAD + 100, -1, -17])
def test_truncated(small: Story, cut: int) -> None:
    """A file cut anywhere is refused."""
    assert code(small, small.sealed.data[:cut]) in ("bundle_truncated", "bundle_not_a_bundle")


def test_appended(small: Story) -> None:
    """One byte too many is refused: nothing unlisted rides along."""
    assert code(small, small.sealed.data + b"\0") == "bundle_trailing_bytes"


def test_changed_frame(small: Story) -> None:
    """A changed ciphertext no longer has its signed hash."""
    data = bytearray(small.sealed.data)
    data[-1] ^= 1
    assert code(small, bytes(data)) == "bundle_part_changed"


def swap_frames(data: bytes) -> bytes:
    """The last two whole frames exchanged."""
    at = HEAD + len(jws_of(data))
    return data[:at] + data[at + FRAME : at + 2 * FRAME] + data[at : at + FRAME] + data[at + 2 * FRAME :]


def test_swapped_frames(large: Story) -> None:
    """Frames in another order are refused by the hash, and by themselves if the hash is re-signed."""
    swapped = swap_frames(large.sealed.data)
    assert code(large, swapped) == "bundle_part_changed"
    digest = b64url(hashlib.sha256(swapped[HEAD + len(jws_of(swapped)) :]).digest())
    honest = resigned(large, lambda m: m["parts"][0].update(cipher_sha256=digest))
    forged = swap_frames(rebuilt(honest, jws_of(honest)))
    assert code(large, forged) == "bundle_frame_invalid"


def test_wrong_recipient(small: Story) -> None:
    """Another company's key opens nothing, under its own name or the right one."""
    stranger, _ = recipient_key("enc-9")
    assert code(small, small.sealed.data, key=stranger) == "bundle_wrong_recipient"
    assert code(small, small.sealed.data, key={**stranger, "kid": "enc-1"}) == "bundle_wrong_recipient"
    assert (
        code(small, small.sealed.data, key={**small.private_jwk, "kid": "enc-2"}) == "bundle_wrong_recipient"
    )


@pytest.mark.parametrize("change", [{"d": None}, {"d": "AA"}, {"d": "A=="}, {"kty": "EC"}, {"kid": 5}])
def test_unusable_recipient_key(small: Story, change: dict[str, object]) -> None:
    """A key that is no private X25519 JWK with a name is refused as such."""
    assert code(small, small.sealed.data, key={**small.private_jwk, **change}) == "bundle_key_unusable"


def test_other_issuer_keys(small: Story) -> None:
    """Signed by a key other than those given: by another name, by the same name, by a doubled name."""
    other = SigningKey.of(ec.generate_private_key(ec.SECP256R1()))
    posing = {**other.jwk(), "kid": small.signer.kid}
    data = small.sealed.data
    assert code(small, data, jwks={"keys": [other.jwk()]}) == "bundle_unknown_issuer_key"
    assert code(small, data, jwks={"keys": []}) == "bundle_unknown_issuer_key"
    assert code(small, data, jwks={}) == "bundle_unknown_issuer_key"
    assert code(small, data, jwks={"keys": [posing]}) == "bundle_signature_invalid"
    assert code(small, data, jwks={"keys": [posing, small.signer.jwk()]}) == "bundle_unknown_issuer_key"


@pytest.mark.parametrize(
    "change",
    [
        {"kty": "RSA"},
        {"crv": "P-384"},
        {"alg": "ES384"},
        {"use": "enc"},
        {"x": "AA"},
        {"y": None},
        {"y": "A="},
    ],
)
def test_unusable_issuer_key(small: Story, change: dict[str, object]) -> None:
    """An issuer key that is no P-256 signature key is refused before anything is verified with it."""
    jwks = {"keys": [{**small.signer.jwk(), **change}]}
    assert code(small, small.sealed.data, jwks=jwks) == "bundle_issuer_key_unusable"


def test_another_issuer_name(small: Story) -> None:
    """A good signature of another issuer's name is refused when a name was asked for."""
    assert code(small, small.sealed.data, issuer="https://other.example") == "bundle_wrong_issuer"


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none", "kid": "K", "typ": TYP},
        {"alg": "HS256", "kid": "K", "typ": TYP},
        {"alg": "ES256", "kid": "K", "typ": "JWT"},
        {"alg": "ES256", "typ": TYP},
        {"alg": "ES256", "crit": [], "kid": "K", "typ": TYP},
        {"alg": "ES256", "jwk": {}, "kid": "K", "typ": TYP},
        [],
    ],
)
def test_header(small: Story, header: Any) -> None:
    """One header only: ES256, a key name, our type; no `crit`, no key brought along."""
    if isinstance(header, dict) and "kid" in header:
        header["kid"] = small.signer.kid
    jws = signed(small, canonical(small.sealed.manifest), canonical(header))
    assert code(small, rebuilt(small.sealed.data, jws)) == "bundle_header_invalid"


def test_non_canonical_base64(small: Story) -> None:
    """Padding, other alphabets and unused bits set are refused, in every segment."""
    header, payload, signature = jws_of(small.sealed.data).split(b".")
    for broken in (
        header + b"=." + payload + b"." + signature,
        header + b"." + payload + b"." + signature + b"==",
        header + b"." + payload + b"." + signature[:-1] + other_spelling(signature[-1:]),
        header + b"." + payload + b"." + signature[:-1] + b"+",
        b"\n" + header + b"." + payload + b"." + signature,
        header + b"." + payload,
        header + b"." + payload + b"." + signature + b".",
        "é".encode() + header + b"." + payload + b"." + signature,
    ):
        assert code(small, rebuilt(small.sealed.data, broken)) == "bundle_manifest_encoding"


def test_too_large_a_manifest_is_not_read(small: Story) -> None:
    """A claimed manifest of 128 000 bytes or more is refused by its length."""
    data = MAGIC + (128_000).to_bytes(4, "big") + small.sealed.data[HEAD:]
    assert code(small, data) == "bundle_manifest_too_large"


def test_other_files_are_named_as_such(small: Story) -> None:
    """What is no bundle at all gets its own code."""
    for data in (b"", b"PK\x03\x04", b"\x89mdb/2\r\n" + small.sealed.data[8:], MAGIC.replace(b"\r\n", b"\n")):
        assert code(small, data) == "bundle_not_a_bundle"


def test_the_errors_hold_no_content(small: Story) -> None:
    """A refusal's text has no pseudonym, key or signature in it."""
    with pytest.raises(BundleRejected) as refused:
        open_bundle(small.sealed.data + b"x", small.private_jwk, small.jwks)
    assert small.private_jwk["d"] not in str(refused.value)
    assert small.sealed.manifest["subject"]["pseudonym"] not in str(refused.value)


def test_the_opener_stands_alone(small: Story, tmp_path: Path) -> None:
    """A company can copy the one file: nothing but the standard library and `cryptography` is imported."""
    copy = tmp_path / "mdb_open.py"
    copy.write_bytes(Path(bundles_open.__file__).read_bytes())
    roots = {name.split(".")[0] for node in ast.walk(ast.parse(copy.read_text())) for name in imported(node)}
    assert roots - sys.stdlib_module_names == {"cryptography"}
    files = {"b.mdb": small.sealed.data, "k": small.private_jwk, "j": small.jwks}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    script = (
        "import json, mdb_open, pathlib as p; r = lambda n: p.Path(n).read_bytes();"
        "print(len(mdb_open.open_bundle(r('b.mdb'), json.loads(r('k')), json.loads(r('j'))).parts))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, check=True)
    assert done.stdout == b"1\n"


def imported(node: ast.AST) -> list[str]:
    """The modules a statement imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or "."] if isinstance(node, ast.ImportFrom) else []


def test_canonical_base64_is_the_inverse_of_itself() -> None:
    """Strict decoding accepts what encoding writes, and only that."""
    for size in range(5):
        assert unb64url(b64url(bytes(size)), "x") == bytes(size)
    with pytest.raises(BundleRejected):
        unb64url(base64.urlsafe_b64encode(b"a").decode(), "x")
