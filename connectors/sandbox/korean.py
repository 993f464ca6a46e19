"""What Korean MyData holders have in common on the wire: headers, result codes, limits, opaque pages."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from connectors.sandbox.consents import Grant
from connectors.sandbox.holder import SandboxHolder
from connectors.sandbox.refused import Refused

LARGEST_LIMIT = 500
TYPES = frozenset({"", "scheduled", "user-consent", "user-refresh", "user-search"})
MESSAGES = {
    "00000": "성공",
    "40001": "요청 파라미터 오류",
    "40106": "전송요구 종료시점 경과",
    "40305": "유효하지 않은 계좌",
    "40404": "전송요구 철회",
    "42901": "정보제공 요청한도 초과",
    "50001": "시스템 장애",
}
CODES = {"consent_withdrawn": "40404", "consent_expired": "40106", "foreign_account": "40305"}
"""Refusals this wire answers with a result code under HTTP 200."""
_encoder = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class Call:
    """One authenticated call: the grant it rests on and its parameters, from the query or the JSON body."""

    request: Request
    grant: Grant
    given: Mapping[str, Any]

    def text(self, name: str) -> str:
        """A parameter that MUST be there."""
        value = self.given.get(name)
        if not isinstance(value, str) or not 0 < len(value) <= 1000:
            raise Refused(400, "invalid_request", f"parameter_{name}")
        return value


class KoreanDoor:
    """The checks and the answers of one holder's Korean MyData doors."""

    def __init__(self, holder: SandboxHolder) -> None:
        """Speak for `holder`."""
        self._holder = holder
        self._config = holder.config

    async def call(self, request: Request, *datasets: str, listing: bool = False) -> Call:
        """Authenticate and read the parameters; raises Refused. `listing`: a list of accounts."""
        grant = self._holder.authenticate(request, *datasets, listing=listing)
        if len(request.headers.get("x-api-tran-id", "")) != 25:
            raise Refused(400, "invalid_request", "x-api-tran-id")
        if request.headers.get("x-api-type", "") not in TYPES:
            raise Refused(400, "invalid_request", "x-api-type")
        given: Mapping[str, Any] = request.query_params
        if request.method == "POST":
            try:
                given = msgspec.json.decode(await request.body(), type=dict[str, Any])
            except msgspec.MsgspecError:
                raise Refused(400, "invalid_request", "body") from None
        if given.get("org_code") != self._config.org_code:
            raise Refused(400, "invalid_request", "parameter_org_code")
        return Call(request, grant, given)

    def answer(self, call: Call, body: Mapping[str, Any]) -> Response:
        """A good answer."""
        return _response(call.request, 200, "00000", body)

    def page(self, call: Call, name: str, rows: Sequence[Mapping[str, Any]], bound: str) -> Response:
        """One page of `rows` as `NAME_list`; the cursor only fits the same person and the same `bound`."""
        key = f"{call.grant.link}|{name}|{bound}"
        start = self._offset(call.given.get("next_page"), key)
        end = start + min(_limit(call.given.get("limit")), self._config.page_size)
        part = list(rows[start:end])
        body: dict[str, Any] = {f"{name}_cnt": len(part), f"{name}_list": part}
        if end < len(rows):
            body["next_page"] = self._cursor(end, key)
        return self.answer(call, body)

    def _cursor(self, offset: int, key: str) -> str:
        tag = hmac.digest(self._config.secret, f"{key}|{offset}".encode(), hashlib.sha256)[:12]
        return base64.urlsafe_b64encode(tag + offset.to_bytes(6)).decode()

    def _offset(self, cursor: object, key: str) -> int:
        if cursor is None:
            return 0
        try:
            raw = base64.b64decode(str(cursor), altchars=b"-_", validate=True)
        except ValueError:
            raw = b""
        offset = int.from_bytes(raw[12:])
        if len(raw) != 18 or not hmac.compare_digest(self._cursor(offset, key), str(cursor)):
            raise Refused(400, "invalid_request", "parameter_next_page")
        return offset


def korean_answer(request: Request, error: Exception) -> Response:
    """A refusal of a data door: a result code under 200 where the standard has one, else the HTTP status."""
    if not isinstance(error, Refused):
        raise error
    if error.reason in CODES:
        return _response(request, 200, CODES[error.reason], {})
    code = "40001" if error.status == 400 else f"{error.status}99"
    said = {"error": error.error, "reason": error.reason}
    response = _response(request, error.status, code, said)
    response.headers.update(error.headers)
    return response


def _response(request: Request, status: int, code: str, body: Mapping[str, Any]) -> Response:
    whole = {"rsp_code": code, "rsp_msg": MESSAGES.get(code, "오류"), **body}
    echoed = request.headers.get("x-api-tran-id", "")
    headers = {"x-api-tran-id": echoed, "cache-control": "no-store"} if echoed else {}
    return Response(_encoder.encode(whole), status, headers, "application/json; charset=UTF-8")


def _limit(value: object) -> int:
    text = str(value)
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= LARGEST_LIMIT:
        raise Refused(400, "invalid_request", "parameter_limit")
    return int(text)
