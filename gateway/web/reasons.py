"""Why something is missing, in words: the citizen's choice, the holder, or the rule and its article."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.errors import Language
from gateway.policy import reasons as of_policy
from gateway.web.words import words


def reason(code: str, language: Language, params: Mapping[str, Any] | None = None) -> str:
    """The sentence of a reason code; one without a sentence is shown by its code."""
    t = words(language)
    if f"reason.{code}" in t:
        return t(f"reason.{code}")
    if code in of_policy.catalogue():
        return of_policy.text(code, language, params)
    return t("reason.other", code=code)
