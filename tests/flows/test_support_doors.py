"""The support doors of Korean MyData (지원-101 to 107) as a portal meets them, on each store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from consent import repository
from consent.calendar import korean_day
from gateway.demo.participants import HOLDERS
from gateway.statistics import week
from gateway.support.agreements import Agreements
from tests.flows.portal import SECRETS, Portal, entered, open_portal
from tests.flows.test_ledger_lags import behind
from tests.tables import with_tables

READ = ("/v1/mgmts/consents", "/v2/mgmts/agreements")
DAY = 86_400
BANK = HOLDERS["finance"]["org_code"]


@pytest.fixture
async def portal(tmp_path: Path, database_url: str) -> AsyncIterator[Portal]:
    """A portal with a token, on each store."""
    url = await with_tables(database_url)
    async with open_portal(tmp_path, url) as opened:
        yield opened


async def sent(portal: Portal, key: str = "support-doors") -> Any:
    """A person has agreed, and something was sent under it."""
    given = await portal.world.given()
    await portal.world.settled(given.company, await given.company.ask_transfer(key))
    return given


async def test_support_101_a_token_for_an_accounts_secret(portal: Portal) -> None:
    """A JWS for a month without a refresh token; a wrong secret, scope or grant gives none."""
    answer = await portal.ask_token()
    told = answer.json()
    assert (told["token_type"], told["scope"], told["rsp_code"]) == ("Bearer", "manage", "00000")
    assert told["expires_in"] <= 365 * DAY
    assert "refresh_token" not in told
    assert told["access_token"].count(".") == 2
    assert (await entered(portal.world, "support:token"))["support:token:issued", "portal"] == 2

    for changes, status, code in (
        ({"client_secret": "guessed"}, 401, "reader_unknown"),
        ({"client_id": "viewer"}, 401, "reader_unknown"),
        ({"scope": "all"}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "invalid_request"),
        ({"refresh_token": "x"}, 400, "invalid_request"),
    ):
        refused = await portal.ask_token(**changes)
        assert (refused.status_code, refused.json()["code"]) == (status, code)


async def test_support_101_a_token_ends_and_is_nobody_elses(portal: Portal) -> None:
    """After its month, changed by a letter, or as the secret itself, it opens nothing."""
    good = portal.token
    for bad in (good[:-3] + "AAA", SECRETS["portal"], good.replace(".", "", 1), "", "x.y.z"):
        portal.token = bad
        assert (await portal.call("GET", "/v1/mgmts/status")).status_code == 401
    portal.token = good
    assert (await portal.call("GET", "/v1/mgmts/status")).status_code == 200
    await portal.world.forward(31 * DAY)
    assert (await portal.call("GET", "/v1/mgmts/status")).status_code == 401


async def test_support_102_status_follows_the_gateways_own_readiness(portal: Portal) -> None:
    """01 while everything can serve; 02 when the ledger does not move; the transaction id comes back."""
    answer = await portal.call("GET", "/v1/mgmts/status", tran="PORTAL0001M123")
    assert (answer.json()["rsp_code"], answer.json()["status"]) == ("00000", "01")
    assert answer.headers["x-api-tran-id"] == "PORTAL0001M123"

    async with behind(portal.world):
        assert (await portal.call("GET", "/v1/mgmts/status")).json()["status"] == "02"
    assert (await portal.call("GET", "/v1/mgmts/status")).json()["status"] == "01"


async def test_support_the_transaction_id_is_needed(portal: Portal) -> None:
    """Without one, or with one that is none, a door does nothing and says so in its own words."""
    for headers in ({"x-api-tran-id": ""}, {"x-api-tran-id": "A" * 26}, {"x-api-tran-id": "a b"}):
        answer = await portal.call("GET", "/v1/mgmts/status", headers=headers)
        assert answer.status_code == 400
        assert answer.json()["rsp_code"] == "40001"
        assert answer.json()["params"] == {"what": "x-api-tran-id"}
        assert "x-api-tran-id" not in answer.headers


async def test_support_103_all_consents_of_a_person(portal: Portal) -> None:
    """Scope by holder, paged; the look stands in the ledger; somebody unknown has none."""
    world = portal.world
    given = await world.given()
    told = await portal.told("/v1/mgmts/consents", user_ci=portal.person())
    assert {line["consent_num"] for line in told["consent_list"]} == {given.consent_id}
    bank = next(line for line in told["consent_list"] if line["org_code"] == BANK)
    assert (bank["status"], bank["rcv_org_code"], len(bank["end_date"])) == ("01", given.company.client_id, 8)
    assert bank["scope"]
    assert (await entered(world, "support:consents"))["support:consents:shown", "portal"] == 1

    for nobody in ("nobody", world.sandbox.people[0].id):
        none = await portal.told("/v1/mgmts/consents", user_ci=nobody)
        assert (none["consent_cnt"], none["consent_list"]) == (0, [])


async def test_support_103_pages_are_bounded(portal: Portal) -> None:
    """One consent a page, on and on, each once; a limit or a place there is not is refused."""
    world = portal.world
    citizen = await world.citizen()
    ids = [(await world.given(citizen=citizen)).consent_id for _ in range(3)]
    seen: list[str] = []
    more: dict[str, str] = {}
    while True:
        told = await portal.told("/v2/mgmts/agreements", user_ci=portal.person(), limit="1", **more)
        seen += [line["prov_consent_num"] for line in told["agreement_list"]]
        if "next_page" not in told:
            break
        more = {"next_page": told["next_page"]}
    assert sorted(seen) == sorted(ids)
    for wrong in ({"limit": "0"}, {"limit": "501"}, {"limit": "x"}, {"next_page": "x"}, {"else": "x"}):
        for path in READ:
            body = {"user_ci": portal.person(), **wrong}
            answer = await portal.call("POST", path, json=body)
            assert (answer.status_code, answer.json()["rsp_code"]) == (400, "40001")


async def test_support_104_a_week_is_asked_for_again_once_a_transaction(portal: Portal) -> None:
    """The answer says where it is; the same transaction id adds nothing; a week not over is refused."""
    world = portal.world
    first = week.first_of(korean_day(world.clock())) - timedelta(days=7)
    for _ in range(2):
        body = {"stat_start": f"{first:%Y%m%d}"}
        answer = await portal.call("POST", "/v1/mgmts/req-statistics", tran="PORTAL0001MSAME", json=body)
        assert answer.json()["stat_path"] == "/v2/mgmts/statistics/operator"
    assert (await entered(world, "support:statistics"))["support:statistics:asked", "portal"] == 1
    for wrong in (first + timedelta(days=1), first + timedelta(days=7)):
        refused = await portal.call(
            "POST", "/v1/mgmts/req-statistics", json={"stat_start": f"{wrong:%Y%m%d}"}
        )
        assert (refused.status_code, refused.json()["params"]) == (400, {"what": "stat_start"})


async def test_row_29_the_week_over_http_is_the_week_of_the_records(portal: Portal) -> None:
    """지원-004 and 005 as a portal fetches them, after the week is over; an unknown holder is refused."""
    world = portal.world
    first = week.first_of(korean_day(world.clock()))
    await sent(portal)
    await world.forward(8 * DAY)
    told = (await portal.call("GET", f"/v2/mgmts/statistics/operator?stat_start={first:%Y%m%d}")).json()
    assert (told["rsp_code"], told["svr_usr_cnt"], told["trsms_dem_cnt"]) == ("00000", 1, 1)
    assert sum(org["consent_new"] for day in told["stat_list"] for org in day["org_list"]) > 1
    path = f"/v2/mgmts/statistics/holder?stat_start={first:%Y%m%d}&org_code="
    one = (await portal.call("GET", f"{path}{BANK}")).json()
    assert one["org_code"] == BANK
    assert (await portal.call("GET", f"{path}Z000000001")).status_code == 400
    assert (await entered(world, "support:statistics"))["support:statistics:shown", "portal"] == 2


async def test_support_105_an_agreement_says_what_and_for_how_long(portal: Portal) -> None:
    """One line a consent with its holders, its purpose in words, and the text before a withdrawal."""
    given = await portal.world.given()
    (line,) = (await portal.told("/v2/mgmts/agreements", user_ci=portal.person()))["agreement_list"]
    assert (line["prov_consent_num"], line["status"]) == (given.consent_id, "01")
    assert len(line["snd_org_list"]) > 1
    assert "철회" in line["revoke_info"]
    assert len(line["revoke_info"]) <= 300
    assert all(line[name] for name in ("purpose", "prov_consent_name", "period"))
    assert "prov_revoke_dtime" not in line


async def test_support_106_what_was_really_provided(portal: Portal) -> None:
    """Holder, dataset, fields and when; never a value; another person's agreement is not there."""
    given = await sent(portal)
    body = {"user_ci": portal.person(), "prov_consent_num": given.consent_id}
    told = await portal.told("/v2/mgmts/agreements/detail", **body)
    assert told["prov_cnt"] == len(told["prov_list"]) > 0
    assert all(len(line["prov_dtime"]) == 14 and ": " in line["prov_asset"] for line in told["prov_list"])
    assert {line["is_reward"] for line in told["prov_list"]} == {None}
    for wrong in ({"prov_consent_num": "c-none"}, {"user_ci": "nobody"}):
        answer = await portal.call("POST", "/v2/mgmts/agreements/detail", json=body | wrong)
        assert (answer.status_code, answer.json()["rsp_code"]) == (404, "40402")


async def test_support_107_the_citizens_withdrawal_brought_by_the_portal(portal: Portal) -> None:
    """Dead at once, as from the citizen's own page: 02 until the parties answered; again changes nothing."""
    world = portal.world
    given = await sent(portal)
    body = {"user_ci": portal.person(), "prov_consent_num": given.consent_id}
    told = await portal.told("/v2/mgmts/agreements/revoke", **body)
    assert told["status"] == "02"
    (row,) = await world.rows("consent")
    assert (row["state"], row["by"], row["why"]) == ("withdrawing", "citizen", "through_portal")
    refused = await given.company.call(
        "POST", f"{world.origin}/transfers", headers={"Idempotency-Key": "after-the-end"}, json={}
    )
    assert refused.status_code in (401, 403)
    assert len(await world.rows("ending_party")) > 1
    before = await entered(world, "consent:")
    assert (await portal.told("/v2/mgmts/agreements/revoke", **body))["prov_revoke_dtime"] == told[
        "prov_revoke_dtime"
    ]
    assert await entered(world, "consent:") == before
    assert "통합 포털" in (await given.citizen.look(given.consent_id)).words


async def test_support_107_needs_its_own_power_and_the_right_person(portal: Portal) -> None:
    """An account that only reads, another person, a consent there is not: nothing changes."""
    world = portal.world
    given = await world.given()
    body = {"user_ci": portal.person(), "prov_consent_num": given.consent_id}
    viewer = await Portal(world, "viewer").signed_in()
    async with world.unchanged():
        answer = await viewer.call("POST", "/v2/mgmts/agreements/revoke", json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "reader_scope")
        for wrong in ({"user_ci": "nobody"}, {"prov_consent_num": "c-0"}):
            answer = await portal.call("POST", "/v2/mgmts/agreements/revoke", json=body | wrong)
            assert (answer.status_code, answer.json()["code"]) == (404, "consent_not_found")


async def test_support_106_whether_the_recipient_pays_is_the_contracts_word(portal: Portal) -> None:
    """`is_reward` follows the consortium of the registry, for its holders and its days only."""
    world = portal.world
    given = await sent(portal)
    parts, (contract, *_) = world.parts, world.parts.registry.consortia
    async with world.database.reading() as session:
        consent = await repository.load(session, given.consent_id)
        assert consent is not None
        for one, paid in (
            (structs.replace(contract, reward=True), True),
            (structs.replace(contract, reward=False), False),
            (structs.replace(contract, reward=True, end="2001-01-01"), None),
            (structs.replace(contract, reward=True, recipients=("somebody",)), None),
        ):
            lines, _ = await Agreements(parts.catalogue, [one], {}).provided(session, consent, 10, None)
            assert {line["is_reward"] for line in lines} == {paid}


async def test_support_107_two_at_once_are_one_withdrawal(portal: Portal) -> None:
    """The portal twice and the citizen's own page at one moment: one move, one entry."""
    world = portal.world
    given = await world.given()
    body = {"user_ci": portal.person(), "prov_consent_num": given.consent_id}
    path, browser = "/v2/mgmts/agreements/revoke", given.citizen.browser
    page = await browser.open(f"{world.origin}/my/consents/{given.consent_id}/withdraw")
    told = await asyncio.gather(
        portal.told(path, **body),
        portal.told(path, **body),
        browser.submit(page, page.form("decision"), {"decision": "withdraw"}),
    )
    assert told[0]["prov_revoke_dtime"] == told[1]["prov_revoke_dtime"]
    assert (await world.kinds())["consent:grant:withdrawn"] == 1
    assert (await world.rows("consent"))[0]["state"] == "withdrawing"
