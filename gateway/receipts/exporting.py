"""All consents of one citizen as files: JSON-LD with texts and receipts, and FHIR for the medical ones."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from consent import exporting, fhir, repository
from consent.changes import Step
from consent.receipts import Evidence, Facts
from consent.records import PENDING, Consent
from consent.subjects import SubjectId
from consent.text import ShownText
from gateway.errors import Problem
from gateway.receipts import signed
from gateway.receipts.issuing import Receipts
from gateway.receipts.listing import listed

_MANY = 100
MOST_RECEIPTS = 20
"""How many receipts of one consent an export holds; its file names the consents that have more."""
_NO_EVIDENCE = Evidence(b"", 0, (), "", None, b"")


@dataclass(frozen=True, slots=True)
class _Whole:
    """One consent with all that is told of it."""

    consent: Consent
    steps: list[Step]
    text: ShownText | None


async def export(made: Receipts, subject: SubjectId) -> bytes:
    """The signed JSON-LD file of everything `subject` was asked, agreed to, refused and ended.

    Raises Problem `ledger_timeout` while the log lags. MUST NOT be called inside a transaction.
    """
    records: list[dict[str, Any]] = []
    texts: dict[str, ShownText] = {}
    receipts: dict[str, bytes] = {}
    left_out: list[str] = []
    for whole in await _every(made, subject):
        facts = await _facts(made, whole)
        version = whole.text.version if whole.text else ""
        async with made.database.reading() as session:
            own = [await signed.kept(session, made.journal, one.after) for one in whole.steps]
            told = [one.whole() for one in own if one is not None]
            records.append(exporting.record(facts, whole.steps, version, told))
            found = await listed(session, whole.consent, limit=MOST_RECEIPTS + 1)
            for one in whole.steps:
                if one.after.text_hash not in texts:
                    shown = await repository.text_shown(session, one.after.text_hash)
                    texts |= {shown.hash: shown} if shown else {}
        left_out += [whole.consent.id] if len(found) > MOST_RECEIPTS else []
        for entry in found[:MOST_RECEIPTS]:
            receipts[entry.id] = await made.part(whole.consent, entry.part)
    now = int(made.clock().timestamp())
    document = exporting.document(made.house.issuer, now, records, list(texts.values()), receipts, left_out)
    return await asyncio.to_thread(exporting.sign, document, made.sign)


async def export_fhir(made: Receipts, subject: SubjectId) -> bytes:
    """The medical consents of `subject` as a FHIR R4 Bundle."""
    found = []
    for whole in await _every(made, subject):
        resource = fhir.resource(await _facts(made, whole), whole.text)
        found += [] if resource is None else [resource]
    return orjson.dumps(fhir.bundle(found, int(made.clock().timestamp())), option=orjson.OPT_INDENT_2)


async def _facts(made: Receipts, whole: _Whole) -> Facts:
    step = whole.steps[-1]
    return await made.facts(step, str(whole.consent.version), _NO_EVIDENCE)


async def _every(made: Receipts, subject: SubjectId) -> list[_Whole]:
    """Every answered consent of the citizen, newest first."""
    found: list[_Whole] = []
    before: tuple[int, str] | None = None
    while True:
        async with made.database.reading() as session:
            page = await repository.of_subject(session, subject, limit=_MANY, before=before)
            found += [await _whole(session, one) for one in page if one.state not in PENDING]
        if len(page) < _MANY:
            return found
        before = (page[-1].created_at, page[-1].id)


async def _whole(session: AsyncSession, consent: Consent) -> _Whole:
    steps = await repository.steps_of(session, consent)
    if not steps:
        raise Problem("not_found")
    return _Whole(steps[-1].after, steps, await repository.text_shown(session, consent.text_hash))
