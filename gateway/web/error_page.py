"""A problem as a page a person understands; and the wrapper that makes every endpoint answer so."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps

from starlette.requests import Request
from starlette.responses import Response

from gateway.errors import Problem, catalogue
from gateway.telemetry import log
from gateway.web.language import of_request, remember
from gateway.web.rendering import Renderer
from gateway.web.words import Words, words

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Action:
    """The one thing the reader can do next."""

    href: str
    label: str


def problem_page(renderer: Renderer, request: Request, problem: Problem) -> Response:
    """The page of `problem`: what happened, what to do, its code; never its private detail."""
    log.info("refused", problem=problem.code, status=problem.status, detail=problem.detail)
    language = of_request(request)
    response: Response = renderer.page(
        "message",
        language,
        status=problem.status,
        title=problem.title(language),
        hint=problem.hint(language),
        code=problem.code,
        action=_action(problem.code, request.url.path, words(language)),
    )
    if problem.retry_after is not None:
        response.headers["retry-after"] = str(problem.retry_after)
    return response


def wants_page(request: Request) -> bool:
    """Whether a browser asks: it alone names HTML first of all it takes."""
    return request.headers.get("accept", "").lstrip().startswith("text/html")


def speaking(renderer: Renderer, endpoint: Endpoint, *, secure: bool) -> Endpoint:
    """`endpoint`, whose refusals are pages and which remembers the language switched to by `?lang=`.

    Errors without a known code go on to the application.
    """

    @wraps(endpoint)
    async def answered(request: Request) -> Response:
        try:
            response = await endpoint(request)
            if "lang" in request.query_params:
                remember(response, of_request(request), secure=secure)
            return response
        except Problem as problem:
            return problem_page(renderer, request, problem)
        except Exception as error:
            if getattr(error, "code", None) not in catalogue():
                raise
            return problem_page(renderer, request, Problem.of(error))

    return answered


def _action(code: str, path: str, t: Words) -> Action | None:
    if code == "sign_in_needed":
        return Action(f"/sign-in?to={path}", t("message.sign_in"))
    if code in {"sign_in_failed", "identity_unavailable"}:
        return Action("/sign-in", t("message.sign_in"))
    if code == "signature_refused":
        return Action(path, t("message.again"))
    return None
