"""The published Green Button and FHIR files, read by the same code that pulls from holders."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from connectors.contract import Reason, Record
from connectors.errors import HolderError
from connectors.sandbox import energy
from connectors.sandbox.energy_feed import ESPI
from connectors.sectors.energy.atom import read_feed
from connectors.sectors.energy.connector import record
from connectors.sectors.energy.espi import Reading, Relations
from connectors.sectors.medical.bundle import head_of, heads, observation, read_bundle
from tests.samples import samples_dir
from tests.unit.connectors.sandboxes import Sandbox, everybody

pytestmark = pytest.mark.samples
FOLDER = samples_dir()
if FOLDER is None:
    pytest.skip("no published sample files here (set MYDATA_SAMPLES)", allow_module_level=True)
GAS = "gbo/ngma_natural_gas_billing_billing_data_Service_1_1_2021-05-26_to_2024-04-25.xml"
ENERGY, MEDICAL = FOLDER / "energy" / "espi", FOLDER / "medical"


def body_of(file: Path) -> bytes:
    """The bytes of a file, unpacked."""
    return gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()


def readings(file: Path) -> list[Reading]:
    """Every reading of a published feed."""
    relations = Relations()
    found = list(relations.add(read_feed(body_of(file), "https://published.example/feed").entries))
    relations.finish()
    return found


@pytest.mark.parametrize(
    ("name", "count", "unit", "first"),
    [
        ("gbo/Coastal_Multi_Family_2011_RetailCustomer_5.xml.gz", 8760, "Wh", "450"),
        ("gbo/TestGBDataHourlyNineDaysBinnedDaily.xml", 216, "Wh", "273"),
        (GAS, 35, "therm", "37.000"),
        ("test_usage_data_2.xml", 860, "Wh", "278"),
        ("eddie/Batch.xml", 67, "Wh", "10.000"),
        ("eddie/UsagePoint.xml", 0, "", ""),
        ("eddie/accounting_point_data.xml", 0, "", ""),
        ("Usage-Subscription-Feed-Anonymized.xml", 0, "", ""),
        ("Customer-Subscription-Feed-Anonymized.xml", 0, "", ""),
        ("Multiple-Authorization-Feed-Anonymized.xml", 0, "", ""),
    ],
)
def test_published_feeds(name: str, count: int, unit: str, first: str) -> None:
    """Each feed gives exactly its interval readings, in its unit, as records with unique keys."""
    found = readings(ENERGY / name)
    assert len(found) == count == body_of(ENERGY / name).count(b"<IntervalReading")
    records = [record(one) for one in found]
    assert len({one.key for one in records}) == count
    assert {json.loads(one.body)["unit"] for one in records} == ({unit} if count else set())
    assert not count or json.loads(records[0].body)["value"] == first


def test_energy_given_back_is_told_apart() -> None:
    """The EDDIE batch is reverse flow: read, and not taken for usage."""
    assert not any(reading.forward for reading in readings(ENERGY / "eddie" / "Batch.xml"))


def test_a_document_that_is_no_feed() -> None:
    """A single published entry is refused with a clear reason."""
    with pytest.raises(HolderError) as refused:
        readings(ENERGY / "ApplicationInformation-Entry-Anonymized.xml")
    assert refused.value.reason is Reason.CONTRACT
    assert "not an Atom feed" in refused.value.detail


async def test_sandbox_feeds_are_valid_espi() -> None:
    """Every ESPI resource the sandbox supplier emits is valid against the published schema."""
    schema = etree.XMLSchema(etree.parse(str(ENERGY / "espi.xsd")))
    sandbox = Sandbox(energy, "energy")
    checked = set()
    async with sandbox.http:
        first = (await sandbox.get(everybody()[0], "/espi/1_1/resource/Authorization")).content
        address = etree.fromstring(first).findtext(f".//{ESPI}resourceURI")
        second = (await sandbox.get(everybody()[0], f"{address}?max-results=3")).content
    for body in (first, second):
        for content in etree.fromstring(body).iterfind(".//{http://www.w3.org/2005/Atom}content"):
            resource = etree.fromstring(etree.tostring(content[0]))
            schema.assertValid(resource)
            checked.add(resource.tag.removeprefix(ESPI))
    assert checked == {
        "Authorization",
        "UsagePoint",
        "LocalTimeParameters",
        "MeterReading",
        "ReadingType",
        "IntervalBlock",
    }


def test_published_searchset_page() -> None:
    """The captured server page gives its five results, byte for byte, with total and next."""
    body = body_of(MEDICAL / "sekmet-searchset-page.json")
    page = read_bundle(body)
    found = list(heads(page, "Observation"))
    subject = json.loads(body)["entry"][0]["resource"]["subject"]["reference"]
    records = [observation(head, raw, subject) for head, raw in found]
    assert len(records) == 5
    assert all(isinstance(one, Record) and one.body in body and one.version for one in records)
    assert page.total == 258
    assert page.next() == "http://localhost:8090/fhir/Observation?_count=5&_offset=5"


@pytest.mark.parametrize(
    ("name", "count"),
    [("pysynthea-1.5.0-r4-transaction-413.json.gz", 258), ("pysynthea-1.5.0-ips-document.json.gz", 588)],
)
def test_published_bundles(name: str, count: int) -> None:
    """Every Observation of the published bundles is read for its own patient and refused for another."""
    document: dict[str, Any] = json.loads(body_of(MEDICAL / name))
    resources = [entry["resource"] for entry in document["entry"]]
    observations = [one for one in resources if one["resourceType"] == "Observation"]
    assert len(observations) == count
    for one in observations:
        raw = json.dumps(one).encode()
        found = observation(head_of(raw), raw, one["subject"]["reference"])
        assert isinstance(found, Record)
        assert found.at is not None
        with pytest.raises(HolderError):
            observation(head_of(raw), raw, "Patient/somebody-else")


@pytest.mark.parametrize(
    "name", ["pysynthea-1.5.0-r4-transaction-413.json.gz", "pysynthea-1.5.0-ips-document.json.gz"]
)
def test_published_bundles_are_no_searchsets(name: str) -> None:
    """A transaction or a document where a searchset is expected is refused."""
    with pytest.raises(HolderError) as refused:
        read_bundle(body_of(MEDICAL / name))
    assert refused.value.reason is Reason.CONTRACT
