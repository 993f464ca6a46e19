"""scope openid in the whole gateway: the company recognises the citizen, the citizen sees it and ends it."""

from __future__ import annotations

from urllib.parse import urlencode

import jwt
import pytest

from gateway.demo.browser import Left
from gateway.demo.citizen import Citizen
from gateway.demo.company import Company
from gateway.demo.story import WISHES
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def recognised(world: World, company: Company, citizen: Citizen) -> str:
    """The whole way with scope openid; the id of the consent."""
    address = await company.push(world.asked(), scope="openid", nonce="n-1", max_age="600")
    page = await citizen.sign_in(address)
    assert "이 서비스에만 쓰는 번호를 알려 줘요" in page.words
    done = await citizen.answer(page, "agree", WISHES)
    await company.exchange(await citizen.return_to_company(done))
    link = next(link for link in done.links if "/my/consents/c-" in link)
    return link.split("/my/consents/")[1].split("/")[0]


async def test_a_citizen_is_recognised_sees_it_and_withdraws_it(world: World) -> None:
    """An id_token with what the provider said, userinfo under the same name, nothing after withdrawal."""
    company, citizen = await world.company(), await world.citizen("p01")
    consent = await recognised(world, company, citizen)
    keys = jwt.PyJWKSet.from_dict((await world.http.get(f"{world.origin}/.well-known/jwks.json")).json())
    token = company.tokens["id_token"]
    claims = jwt.decode(
        token,
        keys[jwt.get_unverified_header(token)["kid"]].key,
        ["ES256"],
        audience=company.client_id,
        issuer=world.origin,
        options={"verify_exp": False, "verify_iat": False},
    )
    assert (claims["nonce"], claims["acr"], claims["amr"]) == ("n-1", "urn:mydata:acr:sandbox", ["sandbox"])
    assert abs(claims["auth_time"] - world.clock.seconds) < 60
    told = await company.call("GET", f"{world.origin}/userinfo")
    assert told.json() == {"sub": claims["sub"]}
    page = await citizen.look(consent)
    assert "전용 번호로 알아보고" in page.words
    assert (await world.kinds())["citizen:recognition:agreed"] == 1
    await citizen.withdraw(consent)
    assert (await company.call("GET", f"{world.origin}/userinfo")).status_code == 401
    assert "전용 번호로 알아보고" not in (await citizen.look(consent)).words


async def test_every_address_of_the_metadata_is_there(world: World) -> None:
    """The document of the whole gateway names no dead door; it offers what OpenID Connect asks for."""
    paths = ("openid-configuration", "oauth-authorization-server")
    one, other = [(await world.http.get(f"{world.origin}/.well-known/{path}")).json() for path in paths]
    assert one == other
    for name in (name for name in one if name.endswith(("_endpoint", "_uri"))):
        address = f"{one[name]}/unknown" if name == "grant_management_endpoint" else one[name]
        assert (await world.http.get(address)).status_code != 404, name
    assert one["acr_values_supported"] == ["urn:mydata:acr:sandbox"]
    assert one["subject_types_supported"] == ["pairwise"]


async def test_signing_out_for_a_service_ends_the_session_and_nothing_else(world: World) -> None:
    """The end-session address of the metadata, the citizen's press, and the tokens live on."""
    company, citizen = await world.company(), await world.citizen("p01")
    await recognised(world, company, citizen)
    query = urlencode({"id_token_hint": company.tokens["id_token"], "state": "s"})
    page = await citizen.browser.open(f"{company.metadata['end_session_endpoint']}?{query}")
    assert "여기서도 로그아웃할지 물어봤어요" in page.words
    ended = await citizen.browser.submit(page, page.form("decision"), {"decision": "sign-out"})
    assert "로그아웃했어요" in ended.words
    mine = await citizen.browser.open(f"{world.origin}/my/consents")
    assert "/sign-in" in mine.url
    assert (await company.call("GET", f"{world.origin}/userinfo")).status_code == 200


async def test_what_was_agreed_before_is_not_asked_again(world: World) -> None:
    """A lost answer is finished by a merge: same name, the new nonce, no page; more scope is asked."""
    company, citizen = await world.company(), await world.citizen("p01")
    await recognised(world, company, citizen)
    first = jwt.decode(company.tokens["id_token"], options={"verify_signature": False})
    merging = {"grant_management_action": "merge", "grant_id": company.tokens["grant_id"]}
    address = await company.push(world.asked(), scope="openid", nonce="n-2", **merging)
    with pytest.raises(Left) as left:
        await citizen.browser.open(address)
    tokens = await company.exchange(left.value.query)
    again = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    assert (again["sub"], again["nonce"]) == (first["sub"], "n-2")
    assert tokens["grant_id"] == merging["grant_id"]
    address = await company.push(world.asked(), scope="openid profile", **merging)
    page = await citizen.browser.open(address)
    assert "내가 쓰는 언어" in page.words


async def test_a_replacement_without_openid_recognises_nobody(world: World) -> None:
    """What replaces the grant says what it is for; the old recognition gives nothing any more."""
    company, citizen = await world.company(), await world.citizen("p01")
    consent = await recognised(world, company, citizen)
    replacing = {"grant_management_action": "replace", "grant_id": company.tokens["grant_id"]}
    page = await citizen.browser.open(await company.push(world.asked(), **replacing))
    assert "이 서비스에만 쓰는 번호를 알려 줘요" not in page.words
    done = await citizen.answer(page, "agree", WISHES)
    tokens = await company.exchange(await citizen.return_to_company(done))
    assert not {"id_token", "scope"} & tokens.keys()
    assert (await company.call("GET", f"{world.origin}/userinfo")).status_code == 401
    assert "전용 번호로 알아보고" not in (await citizen.look(consent)).words
