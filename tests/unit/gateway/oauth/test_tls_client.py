"""What a client of mutual TLS registers, and which certificate is its own."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from gateway.oauth.clients import ClientDocumentError, parse_client
from gateway.oauth.tls_client import SUBJECTS, Subject
from tests.client_certificates import ClientAuthority
from tests.oauth_keys import es256
from tests.oauth_stage import document

TLS = {"token_endpoint_auth_method": "tls_client_auth"}
DN = {"tls_client_auth_subject_dn": "CN=Deundeun,C=KR"}
NAMES = [
    x509.DNSName("api.deundeun.example"),
    x509.UniformResourceIdentifier("urn:company:deundeun"),
    x509.IPAddress(ipaddress.ip_address("2001:db8::7")),
    x509.RFC822Name("tls@deundeun.example"),
]
CARRIED = dict(
    zip(
        SUBJECTS,
        (
            "CN=Deundeun,C=KR",
            "api.deundeun.example",
            "urn:company:deundeun",
            "2001:DB8::7",
            "tls@deundeun.example",
        ),
        strict=True,
    )
)


@pytest.fixture
def issued(tmp_path: Path) -> ClientAuthority:
    """An authority for clients."""
    return ClientAuthority(tmp_path)


@pytest.mark.parametrize(("member", "value"), CARRIED.items())
def test_each_kind_of_name_is_found(issued: ClientAuthority, member: str, value: str) -> None:
    """The DN as a whole, a SAN of its own kind; and not where the certificate lacks it."""
    subject = Subject(member, value)
    assert subject.names(issued.issue("Deundeun", san=NAMES).certificate)
    assert not subject.names(issued.issue("Other").certificate)


@pytest.mark.parametrize("value", ["CN=Deundeun", "C=KR,CN=Deundeun", "CN=deundeun,C=KR", "CN=Deundeun+C=KR"])
def test_a_dn_is_compared_exactly(issued: ClientAuthority, value: str) -> None:
    """Part of it, another order, another case, one multi-valued name: not the same."""
    shown = issued.issue("Deundeun").certificate
    assert not Subject("tls_client_auth_subject_dn", value).names(shown)


def test_a_name_of_another_kind_does_not_count(issued: ClientAuthority) -> None:
    """An e-mail address that reads like the registered host."""
    shown = issued.issue("x", san=[x509.UniformResourceIdentifier("api.deundeun.example")]).certificate
    assert not Subject("tls_client_auth_san_dns", "api.deundeun.example").names(shown)


@pytest.mark.parametrize(
    ("bend", "what"),
    [
        (TLS, "exactly one"),
        ({**TLS, **DN, "tls_client_auth_san_dns": "a.example"}, "exactly one"),
        ({**TLS, "tls_client_auth_subject_dn": "not a DN"}, "exactly one"),
        ({**TLS, "tls_client_auth_subject_dn": ""}, "exactly one"),
        ({**TLS, "tls_client_auth_san_ip": "localhost"}, "exactly one"),
        ({**TLS, "tls_client_auth_san_dns": ["a.example"]}, "exactly one"),
        (DN, "goes with"),
        ({"token_endpoint_auth_method": "client_secret_basic"}, "must be one of"),
        ({"token_endpoint_auth_method": ["tls_client_auth"]}, "must be one of"),
        ({"tls_client_certificate_bound_access_tokens": "yes"}, "true or false"),
    ],
)
def test_a_document_that_cannot_work_is_refused(bend: dict[str, Any], what: str) -> None:
    """RFC 8705 2.1.2, by the member at fault."""
    with pytest.raises(ClientDocumentError, match=what):
        parse_client({**document("tls-company", es256()), **bend})


def test_one_method_is_registered() -> None:
    """private_key_jwt unless said otherwise; tls_client_auth needs no signing key."""
    assert parse_client(document("tls-company", es256())).auth_method == "private_key_jwt"
    client = parse_client({**document("tls-company"), **TLS, **DN})
    assert client.check_endpoint_auth_method("tls_client_auth", "token")
    assert not client.check_endpoint_auth_method("private_key_jwt", "token")
    assert not client.certificate_bound


@pytest.mark.parametrize("chain", [[], ["!!"], "text", [7]])
def test_x5c_must_be_of_its_key(issued: ClientAuthority, chain: object) -> None:
    """RFC 7517 4.7: the first certificate is of the very key; anything else is refused."""
    own, other = issued.self_signed("Deundeun"), issued.self_signed("Deundeun")
    made = document("tls-company")
    made["token_endpoint_auth_method"] = "self_signed_tls_client_auth"
    keys = made["jwks"]["keys"]
    assert parse_client({**made, "jwks": {"keys": [*keys, own.jwk("tls")]}}).keys
    for wrong in (chain, other.jwk("tls")["x5c"]):
        with pytest.raises(ClientDocumentError, match="x5c"):
            parse_client({**made, "jwks": {"keys": [*keys, {**own.jwk("tls"), "x5c": wrong}]}})
