"""How a sandbox holder refuses: one exception, OAuth words, RFC 6750 header."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response


class Refused(Exception):
    """This holder says no. `error` is the OAuth word, `reason` the exact cause, both fixed lists."""

    def __init__(self, status: int, error: str, reason: str) -> None:
        """Refuse with an HTTP status, an OAuth error code and a reason code."""
        super().__init__(f"{error}: {reason}")
        self.status = status
        self.error = error
        self.reason = reason

    @property
    def headers(self) -> dict[str, str]:
        """RFC 6750 3: a 401 names its scheme."""
        return {"www-authenticate": f'Bearer error="{self.error}"'} if self.status == 401 else {}


def oauth_answer(_request: Request, error: Exception) -> Response:
    """The JSON answer of a door that speaks OAuth."""
    if not isinstance(error, Refused):
        raise error
    body = {"error": error.error, "reason": error.reason}
    return JSONResponse(body, error.status, headers={**error.headers, "cache-control": "no-store"})
