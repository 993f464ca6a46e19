"""Green Button feeds: hostile XML, links, units, and the pull page by page."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract import Checkpoint, Reason, Record
from connectors.errors import HolderError
from connectors.sectors.energy.atom import read_feed
from connectors.sectors.energy.espi import Reading, Relations
from tests.unit.connectors.scripted import ORIGIN, ScriptedIo, pulled, sealed

URL = f"{ORIGIN}/espi/1_1/resource/Batch/Subscription/s"
DATASET = "energy.electricity-usage"
START = 1_795_186_800  # 2026-11-21T00:00:00+09:00


def entry(own: str, content: str, *, up: str = "", related: tuple[str, ...] = (), updated: str = "") -> str:
    """One Atom entry."""
    links = "".join(
        f'<link rel="{rel}" href="{href}"/>'
        for rel, href in [("self", own), ("up", up), *(("related", one) for one in related)]
        if href
    )
    said = f"<updated>{updated}</updated>" if updated else ""
    return f"<entry>{links}{said}<content>{content}</content></entry>"


def feed(*entries: str, following: str = "") -> bytes:
    """An Atom feed."""
    link = f'<link rel="next" href="{following}"/>' if following else ""
    return f'<feed xmlns="http://www.w3.org/2005/Atom">{link}{"".join(entries)}</feed>'.encode()


def espi(kind: str, inner: str = "") -> str:
    """An ESPI resource."""
    return f'<{kind} xmlns="http://naesb.org/espi">{inner}</{kind}>'


def reading(start: int = START, value: str = "250", quality: str = "") -> str:
    """One interval reading."""
    marked = f"<ReadingQuality><quality>{quality}</quality></ReadingQuality>" if quality else ""
    period = f"<timePeriod><duration>3600</duration><start>{start}</start></timePeriod>"
    return f"<IntervalReading>{marked}{period}<value>{value}</value></IntervalReading>"


POINT = entry("/p/1", espi("UsagePoint"), related=("/p/1/m",))
METER = entry("/p/1/m/1", espi("MeterReading"), up="/p/1/m", related=("/p/1/m/1/b", "/t/1"))


def kind(inner: str = "<uom>72</uom>") -> str:
    """A reading type."""
    return entry("/t/1", espi("ReadingType", inner))


def block(*readings: str, own: str = "/p/1/m/1/b/1", updated: str = "") -> str:
    """An interval block."""
    return entry(own, espi("IntervalBlock", "".join(readings)), up="/p/1/m/1/b", updated=updated)


def readings(*bodies: bytes) -> list[Reading]:
    """Every reading of some pages."""
    relations = Relations()
    found = [one for body in bodies for one in relations.add(read_feed(body, URL).entries)]
    relations.finish()
    return found


def test_entries_are_related_by_links_in_any_order() -> None:
    """The block may come first; links, not nesting or order, say what it belongs to."""
    (found,) = readings(feed(block(reading()), kind(), METER, POINT))
    assert (found.usage_point, found.value, found.unit) == ("1", Decimal(250), "Wh")
    assert found.start.isoformat() == "2026-11-21T00:00:00+09:00"


def test_block_may_wait_for_a_later_page() -> None:
    """A block is explained by entries of the next page."""
    assert len(readings(feed(POINT, block(reading())), feed(METER, kind()))) == 1


@given(st.integers(-(10**12), 10**12), st.integers(-12, 12))
def test_multiplier_is_exact(value: int, power: int) -> None:
    """The value is the number times a power of ten, with no rounding and no exponent in the text."""
    inner = f"<powerOfTenMultiplier>{power}</powerOfTenMultiplier><uom>72</uom>"
    (found,) = readings(feed(POINT, METER, kind(inner), block(reading(value=str(value)))))
    assert found.value == Decimal(value) * Decimal(10) ** power
    assert "E" not in format(found.value, "f")


@pytest.mark.parametrize(
    ("own", "default", "said"),
    [("17", "0", "validated"), ("", "14", "raw"), ("99", "0", "99"), ("", "", "unstated")],
)
def test_quality(own: str, default: str, said: str) -> None:
    """The reading's own quality counts, else the type's default, else it is unstated."""
    inner = (f"<defaultQuality>{default}</defaultQuality>" if default else "") + "<uom>72</uom>"
    (found,) = readings(feed(POINT, METER, kind(inner), block(reading(quality=own))))
    assert found.quality == said


BOMB = "<!DOCTYPE feed [<!ENTITY a 'ha'>" + "".join(
    f"<!ENTITY {b} '{f'&{a};' * 10}'>" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (f"{BOMB}]><feed xmlns='http://www.w3.org/2005/Atom'><title>&i;</title></feed>".encode(), "contract"),
        (
            b"<!DOCTYPE feed [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"
            b"<feed xmlns='http://www.w3.org/2005/Atom'><id>&x;</id></feed>",
            "contract",
        ),
        (
            b"<!DOCTYPE feed SYSTEM 'http://169.254.169.254/x.dtd'><feed xmlns='http://www.w3.org/2005/Atom'/>",
            "contract",
        ),
        ("<!DOCTYPE feed><feed xmlns='http://www.w3.org/2005/Atom'/>".encode("utf-16"), "contract"),
        (b"<feed xmlns='http://www.w3.org/2005/Atom'>&nothing;</feed>", "corrupt"),
        (b"<feed xmlns='http://www.w3.org/2005/Atom'><entry>", "corrupt"),
        (b"<a>" * 5000 + b"</a>" * 5000, "corrupt"),
        (b"<entry xmlns='http://www.w3.org/2005/Atom'><feed/></entry>", "contract"),
        (
            b"<feed xmlns='http://www.w3.org/2005/Atom'>" + b"<a>" * 5000 + b"</a>" * 5000 + b"</feed>",
            "corrupt",
        ),
        (b'{"json": true}', "corrupt"),
        (b"", "corrupt"),
        (b"<html><body>maintenance</body></html>", "contract"),
    ],
)
def test_hostile_documents_are_refused(body: bytes, reason: str) -> None:
    """Entity bombs, external entities, document types, deep nesting, cut or other documents."""
    with pytest.raises(HolderError) as refused:
        read_feed(body, URL)
    assert refused.value.reason.value == reason
    assert "passwd" not in str(refused.value)


def test_entity_bomb_in_an_attribute_is_refused() -> None:
    """Attribute values cannot be kept from expanding by option; the document is refused all the same."""
    bomb = f"{BOMB}]><feed xmlns='http://www.w3.org/2005/Atom'><link rel='next' href='&i;'/></feed>"
    with pytest.raises(HolderError) as refused:
        read_feed(bomb.encode(), URL)
    assert refused.value.reason in (Reason.CORRUPT, Reason.CONTRACT)


@pytest.mark.parametrize(
    "body",
    [
        feed(POINT, METER, block(reading())),
        feed(POINT, kind(), block(reading())),
        feed(METER, kind(), block(reading())),
        feed(POINT, METER, kind("<uom>99999</uom>"), block(reading())),
        feed(POINT, METER, kind(""), block(reading())),
        feed(
            POINT,
            METER,
            kind("<uom>72</uom><powerOfTenMultiplier>999999999</powerOfTenMultiplier>"),
            block(reading()),
        ),
        feed(POINT, METER, kind(), block(reading(value="12.5"))),
        feed(POINT, METER, kind(), block(reading(value=""))),
        feed(POINT, METER, kind(), block(reading(value="9" * 40))),
        feed(POINT, METER, kind(), block(reading(start=10**14))),
        feed(POINT, METER, kind(), block("<IntervalReading><value>1</value></IntervalReading>")),
        feed(entry("", espi("UsagePoint"))),
        feed(entry("/p/1", espi("UsagePoint"), related=("http://[broken/",))),
        feed(entry("/p/1", espi("UsagePoint"), related=("/with space",))),
    ],
)
def test_broken_feeds_are_a_contract_error(body: bytes) -> None:
    """Missing or bad links, reading types, numbers and times are refused, never guessed."""
    with pytest.raises(HolderError) as refused:
        readings(body)
    assert refused.value.reason is Reason.CONTRACT


def test_one_address_two_contents() -> None:
    """Two reading types under one address are corrupt: which one applies would be a guess."""
    with pytest.raises(HolderError) as refused:
        readings(feed(POINT, METER, kind(), kind("<uom>31</uom>"), block(reading())))
    assert refused.value.reason is Reason.CORRUPT


def authorization(status: str = "1", resource: str = "/espi/1_1/resource/Batch/Subscription/s") -> bytes:
    """The feed that says where the readings are."""
    inner = f"<status>{status}</status><resourceURI>{resource}</resourceURI>"
    return feed(entry("/a/1", espi("Authorization", inner)))


def script(*pages: bytes, first: bytes | None = None) -> ScriptedIo:
    """A holder with these pages."""
    return ScriptedIo(
        {
            "/espi/1_1/resource/Authorization": [first or authorization()],
            "/espi/1_1/resource/Batch/Subscription/s": list(pages),
        }
    )


DAY = {"since": date(2026, 11, 21), "until": date(2026, 11, 21)}


async def test_pull_gives_only_the_wanted_days() -> None:
    """Readings outside the asked Korean days are left out; midnight belongs to its day."""
    hours = [reading(START - 1), reading(START), reading(START + 86_399), reading(START + 86_400)]
    io = script(feed(POINT, METER, kind(), block(*hours)))
    events = await pulled("energy", DATASET, io, **DAY)
    bodies = [json.loads(event.body) for event in events if isinstance(event, Record)]
    assert [body["start"] for body in bodies] == ["2026-11-21T00:00:00+09:00", "2026-11-21T23:59:59+09:00"]
    assert sealed(events)
    assert io.asked[1][1]["published-min"] == "2026-11-20T15:00:00Z"


async def test_pull_follows_next_and_start_index() -> None:
    """A next link is followed; without one a full page asks for the next by start-index."""
    context = (POINT, METER, kind())
    onward = "/espi/1_1/resource/Batch/Subscription/s?start-index=2"
    io = script(
        feed(*context, block(reading(START)), following=onward),
        feed(*context, block(reading(START + 3600), own="/p/1/m/1/b/2")),
    )
    events = await pulled("energy", DATASET, io, **DAY)
    assert sum(isinstance(event, Record) for event in events) == 2
    assert sum(isinstance(event, Checkpoint) for event in events) == 2
    many = [block(reading(START + n), own=f"/p/1/m/1/b/{n}") for n in range(97)]
    io = script(feed(*context, *many), feed(*context, block(reading(START + 3600), own="/p/1/m/1/b/x")))
    events = await pulled("energy", DATASET, io, **DAY)
    assert sum(isinstance(event, Record) for event in events) == 98
    assert io.asked[2][1]["start-index"] == "101"


async def test_no_checkpoint_while_a_block_waits() -> None:
    """A page with an unexplained block is not sealed before the page that explains it."""
    onward = "/espi/1_1/resource/Batch/Subscription/s?start-index=2"
    io = script(feed(POINT, block(reading()), following=onward), feed(METER, kind()))
    events = await pulled("energy", DATASET, io, **DAY)
    assert [type(event).__name__ for event in events] == ["Record", "Checkpoint"]


async def test_energy_given_back_and_other_units_are_not_usage() -> None:
    """Reverse flow and units other than Wh are no electricity used."""
    for inner in ("<flowDirection>19</flowDirection><uom>72</uom>", "<uom>38</uom>", "<uom>169</uom>"):
        events = await pulled(
            "energy", DATASET, script(feed(POINT, METER, kind(inner), block(reading()))), **DAY
        )
        assert [type(event).__name__ for event in events] == ["Checkpoint"]


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        (feed(), Reason.CONTRACT),
        (authorization("0"), Reason.REVOKED),
        (authorization("2"), Reason.DENIED),
        (authorization(resource="https://other.example/s"), Reason.FOREIGN_NEXT),
        (authorization(resource="//169.254.169.254/s"), Reason.FOREIGN_NEXT),
    ],
)
async def test_authorization_is_checked(first: bytes, reason: Reason) -> None:
    """No single active authorization inside the origin: no readings."""
    with pytest.raises(HolderError) as refused:
        await pulled("energy", DATASET, script(first=first), **DAY)
    assert refused.value.reason is reason


async def test_foreign_next_is_never_followed() -> None:
    """A next link to another origin ends the pull with foreign_next."""
    io = script(feed(POINT, METER, kind(), block(reading()), following="https://other.example/x"))
    with pytest.raises(HolderError) as refused:
        await pulled("energy", DATASET, io, **DAY)
    assert refused.value.reason is Reason.FOREIGN_NEXT
    assert len(io.asked) == 2
