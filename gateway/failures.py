"""The one place where an error that reaches the top becomes a problem document, or a page for a browser."""

from __future__ import annotations

from collections.abc import Iterator

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route, Router
from starlette.status import HTTP_405_METHOD_NOT_ALLOWED

from gateway.access import GONE
from gateway.errors import Problem, catalogue
from gateway.responses import headers_of, language_of, problem_response
from gateway.telemetry import log
from gateway.web.error_page import problem_page, wants_page
from gateway.web.rendering import Renderer

_STATUS_CODES = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}


async def answer_error(request: Request, error: Exception) -> Response:
    """One place turns every error that reaches the top into a problem document, or a page for a browser."""
    response = _told(request, _problem(error))
    for name, value in headers_of(request, error).items():
        response.headers[name] = value
    if isinstance(error, HTTPException) and error.status_code == HTTP_405_METHOD_NOT_ALLOWED:
        response.headers["allow"] = ", ".join(sorted(_methods(request)))
    return response


async def caller_gone(_request: Request, _error: Exception) -> Response:
    """A caller that hangs up while it asks is no failure of ours: nothing was done, nothing is said."""
    return Response(status_code=GONE)


def _methods(request: Request) -> set[str]:
    """Every method of every door at this address (RFC 9110 10.2.1): one address may have several doors."""
    here = (
        route for route in _doors(request.app.router) if route.matches(request.scope)[0] is not Match.NONE
    )
    return {method for route in here for method in route.methods or ()}


def _doors(router: Router) -> Iterator[Route]:
    """The routes of a router and of those included in it."""
    for route in router.routes:
        if isinstance(route, Route):
            yield route
        elif isinstance(inner := getattr(route, "original_router", None), Router):
            yield from _doors(inner)


def _told(request: Request, problem: Problem) -> Response:
    pages: Renderer | None = getattr(request.app.state, "pages", None)
    if pages is not None and wants_page(request):
        return problem_page(pages, request, problem)
    return problem_response(problem, language_of(request))


def _problem(error: Exception) -> Problem:
    if isinstance(error, Problem):
        return error
    if isinstance(error, HTTPException):
        return Problem(_STATUS_CODES.get(error.status_code, "invalid_request"), detail=str(error.detail))
    if getattr(error, "code", None) in catalogue():
        return Problem.of(error)
    log.error("unforeseen", error=type(error).__name__, exc_info=error)
    return Problem("internal", detail=type(error).__name__)


async def refuse_cross_origin(request: Request, problem: Problem) -> Response:
    """Told like every other problem."""
    return _told(request, problem)
