"""Statistics of use at their doors: counted from records, published once, the same for ever, for all."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import secrets
from collections import Counter
from typing import Any

import pytest

from consent.records import Move
from consent.tables import ConsentVersionRow
from gateway.awareness import publishing, use
from gateway.awareness.window import GRACE_SECONDS, Month
from gateway.errors import Problem
from tests.world import World


def quiet(_n: int) -> int:
    """No noise at all, so that a test can tell what was counted."""
    return 4


def month_of(world: World) -> Month:
    """The month it is."""
    return Month.of(int(world.clock().timestamp()))


def publisher(world: World) -> publishing.Publisher:
    """Who publishes in this world."""
    return publishing.Publisher(world.parts.journal, "operator")


async def published(world: World, below: Any = quiet) -> bool:
    """Publish this month as soon as it can be."""
    parts, month = world.parts, month_of(world)
    now = month.end + GRACE_SECONDS
    return await publishing.publish(world.database, publisher(world), parts.catalogue, month, now, below)


async def true_counts(world: World) -> Counter[use.Cell]:
    """What was counted of this month."""
    async with world.database.reading() as session:
        return await use.counted(session, world.parts.journal.keys, world.parts.catalogue, month_of(world))


async def test_use_is_counted_by_sector_purpose_age_and_recipient(own_world: World) -> None:
    """A consent, a transfer of its items and a withdrawal; each stands once in every table it belongs to."""
    given = await own_world.given()
    await own_world.settled(given.company, await given.company.ask_transfer("use-of-a-month"))
    counts = await true_counts(own_world)
    sectors = {value for measure, by, value in counts if (measure, by) == ("given", "sector")}
    assert sectors == {"finance", "telecom", "energy", "retail", "medical"}
    for measure in ("given", "in_force", "transfers"):
        assert counts[measure, "purpose", "household-finance"] == 1
        assert {counts[measure, "sector", sector] for sector in sectors} == {1}
    assert [n for (measure, by, _), n in counts.items() if (measure, by) == ("given", "age")] == [1]
    assert counts["given", "age", "unknown"] == 0
    sent = [row for row in await own_world.rows("transfer_item_outcome") if row["sent"] != "[]"]
    assert sum(n for (m, by, _), n in counts.items() if (m, by) == ("items_sent", "sector")) == len(sent) > 0
    assert set(counts) <= set(use.cells(own_world.parts.catalogue))

    await given.citizen.withdraw(given.consent_id)
    counts = await true_counts(own_world)
    assert (counts["withdrawn", "purpose", "household-finance"], counts["given", "sector", "finance"]) == (
        1,
        1,
    )
    assert counts["in_force", "purpose", "household-finance"] == 0
    moves = Counter(row["move"] for row in await own_world.rows(str(ConsentVersionRow.__tablename__)))
    assert (moves[Move.GIVE], moves[Move.WITHDRAW]) == (1, 1)


async def test_what_is_published_is_open_cacheable_and_described(own_world: World) -> None:
    """JSON and CSV tell the same, the catalogue names both with their digests; one citizen is never told."""
    await own_world.given()
    assert await published(own_world)
    month, at = month_of(own_world).name, f"{own_world.origin}/statistics"
    as_json = await own_world.http.get(f"{at}/use/{month}.json")
    as_csv = await own_world.http.get(f"{at}/use/{month}.csv")
    assert as_json.status_code == as_csv.status_code == 200
    for answer in (as_json, as_csv):
        assert "immutable" in answer.headers["cache-control"]
        assert "set-cookie" not in answer.headers
    told = as_json.json()
    assert {cell["number"] for cell in told["cells"]} == {None}
    rows = list(csv.DictReader(io.StringIO(as_csv.text)))
    assert [(r["measure"], r["by"], r["value"], r["number"]) for r in rows] == [
        (c["measure"], c["by"], c["value"], "few" if c["few"] else str(c["number"])) for c in told["cells"]
    ]

    answer = await own_world.http.get(f"{at}/catalog.jsonld")
    assert answer.headers["content-type"].startswith("application/ld+json")
    made = answer.json()
    dataset = next(one for one in made["dcat:dataset"] if one["@id"] == f"{at}/use/{month}")
    assert dataset["@type"] == "dcat:Dataset"
    assert dataset["dct:temporal"]["dcat:startDate"]["@value"] == told["from"]
    assert dataset["dct:publisher"]["foaf:name"][0]["@language"] == "ko"
    for distribution in dataset["dcat:distribution"]:
        content = (await own_world.http.get(distribution["dcat:downloadURL"]["@id"])).content
        digest = distribution["spdx:checksum"]["spdx:checksumValue"]["@value"]
        assert digest == hashlib.sha256(content).hexdigest()
        assert int(distribution["dcat:byteSize"]["@value"]) == len(content)
    prefixes = {name.partition(":")[0] for name in _names(made) if ":" in name and not name.startswith("@")}
    assert prefixes <= set(made["@context"])


async def test_a_month_is_published_once(own_world: World) -> None:
    """Two at once draw twice and publish once; later changes, and doing it again, change no byte."""
    given = await own_world.given()
    done = await asyncio.gather(*(published(own_world, secrets.randbelow) for _ in range(3)))
    assert sum(done) == 1
    before = await own_world.rows("publication")
    await given.citizen.withdraw(given.consent_id)
    assert await published(own_world) is False
    assert await own_world.rows("publication") == before
    assert {row["about"] for row in before} == set(publishing.ABOUT)


async def test_nothing_before_a_month_is_over(own_world: World) -> None:
    """The running month, and the day after it, are refused; nothing is drawn."""
    parts, month = own_world.parts, month_of(own_world)
    for now in (month.begin, month.end - 1, month.end + GRACE_SECONDS - 1):
        with pytest.raises(Problem, match="month_not_over"):
            await publishing.publish(
                own_world.database, publisher(own_world), parts.catalogue, month, now, quiet
            )
    assert await own_world.rows("publication") == []


@pytest.mark.parametrize(
    "path",
    [
        "use/2026-13.json",
        "use/2026-01.json",
        "people/2026-01.csv",
        "use/2026-01.xml",
        "use/%00.json",
        "use/.json",
    ],
)
async def test_what_was_not_published_is_not_there(own_world: World, path: str) -> None:
    """404, whatever is asked for, from a file's door and from a page."""
    answer = await own_world.http.get(f"{own_world.origin}/statistics/{path}")
    assert answer.status_code == 404
    assert "not_found" in answer.text


async def test_no_personal_value_is_published(own_world: World) -> None:
    """Ids of consents, citizens, clients and transfers stand in no published byte."""
    given = await own_world.given()
    await own_world.settled(given.company, await given.company.ask_transfer("no-name-is-told"))
    await published(own_world)
    said = b"".join(row["body"] for row in await own_world.rows("publication"))
    for table, column in (("consent", "id"), ("subject", "id"), ("oauth_client", "id"), ("transfer", "id")):
        for row in await own_world.rows(table):
            assert str(row[column]).encode() not in said, table


def _names(value: Any) -> set[str]:
    """Every member name of a document, at any depth, but those of its context."""
    if isinstance(value, list):
        return set().union(*map(_names, value)) if value else set()
    if not isinstance(value, dict):
        return set()
    found = {name for name in value if name != "@context"}
    return found.union(*(_names(one) for name, one in value.items() if name != "@context"))
