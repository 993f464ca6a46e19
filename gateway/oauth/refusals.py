"""How an OAuth door says no: a `Problem` that also knows its RFC 6749 error, and Authlib's errors as one."""

from __future__ import annotations

from typing import Any

from authlib.oauth2.base import OAuth2Error, invalid_error_characters

from gateway.errors import Problem


class OAuthRefusal(Problem):
    """A refusal of an OAuth door. `error` and `status` override what problems.yaml says for the code.

    `headers` go out with the response.
    """

    def __init__(
        self,
        code: str,
        *,
        error: str | None = None,
        status: int | None = None,
        headers: dict[str, str] | None = None,
        **params: Any,
    ) -> None:
        """Refuse with `code` (MUST stand in problems.yaml); `params` are public."""
        super().__init__(code, params=params)
        self._error = error
        self._status = status
        self.headers = headers or {}

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self._status or super().status

    @property
    def oauth_error(self) -> str:
        """The registered OAuth error."""
        return self._error or super().oauth_error

    def at(self, *, error: str, status: int) -> OAuthRefusal:
        """The same refusal told by another door: another OAuth error and status, same code."""
        return OAuthRefusal(self.code, error=error, status=status, **self.params)


def of_authlib(error: OAuth2Error) -> OAuthRefusal:
    """The refusal an error of Authlib's core means."""
    code = error.error if error.error in _FROM_AUTHLIB else "invalid_request"
    return OAuthRefusal(str(code), what=str(error.description or error.error))


_FROM_AUTHLIB = frozenset(
    {
        "access_denied",
        "invalid_client",
        "invalid_grant",
        "invalid_request",
        "invalid_scope",
        "unauthorized_client",
        "unsupported_grant_type",
        "unsupported_response_type",
    }
)


def error_body(problem: Problem) -> dict[str, Any]:
    """The RFC 6749 5.2 error object with our stable `code` and the public parameters."""
    described = f"{problem.title('en')} {problem.hint('en')}".strip()
    for character in invalid_error_characters(described):
        described = described.replace(character, "'" if character == '"' else "?")
    return {
        "error": problem.oauth_error,
        "error_description": described,
        "code": problem.code,
        **({"params": problem.params} if problem.params else {}),
    }
