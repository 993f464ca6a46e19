"""OpenID Connect as FAPI allows it: id_token, userinfo, claims, pairwise subjects (Core, FAPI 2.0 5.3)."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import httpx
import pytest

from gateway.oauth import clients
from gateway.oauth.id_token import at_hash
from gateway.oauth.jws import import_jwk, parse, verify
from tests.conformance.refused import refused
from tests.oauth_keys import b64, es256
from tests.oauth_stage import Stage, asked_details
from tests.request_objects import push, signed

ASKED = {"scope": "openid", "nonce": "n-1"}
INVALID = ("invalid_request", "invalid_request")
SCOPE = ("invalid_scope", "invalid_scope")


async def recognised(stage: Stage, **form: Any) -> dict[str, Any]:
    """The whole way with scope openid; the token response."""
    answered = await stage.token(await stage.code(**{**ASKED, **form}))
    assert answered.status_code == 200, answered.text
    body: dict[str, Any] = answered.json()
    return body


async def read(stage: Stage, token: str, alg: str = "ES256") -> dict[str, Any]:
    """The claims of a JWT of the gateway, its signature verified with a published key."""
    jws = parse(token)
    keys = (await stage.http.get("/.well-known/jwks.json")).json()["keys"]
    (jwk,) = [key for key in keys if key["kid"] == jws.header["kid"]]
    assert verify(jws, import_jwk(jwk)[0])
    assert (jws.header["alg"], jwk.get("alg", alg)) == (alg, alg)
    return jws.claims


async def userinfo(stage: Stage, token: str, method: str = "GET", **more: Any) -> httpx.Response:
    """A call of userinfo with a bound token."""
    ath = b64(hashlib.sha256(token.encode()).digest())
    headers = {"Authorization": f"DPoP {token}", "DPoP": stage.proof(method, "/userinfo", ath=ath)}
    return await stage.http.request(method, "/userinfo", headers=headers, **more)


async def test_the_id_token_says_who_when_and_how(stage: Stage) -> None:
    """Core 2: every claim it must have, the nonce as sent, bound to the access token, five minutes long."""
    told = await recognised(stage)
    claims = await read(stage, told["id_token"])
    assert told["scope"] == "openid"
    assert claims["iss"] == stage.issuer
    assert claims["aud"] == stage.client_id
    assert (claims["iat"], claims["exp"]) == (stage.now, stage.now + 300)
    assert (claims["nonce"], claims["auth_time"]) == ("n-1", stage.now - 60)
    assert (claims["acr"], claims["amr"]) == ("urn:test:acr", ["test"])
    assert claims["at_hash"] == at_hash(told["access_token"], "ES256")
    assert claims["sub"] == parse(told["access_token"]).claims["sub"]
    assert set(claims) == {
        *("iss", "sub", "aud", "exp", "iat", "nonce", "auth_time", "acr", "amr", "at_hash")
    }  # fmt: skip


@pytest.mark.parametrize("alg", ["ES256", "PS256", "EdDSA"])
async def test_the_algorithm_is_the_registered_one(stage: Stage, alg: str) -> None:
    """OpenID Registration 2, FAPI 2.0 5.4.1: id_token and userinfo by the client's choice; at_hash fits."""
    own: dict[str, Any] = {"id_token_signed_response_alg": alg, "userinfo_signed_response_alg": alg}
    await stage.become("choosy-company", **own)
    told = await recognised(stage)
    claims = await read(stage, told["id_token"], alg)
    digest = hashlib.new("sha512" if alg == "EdDSA" else "sha256", told["access_token"].encode()).digest()
    assert claims["at_hash"] == b64(digest[: len(digest) // 2])
    assert (await read(stage, (await userinfo(stage, told["access_token"])).text, alg))["sub"] == claims[
        "sub"
    ]


async def test_without_openid_there_is_no_id_token(stage: Stage) -> None:
    """A plain OAuth request gets what it always got, whatever else of OpenID it carries."""
    answered = await stage.token(await stage.code(nonce="n", claims='{"id_token": {"acr": null}}'))
    assert not {"id_token", "scope"} & answered.json().keys()
    response = await userinfo(stage, answered.json()["access_token"])
    assert (response.status_code, response.json()["error"]) == (401, "invalid_token")
    assert 'error="invalid_token"' in response.headers["www-authenticate"]


async def test_refreshing_tells_the_same_sign_in_again(stage: Stage) -> None:
    """Core 12.2: same iss, sub, aud and auth_time, a new iat, no nonce."""
    told = await recognised(stage)
    first = await read(stage, told["id_token"])
    stage.clock.forward(120)
    again = (await stage.refresh(told["refresh_token"])).json()
    second = await read(stage, again["id_token"])
    assert {name: second[name] for name in ("iss", "sub", "aud", "auth_time")} == {
        name: first[name] for name in ("iss", "sub", "aud", "auth_time")
    }
    assert second["iat"] == stage.now
    assert "nonce" not in second
    assert second["at_hash"] == at_hash(again["access_token"], "ES256")


async def test_a_refresh_may_leave_openid_out_but_never_add(stage: Stage) -> None:
    """RFC 6749 6: a narrower scope gives no id_token and opens no userinfo; a wider one is refused."""
    told = await recognised(stage, scope="openid profile")
    narrow = (await stage.refresh(told["refresh_token"], scope="profile")).json()
    assert (narrow["scope"], "id_token" in narrow) == ("profile", False)
    assert (await userinfo(stage, narrow["access_token"])).status_code == 401
    assert (await userinfo(stage, told["access_token"])).status_code == 200
    plain = (await stage.token(await stage.code())).json()
    await refused(
        stage, stage.refresh(plain["refresh_token"], scope="openid"), 400, "invalid_scope", "invalid_scope"
    )


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_userinfo_tells_only_who(stage: Stage, method: str) -> None:
    """Core 5.3: the same sub as in the id_token, and nothing nobody asked for."""
    told = await recognised(stage)
    response = await userinfo(stage, told["access_token"], method)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    assert response.json() == {"sub": (await read(stage, told["id_token"]))["sub"]}


async def test_userinfo_is_closed_to_whoever_does_not_hold_the_token(stage: Stage) -> None:
    """No proof, another key, the body, the query, no token, a company token, a withdrawn consent: closed."""
    token = (await recognised(stage))["access_token"]
    ath = b64(hashlib.sha256(token.encode()).digest())
    stolen = {
        "Authorization": f"DPoP {token}",
        "DPoP": stage.proof("GET", "/userinfo", es256(), ath=ath),
    }
    get, post = stage.http.get, stage.http.post
    company = (await stage.post("/token", grant_type="client_credentials")).json()["access_token"]
    for response in (
        await get("/userinfo"),
        await get("/userinfo", headers={"Authorization": f"Bearer {token}"}),
        await get("/userinfo", headers=stolen),
        await get("/userinfo", params={"access_token": token}),
        await post("/userinfo", data={"access_token": token}),
    ):
        assert response.status_code == 401, response.text
        assert response.headers["www-authenticate"].startswith("DPoP ")
        assert "sub" not in response.json()
    assert (await userinfo(stage, company)).status_code == 401
    await stage.withdraw()
    gone = await userinfo(stage, token)
    assert (gone.status_code, gone.json()["error"]) == (401, "invalid_token")


async def test_signed_userinfo_for_who_registered_it(stage: Stage) -> None:
    """Core 5.3.2: application/jwt with iss and aud."""
    await stage.become("signed-company", userinfo_signed_response_alg="ES256")
    told = await recognised(stage)
    response = await userinfo(stage, told["access_token"])
    assert response.headers["content-type"] == "application/jwt"
    claims = await read(stage, response.text)
    sub = (await read(stage, told["id_token"]))["sub"]
    assert claims == {"iss": stage.issuer, "aud": "signed-company", "sub": sub}


async def test_one_language_claim_and_only_if_ticked(stage: Stage) -> None:
    """Core 5.5: `locale` where it was asked for and agreed to; every other name is ignored."""
    claims = json.dumps(
        {
            "id_token": {"locale": {"essential": True}, "email": None, "made_up": {"value": "x"}},
            "userinfo": {"acr": None, "phone_number": {"essential": True}},
        }
    )
    told = await recognised(stage, claims=claims)
    assert "locale" not in await read(stage, told["id_token"])
    stage.ticked = frozenset({"locale"})
    told = await recognised(stage, claims=claims)
    found = await read(stage, told["id_token"])
    assert found["locale"] == "ko"
    assert not {"email", "made_up", "phone_number"} & found.keys()
    assert (await userinfo(stage, told["access_token"])).json() == {
        "sub": found["sub"],
        "acr": "urn:test:acr",
    }
    told = await recognised(stage, scope="openid profile")
    assert (await userinfo(stage, told["access_token"])).json()["locale"] == "ko"


async def test_sectors_share_a_subject_and_nobody_else_does(stage: Stage) -> None:
    """Core 8.1: by sector_identifier_uri or redirect host; stable; native clients on loopback share none."""
    subject = stage.server.minter.subject

    async def known(client_id: str, **members: Any) -> str:
        await stage.register(client_id, es256(), **members)
        async with stage.database.reading() as session:
            found = await clients.find(session, client_id)
        assert found is not None
        return subject(found, "citizen-1")

    shared = {"sector_identifier_uri": "https://group.example/sector.json"}
    one = await known("one-company", redirect_uris=["https://one.example/cb"])
    same_host = await known("one-more", redirect_uris=["https://one.example/other"])
    other = await known("two-company", redirect_uris=["https://two.example/cb"])
    in_group = await known("group-one", redirect_uris=["https://one.example/cb"], **shared)
    group_too = await known("group-two", redirect_uris=["https://three.example/cb"], **shared)
    native = await known("native-one", redirect_uris=["http://127.0.0.1:9/cb"])
    native_too = await known("native-two", redirect_uris=["http://127.0.0.1:9/cb"])
    assert one == same_host
    assert in_group == group_too
    assert len({one, other, in_group, native, native_too}) == 5
    assert all("citizen" not in sub and len(sub) == 43 for sub in (one, other, in_group))


async def test_unknown_scopes_are_ignored_beside_openid_and_refused_without(stage: Stage) -> None:
    """Core 3.1.2.1 and RFC 6749 3.3."""
    told = await recognised(stage, scope="address openid email made_up")
    assert told["scope"] == "openid"
    for scope in ("email", "profile", "made_up"):
        await refused(stage, stage.push(scope=scope), 400, *SCOPE)


@pytest.mark.parametrize(
    "form",
    [
        {"prompt": "none login"},
        {"prompt": "fast"},
        {"max_age": "-1"},
        {"max_age": "soon"},
        {"max_age": "1" * 10},
        {"acr_values": " ".join(f"urn:a:{n}" for n in range(11))},
        {"login_hint": "x" * 257},
        {"login_hint": "a\nb"},
        {"claims": "["},
        {"claims": "[]"},
        {"claims": '{"id_token": []}'},
        {"claims": '{"id_token": {"acr": "x"}}'},
        {"claims": '{"id_token": {"acr": {"essential": "yes"}}}'},
        {"claims": '{"userinfo": {"acr": {"values": "x"}}}'},
        {"claims": json.dumps({"id_token": {str(n): None for n in range(101)}})},
        {"claims": json.dumps({"id_token": {"x" * 9000: None}})},
        {"id_token_hint": "no.jwt.here"},
    ],
    ids=str,
)
async def test_malformed_openid_parameters_are_refused_at_the_push(
    stage: Stage, form: dict[str, str]
) -> None:
    """Every parameter has one form; nothing is kept of a request that breaks it."""
    await refused(stage, stage.push(**{**ASKED, **form}), 400, *INVALID)


async def test_what_only_the_page_needs_is_accepted(stage: Stage) -> None:
    """The basic plan's display, claims_locales, ui_locales, login_hint, acr_values, max_age, unknown."""
    await recognised(
        stage, display="popup", claims_locales="ko", ui_locales="se", login_hint="bob@example.org",
        acr_values="1 2", max_age="10000", extra="foobar",
    )  # fmt: skip


async def test_a_signed_request_asks_the_same(stage: Stage) -> None:
    """RFC 9101: claims as an object, max_age as a number; what stands beside the object is not used."""
    await stage.register_signing("signing-company")
    claims = {"id_token": {"locale": None}, "userinfo": {"auth_time": None}}
    details = asked_details(stage.today)
    asked: dict[str, Any] = {**ASKED, "claims": claims, "max_age": 600, "authorization_details": details}
    made = signed(stage, **asked)
    pushed = await push(stage, made, scope="openid profile", nonce="outside")
    assert pushed.status_code == 201, pushed.text
    interaction = (await stage.visit(pushed.json()["request_uri"])).headers["location"].rpartition("/")[2]
    stage.ticked = frozenset({"locale"})
    await stage.settle(interaction)
    told = (await stage.token(stage.told(await stage.resume(interaction))["code"])).json()
    found = await read(stage, told["id_token"])
    assert (found["nonce"], found["locale"], told["scope"]) == ("n-1", "ko", "openid")
    assert (await userinfo(stage, told["access_token"])).json()["auth_time"] == found["auth_time"]


async def test_an_id_token_of_somebody_else_is_no_hint(stage: Stage) -> None:
    """Only an id_token issued by us to this very client; an expired one will do."""
    mine = (await recognised(stage))["id_token"]
    stage.clock.forward(3600)
    assert (await stage.push(**ASKED, id_token_hint=mine)).status_code == 201
    access = (await stage.tokens())["access_token"]
    await stage.become("second-company")
    for hint in (mine, access, mine[:-4] + "AAAA"):
        await refused(
            stage, stage.push(**ASKED, id_token_hint=hint), 400, "invalid_request", "invalid_request"
        )
