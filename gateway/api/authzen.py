"""The AuthZEN 1.0 doors: `POST /access/v1/evaluation`, `/access/v1/evaluations`, and their metadata."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.access import tell
from gateway.errors import Problem
from gateway.policy.authzen import Decide, evaluate_all, read
from gateway.policy.errors import QuestionInvalid

MAX_BODY = 64 * 1024
EVALUATION = "/access/v1/evaluation"
EVALUATIONS = "/access/v1/evaluations"
METADATA = "/.well-known/authzen-configuration"

Authenticate = Callable[[Request], Awaitable[Decide]]
"""Who asks, as the function that answers them. Raises Problem when they may not ask."""


def routes(origin: str, authenticate: Authenticate) -> list[Route]:
    """The doors at `origin`. A caller's X-Request-ID comes back in the answer."""

    async def evaluation(request: Request) -> Response:
        decide = await _asked(request, authenticate)
        try:
            return JSONResponse((await decide(read(await _body(request)))).document())
        except QuestionInvalid as error:
            raise _malformed(error) from error

    async def evaluations(request: Request) -> Response:
        decide = await _asked(request, authenticate)
        try:
            return JSONResponse(await evaluate_all(await _body(request), decide))
        except QuestionInvalid as error:
            raise _malformed(error) from error

    async def metadata(_request: Request) -> Response:
        return JSONResponse(document(origin))

    return [
        Route(EVALUATION, evaluation, methods=["POST"]),
        Route(EVALUATIONS, evaluations, methods=["POST"]),
        Route(METADATA, metadata, methods=["GET"]),
    ]


def document(origin: str) -> dict[str, Any]:
    """The metadata (AuthZEN 1.0, 9): where this decision point answers."""
    return {
        "policy_decision_point": origin,
        "access_evaluation_endpoint": f"{origin}{EVALUATION}",
        "access_evaluations_endpoint": f"{origin}{EVALUATIONS}",
    }


async def _asked(request: Request, authenticate: Authenticate) -> Decide:
    named = request.headers.get("x-request-id", "")
    if 0 < len(named) <= 128 and named.isascii() and named.isprintable():
        tell(request.scope, "x-request-id", named)
    return await authenticate(request)


async def _body(request: Request) -> bytes:
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        raise Problem("invalid_request", params={"what": "content-type must be application/json"})
    raw = b""
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > MAX_BODY:
            raise Problem("too_large")
    return raw


def _malformed(error: QuestionInvalid) -> Problem:
    return Problem("invalid_request", params={"what": "subject, action, resource"}, detail=str(error))
