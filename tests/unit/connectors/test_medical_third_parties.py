"""Clinicians' names do not travel with a patient's notes."""

from __future__ import annotations

import json

import pytest

from connectors.contract import Reason
from connectors.errors import HolderError
from connectors.sectors.medical.third_parties import without_authors


def test_the_author_of_a_note_is_taken_out() -> None:
    """Name and reference of the author go; text and time stay."""
    note = {
        "authorString": "김의사",
        "authorReference": {"reference": "Practitioner/1"},
        "text": "정상",
        "time": "2026",
    }
    body = json.dumps({"resourceType": "Observation", "note": [note]}).encode()

    assert json.loads(without_authors(body))["note"] == [{"text": "정상", "time": "2026"}]


@pytest.mark.parametrize(
    "body", [b'{"resourceType":"Observation", "id":"1"}', b'{"code":{"text":"a \\"note\\""}}']
)
def test_a_result_without_notes_stays_byte_for_byte(body: bytes) -> None:
    """Nothing is rewritten where there is nothing to take out."""
    assert without_authors(body) == body


@pytest.mark.parametrize("body", [b'{"note": "text"}', b'{"note": ["text"]}', b'{"note": [1'])
def test_notes_that_are_no_annotations_are_corrupt(body: bytes) -> None:
    """A note of another shape is refused, not passed through."""
    with pytest.raises(HolderError) as refused:
        without_authors(body)

    assert refused.value.reason is Reason.CORRUPT
