"""Whoever wrote a note is a third party: their name is not the patient's data to send (PIPA Decree 42-4)."""

from __future__ import annotations

from typing import Any

import msgspec

from connectors.contract import Reason
from connectors.errors import HolderError

AUTHORS = frozenset({"authorString", "authorReference"})

_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
_notes = msgspec.json.Decoder(list[dict[str, Any]])


def without_authors(body: bytes) -> bytes:
    """The resource with the authors of its notes taken out; one without notes stays as it is, byte for byte.

    Raises HolderError(CORRUPT) when `note` is not a list of annotations (FHIR R4 Annotation).
    """
    if b'"note"' not in body:
        return body
    try:
        resource = _decoder.decode(body)
        if "note" not in resource:
            return body
        notes = _notes.decode(resource["note"])
    except (msgspec.MsgspecError, RecursionError):
        raise HolderError(Reason.CORRUPT, "the notes of a result cannot be read") from None
    kept = [{name: value for name, value in note.items() if name not in AUTHORS} for note in notes]
    return msgspec.json.encode({**resource, "note": kept})
