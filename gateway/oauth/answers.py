"""What Authlib's core answers, before it is a response, and how it becomes one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.responses import Response

from gateway.errors import Problem
from gateway.oauth.refusals import error_body

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


@dataclass(slots=True)
class Answer:
    """Status, body and headers; `location` is where a browser is sent (RFC 9207 adds `iss` to it).

    The body is sent as JSON, or as it is when it is bytes of `media_type`.
    """

    status: int
    body: Any = field(default=None, repr=False)
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    media_type: str = "application/json"

    @property
    def location(self) -> str | None:
        """The Location header."""
        return self.headers.get("Location")

    @location.setter
    def location(self, value: str) -> None:
        self.headers["Location"] = value

    def response(self) -> Response:
        """The HTTP response; never cached. A redirect is 303, so no form is sent on (FAPI 2.0 5.3.2.2-11)."""
        headers = {**self.headers, **NO_STORE}
        if self.location is not None:
            return Response(status_code=303, headers={**headers, "Referrer-Policy": "no-referrer"})
        if self.body is None:
            return Response(status_code=self.status, headers=headers)
        body = self.body if isinstance(self.body, bytes) else orjson.dumps(self.body)
        return Response(body, self.status, headers, media_type=self.media_type)


def refused(problem: Problem) -> Response:
    """The RFC 6749 5.2 error response of a problem."""
    headers = {**NO_STORE, **getattr(problem, "headers", {})}
    if problem.retry_after is not None:
        headers["Retry-After"] = str(problem.retry_after)
    return Response(orjson.dumps(error_body(problem)), problem.status, headers, media_type="application/json")
