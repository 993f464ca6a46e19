"""What the receipts of a grant, of one use and of the ending say beside what all receipts say.

Kantara v-next: use and termination receipts. Names of things only, never a value of the citizen's data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from consent import profile
from consent.choices import field_switches, has_switch
from consent.items import Item, to_details
from consent.receipts import LANGUAGES, Facts, common, event_of, instant
from consent.text_words import words


@dataclass(frozen=True, slots=True)
class Used:
    """One released bundle, as the ledger has it. `sent` and `withheld` (field id to reason) by item."""

    bundle: str
    transfer: str
    manifest: str
    at: int
    sent: Mapping[str, Sequence[str]]
    withheld: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """How far one party is with an ending: `at` is when it acknowledged (epoch seconds), None if not yet.

    `deletion` is what is known of the deletion of the data it had: a stable word.
    """

    party: str
    role: str
    at: int | None
    deletion: str


def grant(facts: Facts, *, text_version: str, signature: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The receipt of a version in force. Raises CatalogueError for an item that is not in the catalogue.

    `signature` is what is kept of the citizen's own signature over the text, if they signed.
    """
    consent, house, terms = facts.consent, facts.house, facts.consent.terms
    return {
        **common(facts, "grant", event_of(consent, facts.move)),
        "start": terms.start.isoformat(),
        "end": terms.end.isoformat(),
        "storage": {"location": {"country": house.country}, "duration": terms.retention},
        "notice": {
            "url": f"{house.issuer}/my/consents/{consent.id}/text",
            "text_version": text_version,
            "refusal": {language: words(language)["may_refuse"] for language in LANGUAGES},
        },
        "controllers": [_holder(facts, holder) for holder in terms.holders],
        "processing": list(profile.terms()["processing"]),
        "items": [_item(item, facts) for item in terms.items],
        "signature": None if signature is None else dict(signature),
    }


def use(facts: Facts, used: Used) -> dict[str, Any]:
    """The receipt of one released bundle: what was sent to whom, what was withheld and why."""
    event = event_of(facts.consent, facts.move)
    gateway = {"by": "gateway", "entity": profile.term("entities", "gateway"), "method": "system"}
    items = sorted({*used.sent, *used.withheld})
    return {
        **common(facts, "use", {**event, **gateway, "at": instant(used.at), "why": None}),
        "bundle": {"id": used.bundle, "transfer": used.transfer, "manifest_sha256": used.manifest},
        "items": [
            {
                "item": item,
                "sent": list(used.sent.get(item, ())),
                "withheld": [
                    {"field": name, "reason": reason}
                    for name, reason in sorted(used.withheld.get(item, {}).items())
                ],
            }
            for item in items
        ],
    }


def termination(
    facts: Facts, parties: Sequence[Acknowledgement], *, completed_at: int | None = None
) -> dict[str, Any]:
    """The receipt of an ending: why, by whom, from when, and who has acknowledged it.

    `completed_at` is when a withdrawal was complete, by acknowledgement or by its deadline.
    """
    consent = facts.consent
    return {
        **common(facts, "termination", event_of(consent, facts.move)),
        "ending": {
            "reason": consent.why or consent.state.value,
            "completed_at": None if completed_at is None else instant(completed_at),
            "parties": [
                {
                    "party": one.party,
                    "role": one.role,
                    "acknowledged": None if one.at is None else instant(one.at),
                    "deletion": one.deletion,
                }
                for one in parties
            ],
        },
    }


def _holder(facts: Facts, id: str) -> dict[str, Any]:
    """A holder as a controller, reached through the gateway, which speaks for it towards the citizen."""
    return {
        "id": id,
        "name": dict(facts.wording.holders[id].name),
        "type": profile.term("entities", "holder"),
        "contact": facts.house.operator_contact,
        "address": {"country": facts.house.country},
    }


def _item(item: Item, facts: Facts) -> dict[str, Any]:
    wording, catalogue = facts.wording, facts.wording.catalogue
    dataset, holder = catalogue.dataset(item.dataset), wording.holders[item.holder]
    basis = catalogue.legal_basis(dataset.sector, max(wording.today, facts.consent.terms.start))
    (details,) = [
        one
        for holder_details in to_details(facts.consent.terms)
        if holder_details["holder"] == item.holder
        for one in holder_details["items"]
        if one["dataset"] == item.dataset
    ]
    switches = field_switches(item, catalogue)
    whole = dataset.sensitive if has_switch(item, catalogue) else None
    return {
        "holder": {"id": holder.id, "name": dict(holder.name)},
        "dataset": {"id": dataset.id, "name": dict(dataset.name)},
        "category": profile.term("categories", dataset.sector),
        "fields": [
            {
                "id": name,
                "name": dict(dataset.fields[name].name),
                **_sensitive(dataset.fields[name].sensitive if name in switches else None),
            }
            for name in item.fields
        ],
        **_sensitive(whole),
        "basis": basis.basis,
        "legal_basis": profile.term("bases", basis.basis),
        "article": basis.article,
        "terms": details,
    }


def _sensitive(kind: str | None) -> dict[str, Any]:
    """Whether something needed a switch of its own, why, and the DPV word for such data."""
    return {"sensitive": kind, "sensitivity": profile.term("sensitive", kind) if kind else None}
