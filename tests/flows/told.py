"""What a refusal must be: a stable code, the right status, and clear words in both languages."""

from __future__ import annotations

import re
from typing import Any, cast

import httpx

from gateway.demo.browser import Page
from gateway.errors import Language, Problem, catalogue

HANGUL = re.compile(r"[가-힣]{2,}")


def understood(code: str, params: dict[str, Any] | None = None) -> None:
    """The words of `code`, filled with `params`, are whole sentences in Korean and in English."""
    problem = Problem(code, params=params)
    korean, english = problem.title("ko"), problem.title("en")
    assert re.search(r"요[.(]", korean), korean
    assert HANGUL.search(korean), korean
    assert not HANGUL.search(english), english
    assert len(english.split()) >= 3, english
    for words in (korean, english, problem.hint("ko"), problem.hint("en")):
        assert "{" not in words, words
        assert words.strip() != "-", f"{code}: nothing fills its hint"


def told(response: httpx.Response, code: str, status: int) -> dict[str, Any]:
    """The body of a JSON refusal, after checking everything a caller may rely on."""
    body: dict[str, Any] = response.json()
    assert (response.status_code, body["code"]) == (status, code), body
    assert response.headers["cache-control"] == "no-store"
    understood(code, body.get("params"))
    if "error" in body:
        assert body["error"] == body["error"].lower()
        assert body["error_description"].isascii()
        return body
    language = cast(Language, response.headers["content-language"])
    assert response.headers["content-type"].startswith("application/problem+json")
    assert body["type"] == f"urn:mydata:problem:{code}"
    assert body["status"] == response.status_code
    assert body["title"] == Problem(code, params=body.get("params")).title(language)
    return body


def shown(page: Page, code: str, status: int, language: Language = "ko") -> None:
    """The page a browser shows instead says what happened in its language, and its code."""
    assert page.status == status, (page.status, page.words[:300])
    assert code in page.text
    understood(code)
    assert str(catalogue()[code][language]).split(".")[0][:20] in page.words, page.words[:300]
    assert f'lang="{language}"' in page.text
