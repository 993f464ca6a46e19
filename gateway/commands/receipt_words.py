"""A verified receipt as a person reads it, in its own language."""

from __future__ import annotations

from typing import Any

from consent import exporting

_KINDS = {"grant": "what was agreed", "use": "what was sent", "termination": "how it ended"}


def lines(payload: dict[str, Any], ledger_checked: bool) -> list[str]:
    """The lines of a receipt that `consent.receipt_verify` let through."""
    if payload["schema"] == exporting.SCHEMA:
        return _export(payload, ledger_checked)
    say = payload["language"]
    consent, recipient = payload["consent"], payload["recipient"]
    said = [
        f"Receipt {payload['id']} ({_KINDS[payload['kind']]}), verified",
        f"  from      {payload['issuer']}, {payload['issued_at']}",
        f"  to        {recipient['name'].get(say, '')} ({recipient['id']}) {recipient['contact']}",
        f"  purpose   {payload['purpose']['name'].get(say, '')} ({payload['purpose']['id']})",
        f"  consent   {consent['id']} version {consent['version']}, text {consent['text_sha256'][:16]}...",
        f"  event     {payload['event']['state']} by {payload['event']['by']}, {payload['event']['at']}",
        f"  manage    {payload['rights']['review_url']}",
        *_OF[payload["kind"]](payload, say),
    ]
    if payload["opening"] is None:
        said.append("  opening   not in this copy: the ledger is held against party, kind and time only")
    place = f"entry {payload['ledger']['index']} stands"
    return [*said, *_ledger(place, ledger_checked)]


def _export(payload: dict[str, Any], ledger_checked: bool) -> list[str]:
    said = [
        f"Export of {payload['issuer']}, {payload['issued_at']}, verified",
        f"  holds     {len(payload['consents'])} consents, {len(payload['texts'])} texts, "
        f"{len(payload['receipts'])} receipts",
        *(f"  more      older receipts of {id} are not in it" for id in payload["receipts_left_out"]),
        *(f"  consent   {one['id']} {one['state']}" for one in payload["consents"]),
    ]
    return [*said, *_ledger("every receipt's entry stands", ledger_checked)]


def _ledger(what: str, checked: bool) -> list[str]:
    if not checked:
        return ["  ledger    NOT checked: give --ledger-key to check that the log holds this"]
    return [
        f"  ledger    {what} in the log under the signed checkpoint",
        "            (integrity only: a log nobody else watches could have been rewritten)",
    ]


def _grant(payload: dict[str, Any], say: str) -> list[str]:
    kept = payload["storage"]["duration"]
    said = [f"  from-to   {payload['start']} - {payload['end']}, kept {kept}"]
    for item in payload["items"]:
        fields = ", ".join(field["name"].get(say, field["id"]) for field in item["fields"])
        names = f"{item['holder']['name'].get(say, '')} · {item['dataset']['name'].get(say, '')}"
        said.append(f"  item      {names} ({item['terms']['frequency']}): {fields}")
    if payload["signature"] is not None:
        said.append(f"  signed    by the citizen, {payload['signature']['at']}")
    return said


def _use(payload: dict[str, Any], _say: str) -> list[str]:
    said = [f"  bundle    {payload['bundle']['id']}, manifest {payload['bundle']['manifest_sha256'][:23]}..."]
    for item in payload["items"]:
        said.append(f"  sent      {item['item']}: {', '.join(item['sent']) or 'nothing'}")
        said += [f"  withheld  {item['item']}: {one['field']} ({one['reason']})" for one in item["withheld"]]
    return said


def _termination(payload: dict[str, Any], _say: str) -> list[str]:
    ending = payload["ending"]
    complete = ending["completed_at"] or "open while parties have not acknowledged"
    said = [f"  reason    {ending['reason']}", f"  complete  {complete}"]
    for one in ending["parties"]:
        heard = one["acknowledged"] or "not yet"
        said.append(
            f"  party     {one['party']} ({one['role']}): acknowledged {heard}, deletion {one['deletion']}"
        )
    return said


_OF = {"grant": _grant, "use": _use, "termination": _termination}
