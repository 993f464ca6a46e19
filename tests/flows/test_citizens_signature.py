"""A citizen signs the words they agreed to with a key of their own: kept, entered, receipted, exported."""

from __future__ import annotations

from pathlib import Path

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from consent import exporting
from tests.flows.test_companys_consents import given_by
from tests.flows.test_receipts_story import file, got, keys_of
from tests.tables import with_tables
from tests.unit.consent.signing import Authority, signed
from tests.world import Given, World, open_world


async def post(given: Given, place: str, values: dict[str, str]) -> httpx.Response:
    """What the citizen's browser posts to `place`."""
    headers = {"sec-fetch-site": "same-origin"}
    return await given.citizen.browser.http.post(place, data=values, headers=headers, follow_redirects=False)


async def version_of(world: World, given: Given) -> str:
    """The version of the consent now."""
    (row,) = [one for one in await world.rows("consent") if one["id"] == given.consent_id]
    return str(row["version"])


async def test_row_4_signed_text_is_kept_entered_and_exported(tmp_path: Path, database_url: str) -> None:
    """The signature of this version once: in the ledger, the receipt by hash, the export whole."""
    url = await with_tables(database_url)
    authority, key = Authority(), ec.generate_private_key(ec.SECP256R1())
    folder = tmp_path / "anchors"
    folder.mkdir()
    (folder / "one.pem").write_bytes(authority.certificate.public_bytes(serialization.Encoding.PEM))
    async with open_world(tmp_path, url, signature_anchors=folder) as world:
        given, other = await given_by(world, "p01"), await given_by(world, "p01")
        place = f"{world.origin}/my/consents/{given.consent_id}/signature"
        certificate, version = authority.certify(key), await version_of(world, given)
        content = (await got(given, f"{place}/content")).content
        assert "textarea" in (await got(given, place)).text

        theirs = (
            await got(given, f"{world.origin}/my/consents/{other.consent_id}/signature/content")
        ).content
        await world._holders_told()
        before = await world.entries()
        for wrong in (signed(theirs, certificate, key), signed(content + b" ", certificate, key), "a..b"):
            answer = await post(given, place, {"version": version, "signature": wrong})
            assert answer.status_code == 422, answer.text
            assert "다시 해 보기" in answer.text
        stale = await post(given, place, {"version": "99", "signature": signed(content, certificate, key)})
        assert stale.status_code == 409
        assert (await post(given, place, {"version": version})).status_code == 400
        assert await world.entries() == before

        jws = signed(content, certificate, key)
        for sent in (jws, signed(content, certificate, key)):
            assert (await post(given, place, {"version": version, "signature": sent})).status_code == 303
        assert (await world.kinds())["consent:signature:added"] == 1
        assert "textarea" not in (await got(given, place)).text
        receipt = await file(world, given, version)
        assert receipt["signature"]["algorithm"] == "ES256"
        data = (await got(given, f"{world.origin}/my/export/consents")).content
        made = exporting.verify(data, await keys_of(world), world.parts.log.vkey)
        (record,) = [one for one in made["consents"] if one["consent"]["id"] == given.consent_id]
        assert [one["jws"] for one in record["signature"]] == [jws]
        assert record["signature"][0]["sha256"] == receipt["signature"]["sha256"]

        await given.citizen.withdraw(given.consent_id)
        over = {"version": await version_of(world, given), "signature": jws}
        assert (await post(given, place, over)).status_code == 404


async def test_without_authorities_there_is_no_such_page(own_world: World) -> None:
    """The feature is off unless the operator trusts somebody."""
    given = await given_by(own_world, "p01")
    place = f"{own_world.origin}/my/consents/{given.consent_id}/signature"
    assert (await got(given, place)).status_code == 404
    assert (await post(given, place, {"version": "1", "signature": "a..b"})).status_code == 404
