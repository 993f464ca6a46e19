"""The certificate header: read in one way, from one place, or refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.security.client_certificate import (
    ClientCertificate,
    ClientCertificateError,
    Terminators,
    networks,
    read_certificate,
)
from tests.client_certificates import ClientAuthority, Shown

NOW = datetime.now(UTC)
ENDS = Terminators("https://mtls.example", networks(["192.0.2.7", "2001:db8::/32"]), "x-cert", "x-verified")


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """A certificate of a client."""
    return ClientAuthority(tmp_path_factory.mktemp("clients")).issue("Deundeun")


def _read(
    shown: Shown, peer: str | None = "192.0.2.7", verdicts: tuple[str, ...] = ("SUCCESS",)
) -> ClientCertificate | None:
    return ENDS.read(peer, [shown.header], list(verdicts), NOW)


@pytest.mark.parametrize("peer", ["192.0.2.7", "2001:db8::9"])
def test_the_terminator_is_believed(shown: Shown, peer: str) -> None:
    """The thumbprint is that of the DER, and the chain counts as verified."""
    read = _read(shown, peer)
    assert read is not None
    assert (read.thumbprint, read.chain_verified) == (shown.thumbprint, True)


@pytest.mark.parametrize("verdict", ["NONE", "FAILED:self signed certificate", "success", "SUCCESS ", ""])
def test_only_success_is_verified(shown: Shown, verdict: str) -> None:
    """Whatever else the terminator says, the chain is not verified; nor when it says nothing."""
    for verdicts in ((verdict,), ()):
        read = _read(shown, verdicts=verdicts)
        assert read is not None
        assert not read.chain_verified


@pytest.mark.parametrize("peer", [None, "", "192.0.2.8", "127.0.0.1", "::ffff:192.0.2.8", "testclient", "*"])
def test_nobody_else_is_believed(shown: Shown, peer: str | None) -> None:
    """Either header from elsewhere is refused, not ignored."""
    with pytest.raises(ClientCertificateError):
        _read(shown, peer)
    with pytest.raises(ClientCertificateError):
        ENDS.read(peer, [], ["SUCCESS"], NOW)
    assert ENDS.read(peer, [], [], NOW) is None


def test_two_are_refused(shown: Shown) -> None:
    """Two certificates, two verdicts, or two certificates in one header."""
    for certificates, verdicts in (([shown.header] * 2, ["SUCCESS"]), ([shown.header], ["SUCCESS"] * 2)):
        with pytest.raises(ClientCertificateError):
            ENDS.read("192.0.2.7", certificates, verdicts, NOW)
    for joined in (shown.header * 2, f"{shown.header}, {shown.header}", f"{shown.header}%0A{shown.header}"):
        with pytest.raises(ClientCertificateError):
            read_certificate(joined, verified=True, now=NOW)


def test_no_certificate_is_none() -> None:
    """nginx says NONE where no certificate was shown."""
    assert ENDS.read("192.0.2.7", [], ["NONE"], NOW) is None


@pytest.mark.parametrize("days", [-1, 3])
def test_dates_are_looked_at(shown: Shown, days: int) -> None:
    """Not before and not after, at the moment of the request."""
    with pytest.raises(ClientCertificateError, match="expired"):
        read_certificate(shown.header, verified=True, now=NOW + timedelta(days=days))


def test_junk_is_refused(shown: Shown, tmp_path: Path) -> None:
    """Raw PEM, another label, broken base64, cut off, something around it, far too long."""
    pem = shown.header
    for junk in (
        "", "%", "%zz", "null", pem[:-40], pem[:200] + pem[240:], "x" + pem, pem + "x", "%20" + pem,
        pem.replace("CERTIFICATE", "PUBLIC%20KEY"), pem.replace("MII", "MI%21"), "A" * 20_000,
        shown.files[0].read_text(),
    ):  # fmt: skip
        with pytest.raises(ClientCertificateError):
            read_certificate(junk, verified=True, now=NOW)


@given(st.text() | st.binary().map(lambda data: "".join(f"%{byte:02X}" for byte in data)))
def test_no_input_breaks_the_reader(text: str) -> None:
    """Only ever a refusal."""
    with pytest.raises(ClientCertificateError):
        read_certificate(text, verified=True, now=NOW)


@pytest.mark.parametrize("name", ["*", "nginx", "10.0.0.1/8", ""])
def test_only_addresses_can_be_trusted(name: str) -> None:
    """A name, a star, or a network with host bits set is no address."""
    with pytest.raises(ValueError, match=r"."):
        networks([name])
