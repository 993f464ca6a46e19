"""RFC 8705 behind a real nginx: who is authenticated, whom a token obeys, and who is not believed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509

from gateway.database import Database
from gateway.oauth import clients
from tests.authority import Authority
from tests.behind_nginx import BOUND, SUBJECT, Behind, behind_nginx
from tests.client_certificates import Shown
from tests.conformance.refused import refused
from tests.oauth_keys import es256

pytestmark = pytest.mark.nginx
SELF_SIGNED = {"token_endpoint_auth_method": "self_signed_tls_client_auth"}
KINDS: tuple[str, ...] = ("subject", "dns", "uri", "self-signed")


@pytest.fixture
async def behind(database: Database, authority: Authority, tmp_path: Path) -> AsyncIterator[Behind]:
    """An authorization server behind nginx, on each store."""
    async with behind_nginx(database, authority, tmp_path) as made:
        yield made


async def _registered(behind: Behind, kind: str = "subject", **more: Any) -> Shown:
    """Register a client of this kind, with bound tokens unless told otherwise; its certificate, in use."""
    by_name = {"token_endpoint_auth_method": "tls_client_auth"}
    if kind == "self-signed":
        shown = behind.issued.self_signed("Deundeun")
        await behind.register("tls-company", jwk=shown.jwk("tls"), **{**SELF_SIGNED, **BOUND, **more})
    elif kind == "dns":
        shown = behind.issued.issue("anything", san=[x509.DNSName("api.deundeun.example")])
        named = {"tls_client_auth_san_dns": "api.deundeun.example"}
        await behind.register("tls-company", **{**by_name, **named, **BOUND, **more})
    elif kind == "uri":
        shown = behind.issued.issue("x", san=[x509.UniformResourceIdentifier("urn:company:deundeun")])
        named = {"tls_client_auth_san_uri": "urn:company:deundeun"}
        await behind.register("tls-company", **{**by_name, **named, **BOUND, **more})
    else:
        shown = behind.issued.issue("Deundeun")
        await behind.register("tls-company", **{**SUBJECT, **BOUND, **more})
    await behind.use(shown)
    return shown


@pytest.mark.parametrize("kind", KINDS)
async def test_the_whole_way_by_certificate(behind: Behind, kind: str) -> None:
    """PAR, code, bound token, call, refresh, introspection, revocation, with nothing but the certificate."""
    shown = await _registered(behind, kind)
    tokens = await behind.tokens()
    assert tokens["token_type"] == "Bearer"
    claims = behind.stage.server.minter.read(tokens["access_token"], behind.stage.now)
    assert claims is not None
    assert claims["cnf"] == {"x5t#S256": shown.thumbprint}
    assert (await behind.call(tokens["access_token"])).status_code == 200
    fresh = await behind.post("/token", grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    assert fresh.status_code == 200, fresh.text
    assert (await behind.call(fresh.json()["access_token"])).status_code == 200
    told = (await behind.post("/introspect", token=tokens["access_token"])).json()
    assert (told["active"], told["token_type"], told["cnf"]) == (True, "Bearer", claims["cnf"])
    assert (await behind.post("/revoke", token=tokens["refresh_token"])).status_code == 200
    assert (await behind.call(tokens["access_token"])).json()["code"] == "grant_revoked"


async def test_userinfo_obeys_the_certificate(behind: Behind) -> None:
    """OpenID Connect Core 5.3 with a bound token: its certificate at the alias, and no other."""
    await _registered(behind)
    token = (await behind.tokens(scope="openid", nonce="n"))["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    told = await behind.stage.http.get("/userinfo", headers=bearer)
    assert (told.status_code, set(told.json())) == (200, {"sub"})
    await behind.use(behind.issued.issue("Somebody else"))
    refusal = await behind.stage.http.get("/userinfo", headers=bearer)
    assert (refusal.status_code, refusal.json()["error"]) == (401, "invalid_token")
    document = (await behind.stage.http.get("/.well-known/openid-configuration")).json()
    assert document["mtls_endpoint_aliases"]["userinfo_endpoint"] == f"{behind.mtls}/userinfo"


async def test_metadata_names_the_mtls_addresses(behind: Behind) -> None:
    """RFC 8705 3.3 and 5, RFC 9728: aliases, methods and binding are told."""
    document = (await behind.stage.http.get("/.well-known/oauth-authorization-server")).json()
    aliases = document["mtls_endpoint_aliases"]
    assert aliases["token_endpoint"] == f"{behind.mtls}/token"
    assert set(aliases) <= set(document)
    assert document["tls_client_certificate_bound_access_tokens"] is True
    methods = {"private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth"}
    assert set(document["token_endpoint_auth_methods_supported"]) == methods
    resource = (await behind.stage.http.get("/.well-known/oauth-protected-resource")).json()
    assert resource["tls_client_certificate_bound_access_tokens"] is True


async def test_another_name_is_not_this_client(behind: Behind) -> None:
    """A certificate of the same authority for somebody else, and none at all."""
    await _registered(behind)
    await behind.use(behind.issued.issue("Somebody else"))
    code = "client_certificate_mismatch"
    await refused(behind.stage, behind.post("/par"), 401, "invalid_client", code)
    await behind.use(None)
    code = "client_certificate_missing"
    await refused(behind.stage, behind.post("/token"), 401, "invalid_client", code)


async def test_a_name_nobody_vouches_for_is_not_believed(behind: Behind) -> None:
    """Self-signed with the registered subject: nginx lets it pass as not verified, and we do not."""
    await _registered(behind)
    await behind.use(behind.issued.self_signed("Deundeun"))
    code = "client_certificate_mismatch"
    await refused(behind.stage, behind.post("/par"), 401, "invalid_client", code)


async def test_a_self_signed_certificate_of_another_key(behind: Behind) -> None:
    """The same name with a key that is not in the registered JWK set; also one the authority has issued."""
    await _registered(behind, "self-signed")
    for other in (behind.issued.self_signed("Deundeun"), behind.issued.issue("Deundeun")):
        await behind.use(other)
        code = "client_certificate_mismatch"
        await refused(behind.stage, behind.post("/par"), 401, "invalid_client", code)


@pytest.mark.parametrize("moved", [timedelta(days=-30), timedelta(days=30)], ids=["expired", "not-yet"])
@pytest.mark.parametrize("own", [True, False], ids=["self-signed", "issued"])
async def test_a_certificate_out_of_its_dates(behind: Behind, moved: timedelta, own: bool) -> None:
    """Neither nginx nor we take it, whatever else is right."""
    await _registered(behind)
    make = behind.issued.self_signed if own else behind.issued.issue
    await behind.use(make("Deundeun", later=moved))
    before = await behind.stage.state()
    assert (await behind.post("/par")).status_code in (400, 401)
    assert await behind.stage.state() == before


async def test_a_code_with_another_clients_certificate(behind: Behind) -> None:
    """The code stays unused, and its client can still use it."""
    mine = await _registered(behind)
    code = await behind.stage.code(client_assertion=None, client_assertion_type=None)
    other = behind.issued.issue("Other")
    await behind.register(
        "other-company", **{**SUBJECT, **BOUND, "tls_client_auth_subject_dn": "CN=Other,C=KR"}
    )
    await behind.use(other)
    none = {"client_assertion": None, "client_assertion_type": None}
    sent = behind.stage.token(code, None, **none)
    await refused(behind.stage, sent, 400, "invalid_grant", "code_unknown")
    behind.stage.client_id = "tls-company"
    sent = behind.stage.token(code, None, **none)
    await refused(behind.stage, sent, 401, "invalid_client", "client_certificate_mismatch")
    await behind.use(mine)
    assert (await behind.stage.token(code, None, **none)).status_code == 200


async def test_a_token_obeys_its_certificate_only(behind: Behind) -> None:
    """RFC 8705 3: refused with another certificate, with none, at the other origin, under DPoP."""
    mine = await _registered(behind)
    token = (await behind.tokens())["access_token"]
    for shown in (behind.issued.issue("Deundeun"), behind.issued.issue("Other"), None):
        await behind.use(shown)
        await _turned_away(await behind.call(token))
    behind.stage.http = await behind.show(mine, behind.stage.issuer)
    await _turned_away(await behind.call(token))
    await behind.use(mine)
    await _turned_away(await behind.call(token, "DPoP"))
    await _turned_away(await behind.stage.call(token))
    assert (await behind.call(token)).status_code == 200


async def _turned_away(response: httpx.Response) -> None:
    assert response.status_code == 401, response.text
    assert response.json()["code"] == "token_invalid"
    assert 'error="invalid_token"' in response.headers["www-authenticate"]


async def test_a_header_from_elsewhere_is_refused(behind: Behind) -> None:
    """Sent to the gateway itself from another address, even one that says it is forwarded for nginx."""
    mine = await _registered(behind)
    tokens = await behind.tokens()
    forged = {"X-Client-Certificate": mine.header, "X-Client-Certificate-Verified": "SUCCESS"}
    forged |= {"X-Forwarded-For": "127.0.0.1"}
    way = httpx.AsyncHTTPTransport(local_address="127.0.0.2")
    async with httpx.AsyncClient(transport=way, base_url=behind.direct, headers=forged) as elsewhere:
        behind.stage.http = elsewhere
        code = "client_certificate_invalid"
        for path in ("/par", "/token", "/introspect", "/revoke"):
            await refused(behind.stage, behind.post(path), 401, "invalid_client", code)
        assert (await behind.call(tokens["access_token"])).json()["code"] == code


async def test_a_callers_own_header_does_not_pass_nginx(behind: Behind) -> None:
    """At both origins nginx puts its own in place of it, or nothing."""
    mine = await _registered(behind)
    token = (await behind.tokens())["access_token"]
    forged = {"X-Client-Certificate": mine.header, "X-Client-Certificate-Verified": "SUCCESS"}
    for origin in (behind.mtls, behind.stage.issuer):
        behind.stage.http = await behind.show(None, origin)
        behind.stage.http.headers.update(forged)
        code = "client_certificate_missing"
        await refused(behind.stage, behind.post("/par"), 401, "invalid_client", code)
        assert (await behind.call(token)).json()["code"] == "token_invalid"
    behind.stage.http = await behind.show(behind.issued.issue("Other"))
    behind.stage.http.headers.update(forged)
    code = "client_certificate_mismatch"
    await refused(behind.stage, behind.post("/par"), 401, "invalid_client", code)


async def test_two_headers_are_refused(behind: Behind) -> None:
    """Even from the terminator's address: nobody can say which of the two is true."""
    mine = await _registered(behind)
    twice = [("X-Client-Certificate", mine.header)] * 2 + [("X-Client-Certificate-Verified", "SUCCESS")]
    async with httpx.AsyncClient(base_url=behind.direct, headers=twice) as terminator:
        behind.stage.http = terminator
        code = "client_certificate_invalid"
        await refused(behind.stage, behind.post("/par"), 401, "invalid_client", code)


async def test_a_certificate_is_no_assertion(behind: Behind) -> None:
    """A private_key_jwt client with a certificate only; a client of mTLS with an assertion, or both."""
    mine = await _registered(behind)
    sent = behind.stage.post("/par", None)
    await refused(behind.stage, sent, 401, "invalid_client", "client_method_other")
    await behind.register("jwt-company", es256())
    await behind.use(mine)
    await refused(behind.stage, behind.post("/token"), 401, "invalid_client", "client_assertion_missing")
    behind.stage.client_id = "nobody-known"
    await refused(behind.stage, behind.post("/token"), 401, "invalid_client", "client_unknown")


async def test_a_dpop_client_needs_its_proof_beside_the_certificate(behind: Behind) -> None:
    """Authenticated by certificate, tokens bound to a key: the proof names the mTLS address."""
    await _registered(behind, tls_client_certificate_bound_access_tokens=False)
    sent = behind.post("/token", grant_type="client_credentials", scope="company")
    await refused(behind.stage, sent, 400, "invalid_request", "dpop_missing")
    issuer, behind.stage.issuer = behind.stage.issuer, behind.mtls
    proof = behind.stage.proof("POST", "/token")
    answered = await behind.post("/token", proof, grant_type="client_credentials", scope="company")
    assert answered.json()["token_type"] == "DPoP", answered.text
    token = answered.json()["access_token"]
    assert (await behind.stage.call(token, "/company")).status_code == 200
    response = await behind.call(token)
    assert response.json()["code"] == "token_invalid"
    behind.stage.issuer = issuer


async def test_a_bound_client_may_authenticate_by_assertion(behind: Behind) -> None:
    """private_key_jwt with certificate-bound tokens: without the certificate no token."""
    await behind.register("jwt-company", behind.stage.key, **BOUND)
    fields = {"grant_type": "client_credentials", "scope": "company"}
    code = "client_certificate_missing"
    await refused(behind.stage, behind.stage.post("/token", None, **fields), 400, "invalid_request", code)
    shown = behind.issued.self_signed("whoever")
    await behind.use(shown)
    answered = await behind.stage.post("/token", None, **fields)
    assert answered.json()["token_type"] == "Bearer", answered.text


@pytest.mark.parametrize("path", ["/par", "/token"])
async def test_a_bound_client_sends_no_proof(behind: Behind, path: str) -> None:
    """A proof, or dpop_jkt at PAR, would promise a binding that is not made."""
    await _registered(behind)
    fields = {"grant_type": "client_credentials"} if path == "/token" else {}
    sent = behind.post(path, behind.stage.proof("POST", path), **fields)
    await refused(behind.stage, sent, 400, "invalid_dpop_proof", "dpop_invalid")
    if path == "/par":
        pushed = behind.stage.push(client_assertion=None, client_assertion_type=None, dpop_jkt="A" * 43)
        await refused(behind.stage, pushed, 400, "invalid_dpop_proof", "dpop_invalid")


async def test_a_suspended_client_is_stopped(behind: Behind) -> None:
    """Its certificate opens nothing from that moment on."""
    await _registered(behind)
    token = (await behind.tokens())["access_token"]
    async with behind.stage.database.transaction() as session:
        await clients.suspend(session, "tls-company", at=behind.stage.now)
    await refused(behind.stage, behind.post("/token"), 401, "invalid_client", "client_suspended")
    assert (await behind.call(token)).json()["code"] == "client_suspended"
