"""FHIR searchsets: bytes kept, other people refused, every odd entry named."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from connectors.contract import Gap, Page, Reason, Record, Tombstone
from connectors.errors import HolderError
from connectors.sectors.medical.bundle import heads, observation, read_bundle
from connectors.sectors.medical.connector import check
from tests.unit.connectors.scripted import ORIGIN, ScriptedIo, pulled, sealed

DATASET = "medical.observations"
SPAN = {"since": date(2026, 11, 1), "until": date(2026, 11, 20)}


def result(name: str = "o1", **changes: Any) -> dict[str, Any]:
    """An Observation of patient p."""
    made = {
        "resourceType": "Observation",
        "id": name,
        "meta": {"versionId": "1", "lastUpdated": "2026-11-10T01:00:00Z"},
        "status": "final",
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": "2026-11-10T09:00:00+09:00",
    } | changes
    return {name: value for name, value in made.items() if value is not None}


def bundle(*resources: dict[str, Any], mode: str | None = "match", **changes: Any) -> bytes:
    """A searchset."""
    search = {"search": {"mode": mode}} if mode else {}
    made = {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": one, **search} for one in resources],
    } | changes
    return json.dumps(made).encode()


PATIENT = bundle({"resourceType": "Patient", "id": "p"})


def script(*pages: bytes, patient: bytes = PATIENT) -> ScriptedIo:
    """A holder with these pages."""
    return ScriptedIo({"/fhir/Patient": [patient], "/fhir/Observation": list(pages)})


async def test_bodies_are_the_bytes_that_came() -> None:
    """Spacing, order, number format and unknown elements of a resource are untouched."""
    raw = (
        b'{ "resourceType":"Observation", "id":"o1","subject":{"reference":"Patient/p"},\n'
        b'"effectiveDateTime":"2026-11-10","valueQuantity":{"value":5.10},"x":"\\ud55c"}'
    )
    page = b'{"resourceType":"Bundle","type":"searchset","entry":[{"resource":' + raw + b"}]}"
    events = await pulled("medical", DATASET, script(page), **SPAN)
    assert [event.body for event in events if isinstance(event, Record)] == [raw]
    assert sealed(events)


async def test_question_and_pages() -> None:
    """The patient, the first day, the order and the size are asked; next is followed as given."""
    onward = [
        {"relation": "self", "url": "x"},
        {"relation": "next", "url": f"{ORIGIN}/fhir/Observation?_page=2"},
    ]
    io = script(bundle(result("o1"), link=onward), bundle(result("o2")))
    events = await pulled("medical", DATASET, io, **SPAN)
    assert [event.key for event in events if isinstance(event, Record)] == ["o1", "o2"]
    assert io.asked[1][1] == {
        "patient": "Patient/p",
        "date": "ge2026-11-01",
        "_sort": "date",
        "_count": "100",
    }
    assert io.asked[2] == (f"{ORIGIN}/fhir/Observation?_page=2", {})


async def test_includes_and_warnings_are_passed_over() -> None:
    """Included resources and informational outcomes are no records; a match without mode is one."""
    included = {"resourceType": "Practitioner", "id": "d1"}
    said = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "processing"}]}
    entries = [
        {"resource": included, "search": {"mode": "include"}},
        {"resource": said, "search": {"mode": "outcome"}},
        {"resource": result()},
        {"fullUrl": "urn:x"},
    ]
    events = await pulled("medical", DATASET, script(bundle(entry=entries)), **SPAN)
    assert [type(event).__name__ for event in events] == ["Record", "Checkpoint"]


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (bundle(result(subject={"reference": "Patient/q"})), Reason.CONTRACT),
        (bundle(result(subject={"reference": "Patient/pp"})), Reason.CONTRACT),
        (bundle(result(subject={"reference": "Group/p"})), Reason.CONTRACT),
        (bundle(result(subject=None)), Reason.CONTRACT),
        (bundle(result(resourceType="Condition")), Reason.CONTRACT),
        (bundle(result(id="")), Reason.CONTRACT),
        (bundle(result(), type="transaction"), Reason.CONTRACT),
        (b'{"resourceType":"OperationOutcome","issue":[]}', Reason.CONTRACT),
        (
            bundle({"resourceType": "OperationOutcome", "issue": [{"severity": "error"}]}, mode="outcome"),
            Reason.CONTRACT,
        ),
        (bundle(result(effectiveDateTime="yesterday")), Reason.CORRUPT),
        (bundle({"id": "o1"}), Reason.CORRUPT),
        (bundle(result(status=7)), Reason.CORRUPT),
        (b"", Reason.CORRUPT),
        (b"<html></html>", Reason.CORRUPT),
        (b'{"resourceType":"Bundle","type":"searchset","entry":[', Reason.CORRUPT),
        (
            b'{"resourceType":"Bundle","type":"searchset","entry":[{"resource":{"id":"\xff"}}]}',
            Reason.CORRUPT,
        ),
        (b"[" * 100_000, Reason.CORRUPT),
        (bundle(result(), total=3), Reason.CORRUPT),
        (bundle(link=[{"relation": "next", "url": "https://other.example/x"}]), Reason.FOREIGN_NEXT),
        (bundle(link=[{"relation": "next", "url": "http://localhost:8090/fhir/x"}]), Reason.FOREIGN_NEXT),
        (bundle(link=[{"relation": "next", "url": "a"}, {"relation": "next", "url": "b"}]), Reason.CORRUPT),
        (bundle(link=[{"relation": "next", "url": "/fhir/Observation"}]), Reason.CORRUPT),
    ],
)
async def test_bad_pages_are_refused(page: bytes, reason: Reason) -> None:
    """Somebody else's result, another resource, a broken or lying page: each has its reason."""
    with pytest.raises(HolderError) as refused:
        await pulled("medical", DATASET, script(page), **SPAN)
    assert refused.value.reason is reason


@pytest.mark.parametrize("count", [0, 2])
async def test_token_must_stand_for_one_patient(count: int) -> None:
    """No patient, or two, and nothing is asked for."""
    several = bundle(*({"resourceType": "Patient", "id": f"p{n}"} for n in range(count)))
    io = script(patient=several)
    with pytest.raises(HolderError) as refused:
        await pulled("medical", DATASET, io, **SPAN)
    assert refused.value.reason is Reason.CONTRACT
    assert len(io.asked) == 1


async def test_days_are_korean_and_undated_results_are_a_gap() -> None:
    """The span is of Korean days; a result without any time is left out and said."""
    page = bundle(
        result("early", effectiveDateTime="2026-10-31T14:59:59Z"),
        result("first", effectiveDateTime="2026-10-31T15:00:00Z"),
        result("last", effectiveDateTime="2026-11-20T23:59:59+09:00"),
        result("late", effectiveDateTime="2026-11-21T00:00:00+09:00"),
        result("period", effectiveDateTime=None, effectivePeriod={"start": "2026-11"}),
        result("undated", effectiveDateTime=None),
    )
    events = await pulled("medical", DATASET, script(page), **SPAN)
    assert [event.key for event in events if isinstance(event, Record)] == ["first", "last", "period"]
    assert [event.reason for event in events if isinstance(event, Gap)] == [Reason.CONTRACT]


def test_entered_in_error_is_a_tombstone() -> None:
    """A result its maker took back deletes what came before under its id."""
    page = read_bundle(bundle(result(status="entered-in-error")))
    ((head, body),) = heads(page, "Observation")
    assert observation(head, body, "Patient/p") == Tombstone("o1")


@pytest.mark.parametrize(
    "reference", ["Patient/p", "https://holder.example/fhir/Patient/p", "Patient/p/_history/3"]
)
def test_forms_of_a_reference(reference: str) -> None:
    """Relative, absolute and versioned references to the patient are the patient."""
    ((head, body),) = heads(read_bundle(bundle(result(subject={"reference": reference}))), "Observation")
    assert isinstance(observation(head, body, "Patient/p"), Record)


def test_versions_sort_as_text() -> None:
    """Later changes have greater versions, whatever zone or number they were written in."""

    def version(meta: dict[str, str]) -> str:
        ((head, body),) = heads(read_bundle(bundle(result(meta=meta))), "Observation")
        found = observation(head, body, "Patient/p")
        assert isinstance(found, Record)
        return found.version or ""

    assert version({"lastUpdated": "2026-11-10T09:00:00+09:00"}) < version(
        {"lastUpdated": "2026-11-10T00:30:00Z"}
    )
    assert version({"versionId": "9"}) < version({"versionId": "10"})


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (403, {"issue": [{"details": {"coding": [{"code": "consent_withdrawn"}]}}]}, Reason.REVOKED),
        (404, {"issue": [{"details": {"coding": [{"code": "unknown_dataset"}]}}]}, Reason.UNKNOWN_DATASET),
        (403, {"issue": [{"code": "forbidden"}]}, None),
        (403, {"issue": "x"}, None),
        (200, {"issue": [{"details": {"coding": [{"code": "consent_withdrawn"}]}}]}, None),
    ],
)
def test_operation_outcome_names_the_reason(status: int, body: dict[str, Any], reason: Reason | None) -> None:
    """Of a refusal the outcome says why; anything else is left to the status."""
    page = Page(ORIGIN, json.dumps(body).encode(), {})
    if reason is None:
        check(status, page)
        return
    with pytest.raises(HolderError) as refused:
        check(status, page)
    assert refused.value.reason is reason
