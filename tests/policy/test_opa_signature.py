"""A stock OPA with the approver's key verifies our bundles, and takes no other."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.policy.bundle import PolicyBundle, load, of, unpack
from gateway.policy.opa_signature import signed

pytestmark = pytest.mark.opa
KEY, OTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()


def approved(bundle: PolicyBundle, key: Ed25519PrivateKey = KEY) -> PolicyBundle:
    """The bundle, signed by Bora."""
    return replace(bundle, signature=signed(bundle.members, key, "bora"))


def loaded(opa: Path, folder: Path, archive: bytes, *options: str) -> str:
    """What OPA says when it loads an archive with Bora's public key; empty: it took it."""
    public, file = folder / "bora.pem", folder / "bundle.tar.gz"
    form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    public.write_bytes(KEY.public_key().public_bytes(*form))
    file.write_bytes(archive)
    given = options or ("--verification-key", str(public), "--signing-alg", "EdDSA")
    command = [str(opa), "build", "--bundle", str(file), "--output", str(folder / "out.tar.gz"), *given]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_an_approved_policy_is_taken(opa_binary: Path, tmp_path: Path) -> None:
    """The shipped files, signed by the approver; the same bytes without the key are refused by OPA itself."""
    archive = approved(load()).tarball(signed=True)
    assert loaded(opa_binary, tmp_path, archive) == ""
    assert "verification key" in loaded(opa_binary, tmp_path, archive, "--revision", "x")
    assert unpack(archive) == load()


def test_unusual_data_is_hashed_as_opa_does(opa_binary: Path, tmp_path: Path) -> None:
    """Korean, line separators, signs of markup, nesting and every kind of JSON value."""
    values = '"a": [1, -2, true, null, {}, []], "": {"z": 1, "y": 2}'
    text = '{"mydata_odd": {"ㄱ": "<&>\\u2028\\u2029\\"\\\\/", ' + values + "}}"
    bundle = of({**load().files, "mydata/odd/data.json": text.encode()})
    assert loaded(opa_binary, tmp_path, approved(bundle).tarball(signed=True)) == ""


CHANGES: dict[str, Callable[[dict[str, bytes]], object]] = {
    "rego": lambda f: f.update({"mydata/law/law.rego": f["mydata/law/law.rego"] + b"# \n"}),
    "data": lambda f: f.update(
        {"mydata/reference/data.json": f["mydata/reference/data.json"].replace(b"19,", b"18,", 1)}
    ),
    "table": lambda f: f.update({"decision_table.json": b"{}"}),
    "added": lambda f: f.update({"mydata/law/more.rego": b"package mydata.law\n"}),
    "lost": lambda f: f.pop("mydata/law/law.rego"),
    "revision": lambda f: f.update({".manifest": f[".manifest"].replace(b"sha256:", b"sha512:")}),
    "unsigned": lambda f: f.pop(".signatures.json"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_changed_after_approval_is_refused(opa_binary: Path, tmp_path: Path, change: str) -> None:
    """A byte of any file, a file more or less, another revision, no signature."""
    files: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(approved(load()).tarball(signed=True))) as archive:
        for member in archive:
            content = archive.extractfile(member)
            assert content is not None
            files[member.name] = content.read()
    CHANGES[change](files)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    assert loaded(opa_binary, tmp_path, packed.getvalue()) != ""


def test_anothers_approval_is_refused(opa_binary: Path, tmp_path: Path) -> None:
    """Somebody else's key over the very same files is not the approver's."""
    assert "signature" in loaded(opa_binary, tmp_path, approved(load(), OTHER).tarball(signed=True))
