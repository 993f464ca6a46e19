"""`/ledger/status`: how the log stands with its witnesses, for anybody, as JSON or a plain page (ko, en)."""

from __future__ import annotations

import html
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from gateway.ledger.cosigned import Seen
from gateway.ledger.witnessing import Standing, Witnessing

_SOON = {"Cache-Control": "public, max-age=1"}
_WORDS = {
    "title": ("원장과 증인", "The ledger and its witnesses"),
    "met": (
        "정해진 수의 증인이 지금의 원장을 확인했어요.",
        "As many witnesses as agreed have seen the present ledger.",
    ),
    "degraded": (
        "지금의 원장을 확인한 증인이 모자라요. 동의와 철회는 그대로 할 수 있어요.",
        "Too few witnesses have seen the present ledger. Giving and withdrawing consent still works.",
    ),
    "none": ("이 원장에는 정해진 증인이 없어요.", "This ledger has no witnesses."),
    "witness": ("증인", "Witness"),
    "size": ("확인한 기록 수", "Entries seen"),
    "at": ("마지막 확인 (UTC)", "Last seen (UTC)"),
    "why": ("이유", "Reason"),
}


async def answer(request: Request, witnessing: Witnessing | None) -> Response:
    """The standing, as a page for a browser, else as JSON."""
    standing = await witnessing.standing() if witnessing else None
    if "text/html" in request.headers.get("accept", ""):
        return HTMLResponse(_page(standing), headers=_SOON)
    return JSONResponse(as_json(standing), headers=_SOON)


def as_json(standing: Standing | None) -> dict[str, object]:
    """The standing as one object; `state` is `none`, `met` or `degraded`."""
    if standing is None:
        return {"state": "none", "witnesses": []}
    return {
        "state": "degraded" if standing.degraded else "met",
        "size": standing.size,
        "cosigned_size": standing.quorum.size,
        "missing_since": standing.quorum.missing_since,
        "witnesses": [_said(seen) for seen in standing.witnesses],
    }


def _said(seen: Seen) -> dict[str, object]:
    return {"name": seen.name, "size": seen.size, "at": seen.at or None, "reason": seen.reason}


def _page(standing: Standing | None) -> str:
    state = str(as_json(standing)["state"])
    parts = [
        f'<section lang="{code}"><h1>{_WORDS["title"][n]}</h1>\n<p>{_WORDS[state][n]}</p>\n'
        + (_table(standing, n) if standing else "")
        + "</section>\n"
        for n, code in enumerate(("ko", "en"))
    ]
    title = f"<title>{_WORDS['title'][0]}</title>"
    head = f'<!doctype html>\n<html lang="ko"><head><meta charset="utf-8">{title}</head>\n'
    return f"{head}<body>{''.join(parts)}</body></html>\n"


def _table(standing: Standing, n: int) -> str:
    heads = "".join(f"<th>{_WORDS[name][n]}</th>" for name in ("witness", "size", "at", "why"))
    rows = "".join(_row(seen) for seen in standing.witnesses)
    return f"<table><tr>{heads}</tr>\n{rows}</table>\n"


def _row(seen: Seen) -> str:
    when = datetime.fromtimestamp(seen.at, UTC).isoformat() if seen.at else "-"
    cells = (seen.name, str(seen.size), when, seen.reason or "-")
    return "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>\n"
