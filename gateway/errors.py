"""One error tree and its only mapping to responses.

    Problem                       what any door answers instead of a result
    ├─ from code                  raised by the gateway itself
    └─ of(error)                  made from an error of a lower package by its stable `code`

Every code stands in `problems.yaml` with its status and its text in Korean and English. `detail` is
private: it goes to the log and never to a response.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any, Literal

import yaml

Language = Literal["ko", "en"]


class Problem(Exception):
    """A refusal or failure with a stable `code`; a public text by language; a private detail."""

    def __init__(
        self,
        code: str,
        *,
        detail: str = "",
        retry_after: int | None = None,
        params: dict[str, Any] | None = None,
    ) -> None:
        """Refuse with `code` (MUST stand in problems.yaml); `params` fill its public text and are public."""
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.retry_after = retry_after
        self.params = params or {}
        self._entry = catalogue()[code]

    @classmethod
    def of(cls, error: Exception) -> Problem:
        """The problem of a lower package's error: by its `code`, else `internal`."""
        code = getattr(error, "code", None)
        if isinstance(code, str) and code in catalogue():
            return cls(code, detail=str(error), params=getattr(error, "params", None))
        return cls("internal", detail=repr(error))

    @property
    def status(self) -> int:
        """The HTTP status of this problem."""
        return int(self._entry["status"])

    @property
    def oauth_error(self) -> str:
        """The RFC 6749 / 9126 / 9396 / 9449 error code an OAuth door answers with."""
        return str(self._entry.get("oauth", "invalid_request"))

    def title(self, language: Language) -> str:
        """What happened, for a person."""
        return str(self._entry[language]).format_map(_Public(self.params))

    def hint(self, language: Language) -> str:
        """What the reader can do about it; may be empty."""
        return str(self._entry.get(f"hint_{language}", "")).format_map(_Public(self.params))

    def document(self, language: Language) -> dict[str, Any]:
        """The RFC 9457 problem document."""
        return {
            "type": f"urn:mydata:problem:{self.code}",
            "title": self.title(language),
            "status": self.status,
            "code": self.code,
            **({"hint": hint} if (hint := self.hint(language)) else {}),
            **({"params": self.params} if self.params else {}),
        }


class _Public(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "-"


@cache
def catalogue() -> dict[str, dict[str, Any]]:
    """Every problem code with its status and texts, from problems.yaml."""
    text = resources.files("gateway").joinpath("problems.yaml").read_text(encoding="utf-8")
    entries: dict[str, dict[str, Any]] = yaml.safe_load(text)
    return entries
