"""How the support doors speak: `rsp_code`, `rsp_msg`, the `x-api-tran-id` given back, JSON of one shape.

Every answer of these doors has the two members, a refusal also our stable `code`. Codes of the published list
are used where one fits; all others are the HTTP status and `01`. Errors nobody foresaw are problem documents.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from consent.calendar import KST
from consent.errors import ConsentError
from gateway.access import tell
from gateway.errors import Problem
from gateway.responses import language_of

MAX_BODY = 4_096
USUAL, MOST = 100, 500
TRAN_ID = "x-api-tran-id"
DONE, DONE_WORDS = "00000", {"ko": "성공", "en": "Done"}
_CODES = {404: "40402", 429: "42901", 500: "50001", 503: "50001"}
_TRAN = re.compile(r"[A-Za-z0-9]{1,25}", re.ASCII)
_LIMIT = re.compile(r"[0-9]{1,3}", re.ASCII)

Endpoint = Callable[[Request], Awaitable[Response]]


def spoken(endpoint: Endpoint) -> Endpoint:
    """`endpoint`, its refusals told as these doors do; without a transaction id it is not asked."""

    async def answer(request: Request) -> Response:
        try:
            tran_id(request)
            return await endpoint(request)
        except Problem as problem:
            return refused(request, problem)
        except ConsentError as error:
            return refused(request, Problem.of(error))

    return answer


def tran_id(request: Request) -> str:
    """The transaction's id (AN 25), given back with the answer. Raises Problem `invalid_request`."""
    given = request.headers.getlist(TRAN_ID)
    if len(given) != 1 or _TRAN.fullmatch(given[0]) is None:
        raise wrong(TRAN_ID)
    if not getattr(request.state, "told_tran_id", False):
        tell(request.scope, TRAN_ID, given[0])
        request.state.told_tran_id = True
    return given[0]


def answered(request: Request, body: Mapping[str, Any]) -> JSONResponse:
    """The answer to what was done."""
    said = {"rsp_code": DONE, "rsp_msg": DONE_WORDS[language_of(request)]}
    return JSONResponse({**said, **body}, headers={"Cache-Control": "no-store"})


def refused(request: Request, problem: Problem) -> JSONResponse:
    """The answer to what was not done."""
    said = {
        "rsp_code": _CODES.get(problem.status, f"{problem.status}01"),
        "rsp_msg": problem.title(language_of(request))[:450],
        "code": problem.code,
        **({"params": problem.params} if problem.params else {}),
    }
    headers = {"Cache-Control": "no-store"}
    if problem.retry_after is not None:
        headers["Retry-After"] = str(problem.retry_after)
    return JSONResponse(said, status_code=problem.status, headers=headers)


async def raw(request: Request) -> bytes:
    """The body. Raises Problem `too_large`."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY:
            raise Problem("too_large")
    return body


async def members(request: Request, shapes: Mapping[str, re.Pattern[str]], needed: Collection[str]) -> Any:
    """A JSON object of strings, each of its shape. Raises Problem `invalid_request` naming the member."""
    try:
        given = json.loads(await raw(request))
    except (ValueError, RecursionError):
        raise wrong("JSON") from None
    if not isinstance(given, dict):
        raise wrong("JSON")
    if set(given) - set(shapes):
        raise wrong("an unknown member")
    for name in needed:
        if name not in given:
            raise wrong(name)
    for name, value in given.items():
        if not isinstance(value, str) or shapes[name].fullmatch(value) is None:
            raise wrong(name)
    return given


def limit_of(given: Mapping[str, str]) -> int:
    """How many lines a page holds (N 3). Raises Problem `invalid_request`."""
    text = given.get("limit", str(USUAL))
    if _LIMIT.fullmatch(text) is None or not 1 <= int(text) <= MOST:
        raise wrong("limit")
    return int(text)


def dtime(at: int) -> str:
    """A moment (epoch seconds) as DTIME: `YYYYMMDDhhmmss`, Korean time."""
    return f"{datetime.fromtimestamp(at, KST):%Y%m%d%H%M%S}"


def wrong(what: str) -> Problem:
    """The refusal that names what is wrong."""
    return Problem("invalid_request", params={"what": what})
