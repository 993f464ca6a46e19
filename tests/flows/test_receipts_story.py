"""Receipts over HTTP: of a grant, of a use, of the ending; offline, for the citizen and for the company."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import jsonschema
import pytest

from consent import exporting, profile
from consent.receipt_verify import ReceiptError, verify
from tests.flows.test_companys_consents import asked, given_by, of_company
from tests.world import SECOND, Given, World, open_world


async def keys_of(world: World) -> dict[str, Any]:
    """The gateway's published key set."""
    metadata = (await world.http.get(f"{world.origin}/.well-known/oauth-authorization-server")).json()
    found: dict[str, Any] = (await world.http.get(metadata["jwks_uri"])).json()
    return found


async def got(given: Given, place: str) -> httpx.Response:
    """What the citizen's own browser gets at `place`."""
    return await given.citizen.browser.http.get(place)


async def file(world: World, given: Given, part: str) -> dict[str, Any]:
    """The citizen's receipt `part`, verified offline with the log's key, and held against the schema."""
    place = f"{world.origin}/my/consents/{given.consent_id}/receipts/{part}/file"
    answer = await got(given, place)
    assert answer.status_code == 200, answer.text
    said = verify(answer.content, await keys_of(world), world.parts.log.vkey)
    jsonschema.validate(said, profile.schema())
    return said


async def sent(world: World, given: Given) -> str:
    """The id of a bundle that was released under the consent."""
    transfer = await given.company.ask_transfer("receipts-0001")
    done = await world.settled(given.company, transfer)
    assert done["state"] == "ready", done
    return str(done["bundle"]).rsplit("/", 1)[1]


async def test_row_3_receipts_of_grant_use_and_end_verify_offline(own_world: World) -> None:
    """Each kind is listed, a page, a file that verifies, and entered once however often it is fetched."""
    world = own_world
    given = await given_by(world, "p01")
    place = f"{world.origin}/my/consents/{given.consent_id}"
    bundle = await sent(world, given)

    grant = await file(world, given, "1")
    assert (grant["kind"], grant["event"]["status"]) == ("grant", "dpv:ConsentGiven")
    assert grant["@context"] == world.origin + profile.CONTEXT
    use = await file(world, given, bundle)
    assert use["bundle"]["id"] == bundle
    (item,) = use["items"]
    assert item["sent"]
    assert use["recipient"]["id"] == given.company.client_id

    await given.citizen.withdraw(given.consent_id)
    end = await file(world, given, "end")
    assert end["event"]["status"] == "dpv:ConsentWithdrawn"
    assert (end["event"]["by"], end["event"]["entity"]) == ("citizen", "dpv:DataSubject")
    roles = {one["role"]: one["deletion"] for one in end["ending"]["parties"]}
    assert roles == {"holder": "not_applicable", "recipient": "not_asked"}
    await file(world, given, "end")

    listing = await got(given, f"{place}/receipts")
    for part in ("1", bundle, "end"):
        assert f"/receipts/{part}" in listing.text
        page = await got(given, f"{place}/receipts/{part}")
        assert page.status_code == 200
        assert f"{given.consent_id}.{part}" in page.text
    kinds = await world.kinds()
    for kind in ("grant", "use", "termination"):
        assert kinds[f"receipt:{kind}:issued"] == 1


async def test_row_1_the_words_agreed_to_are_kept_as_shown(own_world: World) -> None:
    """The text stands on a page of its own, by the hash the receipt names, for each version."""
    world = own_world
    given = await given_by(world, "p01")
    grant = await file(world, given, "1")
    place = f"{world.origin}/my/consents/{given.consent_id}/text"
    (text,) = [
        one for one in await world.rows("consent_text") if one["hash"] == grant["consent"]["text_sha256"]
    ]
    for address in (place, f"{place}?version=1", grant["notice"]["url"]):
        page = await got(given, address)
        assert text["hash"] in page.text
        assert text["body"].split("\n")[0] in page.text
    assert (await got(given, f"{place}?version=7")).status_code == 404


async def test_the_companys_copy_opens_nothing(own_world: World) -> None:
    """A company lists and fetches receipts of its own consents; no opening, so no link to other entries."""
    world = own_world
    given = await given_by(world, "p01")
    bundle = await sent(world, given)
    own = await of_company(world, given.company)
    page = await asked(own, f"/receipts?consent_id={given.consent_id}&limit=1")
    rest = urlsplit(page["next"])
    more = await asked(own, f"{rest.path}?{rest.query}")
    found = page["receipts"] + more["receipts"]
    assert {one["kind"] for one in found} == {"grant", "use"}
    assert more["next"] is None
    for one in found:
        signed = await asked(own, urlsplit(one["url"]).path)
        said = verify(signed["receipt"].encode(), await keys_of(world), world.parts.log.vkey)
        assert said["opening"] is None
        jsonschema.validate(said, profile.schema())
    mine = await got(given, f"{world.origin}/receipts/{given.consent_id}.{bundle}")
    assert verify(mine.json()["receipt"].encode(), await keys_of(world))["opening"] is not None


async def test_another_citizens_receipts_are_not_there(tmp_path: Path) -> None:
    """Another citizen sees nothing, and nobody signed in is sent to sign in or refused."""
    async with open_world(tmp_path, count=2) as world:
        given, other = await given_by(world, "p01"), await given_by(world, "p02")
        for place in ("receipts", "receipts/1", "receipts/1/file", "text"):
            address = f"{world.origin}/my/consents/{given.consent_id}/{place}"
            assert (await got(given, address)).status_code == 200
            assert (await got(other, address)).status_code == 404
            assert (await world.http.get(address)).status_code in (303, 401)
        for address in (f"{world.origin}/receipts/{given.consent_id}.1",):
            assert (await got(other, address)).status_code == 404
            assert (await world.http.get(address)).status_code == 401
        mine = exporting.verify(
            (await got(other, f"{world.origin}/my/export/consents")).content, await keys_of(world)
        )
        assert [one["consent"]["id"] for one in mine["consents"]] == [other.consent_id]


async def test_receipts_that_are_not(own_world: World) -> None:
    """No such part, another's consent, a wrong parameter: a clear code, and nothing changed."""
    world = own_world
    given = await given_by(world, "p01")
    bundle = await sent(world, given)
    other = await given_by(world, "p01")
    own, stranger = await of_company(world, given.company), await world.company(SECOND)
    token = {"grant_type": "client_credentials", "scope": "company"}
    stranger.tokens = await stranger._post(stranger.metadata["token_endpoint"], token)
    await world._holders_told()
    before = await world.entries()
    for part in ("0", "2", "01", "end", "b-none", "x" * 64):
        assert (await asked(own, f"/receipts/{given.consent_id}.{part}", 404))["code"] == "not_found"
    assert (await asked(own, f"/receipts/{other.consent_id}.{bundle}", 404))["code"] == "not_found"
    wanted = f"/receipts/{given.consent_id}.1"
    assert (await asked(stranger, wanted, 404))["code"] == "consent_not_found"
    assert (await asked(own, "/receipts/none", 404))["code"] == "consent_not_found"
    for query in (
        "",
        "?consent_id=",
        "?consent_id=a&limit=0",
        "?consent_id=a&limit=101",
        "?consent_id=a&x=1",
    ):
        assert (await asked(own, f"/receipts{query}", 400))["code"] == "invalid_request"
    for query in ("?consent_id=a&consent_id=a", "?consent_id=a&before=x", "?consent_id=a&limit=ten", "?x=1"):
        assert (await asked(own, f"/receipts{query}", 400))["code"] == "invalid_request"
    assert await world.entries() == before


async def test_the_profile_is_published(own_world: World) -> None:
    """Context and schema are public and are what the receipts follow."""
    world = own_world
    for place, name in ((profile.CONTEXT, "context.json"), (profile.SCHEMA, "schema.json")):
        answer = await world.http.get(world.origin + place)
        assert answer.json() == json.loads(profile.read(name))


async def test_a_receipt_of_another_log_is_refused(own_world: World) -> None:
    """The proof inside leads to this log's signed checkpoint and to no other."""
    world = own_world
    given = await given_by(world, "p01")
    place = f"{world.origin}/my/consents/{given.consent_id}/receipts/1/file"
    signed = (await got(given, place)).content
    with pytest.raises(ReceiptError):
        verify(signed, await keys_of(world), world.parts.log.vkey[:-4] + "AAA=")


async def test_check_27_the_export_verifies_offline_and_holds_everything(own_world: World) -> None:
    """One signed JSON-LD file: records, texts, receipts with their proofs; a changed byte is found."""
    world = own_world
    given = await given_by(world, "p01")
    await sent(world, given)
    await given.citizen.withdraw(given.consent_id)
    data = (await got(given, f"{world.origin}/my/export/consents")).content
    keys = await keys_of(world)
    made = exporting.verify(data, keys, world.parts.log.vkey)
    (record,) = made["consents"]
    assert (record["@type"], record["id"].partition(".")[0]) == ("ConsentRecord", given.consent_id)
    assert "dpv:ConsentGiven" in [event["status"] for event in record["events"]]
    assert record["status"] == "dpv:ConsentWithdrawn"
    assert {one["id"].rsplit(".", 1)[1][:2] for one in made["receipts"]} == {"1", "b-", "en"}
    assert [one["sha256"] for one in made["texts"]] == [record["consent"]["text_sha256"]]
    with pytest.raises(ReceiptError):
        exporting.verify(data.replace(b"dpv:ConsentWithdrawn", b"dpv:ConsentGiven"), keys)
    page = await got(given, f"{world.origin}/my/export")
    assert "/my/export/fhir" in page.text
    (row,) = [one for one in await world.rows("consent") if one["id"] == given.consent_id]
    assert row["subject_id"] not in data.decode()


async def test_medical_consents_are_fhir_r4(own_world: World) -> None:
    """The medical items, and they alone, as Consent resources that keep the rules of R4."""
    world = own_world
    medical = await world.given(citizen=await world.citizen("p01"))
    data = (await got(medical, f"{world.origin}/my/export/fhir")).json()
    assert (data["resourceType"], data["type"]) == ("Bundle", "collection")
    (entry,) = data["entry"]
    resource = entry["resource"]
    assert resource["id"] == medical.consent_id
    problems(resource)
    datasets = [one["code"][0]["text"] for one in resource["provision"]["provision"]]
    assert datasets
    assert all(name.startswith("medical.") for name in datasets)
    await given_by(world, "p01")
    assert len((await got(medical, f"{world.origin}/my/export/fhir")).json()["entry"]) == 1


def problems(resource: dict[str, Any]) -> None:
    """Cardinalities, bindings and invariants ppc-1 to ppc-5 of the R4 Consent resource."""
    statuses = {"draft", "proposed", "active", "rejected", "inactive", "entered-in-error"}
    assert resource["status"] in statuses
    scope = resource["scope"]["coding"][0]["code"]
    assert scope in {"patient-privacy", "research", "adr", "treatment"}
    assert resource["category"][0]["coding"][0] == {"system": "http://loinc.org", "code": "59284-0"}
    assert resource["policy"][0]["uri"], "ppc-1: a policy or a policy rule"
    assert resource["patient"]["identifier"]["value"], "ppc-2 to ppc-5: the patient is named"
    assert len([name for name in resource if name.startswith("source")]) <= 1
    assert re.fullmatch(r"[A-Za-z0-9.-]{1,64}", resource["id"])
    text = base64.b64decode(resource["sourceAttachment"]["data"])
    assert resource["sourceAttachment"]["title"] == f"sha256:{hashlib.sha256(text).hexdigest()}"
    for provision in (resource["provision"], *resource["provision"]["provision"]):
        assert provision["type"] in {"deny", "permit"}
        for actor in provision["actor"]:
            assert actor["role"]["coding"]
            assert actor["reference"]["identifier"]["value"]
