"""The published profile of ISO/IEC TS 27560 for consent records and receipts: context, schema, DPV terms.

The words of records and receipts are plain JSON names; the context gives each its IRI, so that the same
document reads as JSON-LD 1.1. Nothing is looked up when a receipt is verified.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import yaml

from consent.records import Consent, Move

VERSION = 2
"""Raised with every change that a reader of receipts could notice."""
PLACE = f"/profiles/consent/{VERSION}"
"""Where a gateway publishes the profile: `PLACE/context.jsonld` and `PLACE/schema.json`, for ever."""
CONTEXT, SCHEMA = f"{PLACE}/context.jsonld", f"{PLACE}/schema.json"


@cache
def read(name: str) -> bytes:
    """One published document of the profile: `context.json` or `schema.json`."""
    return resources.files("consent.profile").joinpath(name).read_bytes()


@cache
def context() -> Mapping[str, Any]:
    """The JSON-LD context: each name of a record or receipt and its IRI."""
    found: dict[str, Any] = json.loads(read("context.json"))["@context"]
    return found


@cache
def schema() -> Mapping[str, Any]:
    """The JSON Schema of receipts; `$defs` has what each kind must have."""
    found: dict[str, Any] = json.loads(read("schema.json"))
    return found


@cache
def terms() -> Mapping[str, Any]:
    """Our words as DPV IRIs, by group."""
    found: dict[str, Any] = yaml.safe_load(read("terms.yaml"))
    return found


def term(group: str, word: str) -> str:
    """The DPV IRI (compact) of `word` in `group`; the group's `any` where the vocabulary has none closer."""
    found: str = terms()[group].get(word) or terms()[group]["any"]
    return found


def status(consent: Consent, move: Move | None = None) -> str:
    """The DPV consent status of a version; a renewal is told apart where the `move` is known."""
    return str(terms()["renewed"]) if move is Move.RENEW else term("states", consent.state.value)
