"""RFC 8707: a token is for the resources in its `aud`; asking for one gives a token for it alone."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

import pytest

from tests.conformance.grants import QUERY, claims_of, company_token
from tests.conformance.refused import refused
from tests.oauth_stage import Stage, asked_details
from tests.request_objects import push, signed


def aud(token: str) -> Any:
    """The audience of an access token."""
    return claims_of(token)["aud"]


async def test_without_asking_a_token_is_for_the_data(stage: Stage) -> None:
    """The default resource (RFC 9068 3): the one the metadata of the data doors names."""
    named = (await stage.http.get("/.well-known/oauth-protected-resource")).json()["resource"]
    assert aud((await stage.tokens())["access_token"]) == named == stage.issuer


async def test_the_resource_of_the_request_goes_with_the_grant(stage: Stage) -> None:
    """Asked for at PAR, at the token endpoint and at refresh: the same single audience."""
    code = await stage.code(resource=stage.issuer)
    tokens = (await stage.token(code, resource=stage.issuer)).json()
    fresh = (await stage.refresh(tokens["refresh_token"], resource=stage.issuer)).json()
    assert aud(tokens["access_token"]) == aud(fresh["access_token"]) == stage.issuer


@pytest.mark.parametrize(
    "resource",
    ["https://elsewhere.example/api", "not a uri", "ISSUER/grants", "ISSUER/userinfo", "ISSUER/"],
    ids=["foreign", "no-uri", "grants-api", "userinfo-without-openid", "slash"],
)
async def test_other_resources_are_invalid_target(stage: Stage, resource: str) -> None:
    """At every door that takes the parameter; the code is not used up by it."""
    named = resource.replace("ISSUER", stage.issuer)
    await refused(stage, stage.push(resource=named), 400, "invalid_target", "resource_unknown")
    code = await stage.code()
    await refused(stage, stage.token(code, resource=named), 400, "invalid_target", "resource_unknown")
    tokens = (await stage.token(code)).json()
    again = stage.refresh(tokens["refresh_token"], resource=named)
    await refused(stage, again, 400, "invalid_target", "resource_unknown")


async def test_inside_a_request_object(stage: Stage) -> None:
    """One as text, several as a list (RFC 8707 2); what is not a resource of ours is refused."""
    for resource in (stage.issuer, [stage.issuer]):
        assert (await push(stage, signed(stage, resource=resource))).status_code == 201
    wrong = signed(stage, resource=[stage.issuer, "https://elsewhere.example"])
    await refused(stage, push(stage, wrong), 400, "invalid_target", "resource_unknown")
    odd = signed(stage, resource=[1])
    await refused(stage, push(stage, odd), 400, "invalid_request_object", "request_object_invalid")


async def test_a_token_for_one_resource_is_refused_at_another(stage: Stage) -> None:
    """The audience is looked at before anything else."""
    grants = (await company_token(stage, QUERY)).json()["access_token"]
    assert aud(grants) == f"{stage.issuer}/grants"
    await refused(stage, stage.call(grants, "/company"), 401, None, "token_invalid")
    company = (await company_token(stage, "company")).json()["access_token"]
    assert (await stage.call(company, "/company")).status_code == 200
    assert (await stage.call(company, f"/grants/{'A' * 43}")).status_code == 401


async def test_scopes_of_two_resources_are_asked_for_singly(stage: Stage) -> None:
    """One token, one resource; and a company has no scope of a citizen's sign-in."""
    both = company_token(stage, f"company {QUERY}")
    await refused(stage, both, 400, "invalid_target", "resource_unknown")
    await refused(stage, company_token(stage, "openid"), 400, "invalid_scope", "invalid_scope")
    mixed = company_token(stage, "company", resource=f"{stage.issuer}/grants")
    await refused(stage, mixed, 400, "invalid_target", "resource_unknown")


async def test_repeated_parameter(stage: Stage) -> None:
    """`resource` may stand twice in a form, alone of all; at the token endpoint one is given at a time."""
    sent = {**(await pushed_fields(stage)), "resource": [stage.issuer, "https://elsewhere.example"]}
    response = await stage.http.post("/par", data=sent)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_target")
    sent = {**(await pushed_fields(stage)), "resource": [stage.issuer, stage.issuer]}
    assert (await stage.http.post("/par", data=sent)).status_code == 201


async def pushed_fields(stage: Stage) -> dict[str, Any]:
    """The fields of a pushed request, freshly authenticated."""
    request = (await stage.push()).request
    return {**dict(parse_qsl(request.content.decode())), "client_assertion": stage.assertion()}


async def test_details_at_the_token_endpoint_narrow_one_token(stage: Stage) -> None:
    """RFC 9396 6: the response says what the token is for; the grant and the refresh token stay whole."""
    code = await stage.code()
    assert stage.consent is not None
    less = asked_details(stage.today, fields=["trans_dtime"])
    tokens = (await stage.token(code, authorization_details=json.dumps(less))).json()
    assert tokens["authorization_details"] == less
    assert claims_of(tokens["access_token"])["authorization_details"] == less
    whole = (await stage.refresh(tokens["refresh_token"])).json()
    assert whole["authorization_details"][0]["items"][0]["fields"] == ["trans_dtime", "trans_amt"]
    narrowed = (await stage.refresh(tokens["refresh_token"], authorization_details=json.dumps(less))).json()
    assert narrowed["authorization_details"] == less
    told = (await stage.post("/introspect", token=narrowed["access_token"])).json()
    assert told["authorization_details"] == less
