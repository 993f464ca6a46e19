"""Problems as responses: JSON problem documents (RFC 9457) in the caller's language."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Match, Route

from gateway.errors import Language, Problem
from gateway.telemetry import log

_PREFERENCE = re.compile(r"\s*([A-Za-z]{2,3})[-A-Za-z0-9]*\s*(?:;\s*q=([01](?:\.\d{1,3})?))?\s*")


def language_of(request: Request) -> Language:
    """The language of an answer to this request: the better liked of Korean and English, else Korean."""
    liked: dict[str, float] = {}
    for part in request.headers.get("accept-language", "")[:200].split(","):
        if match := _PREFERENCE.fullmatch(part):
            liked.setdefault(match.group(1).lower(), float(match.group(2) or 1))
    return "en" if liked.get("en", 0) > liked.get("ko", 0) else "ko"


def headers_of(request: Request, error: Exception) -> dict[str, str]:
    """The headers an error brings along; with 405, every method of the path (RFC 9110 15.5.6).

    Several routes may share a path, and each knows its own methods only.
    """
    headers = dict(getattr(error, "headers", None) or {})
    if getattr(error, "status_code", None) == 405:
        routes = (route for route in request.app.router.routes if isinstance(route, Route))
        alike = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
        allowed = {method for route in alike for method in route.methods or ()}
        headers["Allow"] = ", ".join(sorted(allowed)) or headers.get("Allow", "")
    return headers


def problem_response(problem: Problem, language: Language) -> JSONResponse:
    """The JSON answer of a problem; its private detail goes to the log only."""
    log.info("refused", problem=problem.code, status=problem.status, detail=problem.detail)
    headers = {"Cache-Control": "no-store", "Content-Language": language}
    if problem.retry_after is not None:
        headers["Retry-After"] = str(problem.retry_after)
    return JSONResponse(
        problem.document(language),
        status_code=problem.status,
        media_type="application/problem+json",
        headers=headers,
    )
