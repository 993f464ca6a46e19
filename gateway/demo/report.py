"""What came of it: a table for people, one JSON object for machines."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

from gateway.demo.participants import HOLDERS
from gateway.demo.story import Cast

_HOLDER_NAMES = {holder["id"]: holder["name"]["ko"] for holder in HOLDERS.values()}


def result(cast: Cast) -> dict[str, Any]:
    """Everything as one JSON object."""
    story, manifest = cast.story, cast.story.facts.get("manifest", {})
    return {
        "held": story.held,
        "checks": [{"claim": c.claim, "held": c.held, "detail": c.detail} for c in story.checks],
        "items": _items(cast),
        "bundle": {
            "id": manifest.get("id"),
            "bytes": len(cast.sealed),
            "records": manifest.get("risk", {}).get("records"),
            "stamp": manifest.get("stamp"),
        },
        "policy": {
            name: cast.story.facts.get("decision", {}).get(name) for name in ("engine", "revision", "id")
        },
        "ledger": {**story.facts.get("ledger", {}), "key": story.facts.get("vkey")},
        "seconds": story.seconds,
    }


def table(cast: Cast) -> str:
    """The result as a person reads it."""
    said = result(cast)
    rows = [("HOLDER", "ITEM", "ASKED", "AGREED", "SENT", "RECORDS", "WITHHELD AND WHY")]
    for item in said["items"]:
        rows.append(
            (
                item["holder"],
                item["dataset"],
                str(len(item["asked"])),
                str(len(item["consented"])),
                str(len(item["sent"])),
                str(item["records"]),
                item["why"] or "-",
            )
        )
    lines = ["", *_aligned(rows), ""]
    held = sum(check["held"] for check in said["checks"])
    lines += [
        f"bundle   {said['bundle']['id']}: {said['bundle']['bytes']} bytes sealed, "
        f"{said['bundle']['records']} records, stamped {said['bundle']['stamp']}",
        f"policy   {said['policy']['engine']}, revision {str(said['policy']['revision'])[:23]}…",
        f"ledger   {said['ledger'].get('size')} entries, root {said['ledger'].get('root')}",
        f"seconds  {', '.join(f'{v:.1f} {_short(k)}' for k, v in said['seconds'].items())}",
        f"checks   {held} of {len(said['checks'])} held",
    ]
    lines += [f"  ✗ {check['claim']} ({check['detail']})" for check in said["checks"] if not check["held"]]
    return "\n".join(lines)


def _items(cast: Cast) -> list[dict[str, Any]]:
    manifest = cast.story.facts.get("manifest", {})
    records = {f"{s['holder']}/{s['dataset']}": s["records"] for s in manifest.get("sources", [])}
    rows = []
    for scope in manifest.get("scope", []):
        holder, dataset = scope["item"].split("/", 1)
        rows.append(
            {
                "holder": _HOLDER_NAMES.get(holder, holder),
                "dataset": dataset,
                "asked": scope["asked"],
                "consented": scope["consented"],
                "sent": scope["sent"],
                "records": records.get(scope["item"], 0),
                "withheld": scope["withheld"],
                "why": _why(scope["withheld"]),
            }
        )
    return rows


def _why(withheld: list[dict[str, Any]]) -> str:
    by_reason: dict[tuple[str, str], list[str]] = {}
    for one in withheld:
        by_reason.setdefault((one["reason"], one.get("article", "")), []).append(one["field"])
    said = []
    for (reason, article), fields in by_reason.items():
        what = "all" if len(fields) == len(withheld) and len(fields) > 2 else ", ".join(fields)
        said.append(f"{what}: {reason}" + (f" [{article}]" if article else ""))
    return "; ".join(said)


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Columns of equal width; Hangul takes two places in a terminal."""
    widths = [max(_width(row[at]) for row in rows) for at in range(len(rows[0]) - 1)]
    return [
        "  ".join([*(_padded(row[at], width) for at, width in enumerate(widths)), row[-1]]) for row in rows
    ]


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _short(step: str) -> str:
    return step.split(":")[0].removeprefix("The ")[:44]
