"""A sandbox server over https, with a certificate made for this one test."""

from __future__ import annotations

import ipaddress
import json
import ssl
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that trusts itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sandbox")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    files = folder / "cert.pem", folder / "key.pem"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


def test_identity_provider_over_https(tmp_path: Path) -> None:
    """With `tls` the origin and the issuer are https, and `key` keeps the same signing key."""
    cert, key = certificate(tmp_path)
    file = tmp_path / "identity.yaml"
    given = {
        "clients": [],
        "holders": [],
        "seed": 1,
        "today": "2026-11-22",
        "count": 1,
        "key": str(key),
        "tls": {"certificate": str(cert), "key": str(key)},
    }
    file.write_text(json.dumps(given))
    command = [sys.executable, "-m", "connectors.sandbox.identity", "--config", str(file)]
    trust = ssl.create_default_context(cafile=str(cert))
    names = set()
    for _ in range(2):
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline())
            with httpx.Client(verify=trust, trust_env=False) as http:
                found = http.get(f"{ready['origin']}/.well-known/openid-configuration").json()
            process.stdin.close()
            assert process.wait(10) == 0
        assert found["issuer"] == ready["origin"]
        assert found["issuer"].startswith("https://")
        names.add(ready["jwks"]["keys"][0]["kid"])
    assert len(names) == 1
