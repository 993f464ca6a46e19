"""The sign-in page: a plain HTML form that lists the sandbox people. No script, no picture, no cookie."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterable
from datetime import date
from html import escape
from urllib.parse import urlsplit

from starlette.responses import HTMLResponse, Response

from connectors.sandbox.people import Citizen

STYLE = (
    "body{font:1rem/1.6 system-ui,sans-serif;margin:0 auto;max-width:34rem;padding:1rem;color:#1d1d1f}"
    "p.mark{background:#fff4d6;border-left:.3rem solid #b26a00;padding:.7rem}"
    "ul{list-style:none;padding:0}li{margin:.5rem 0}"
    "button{font:inherit;width:100%;min-height:3rem;text-align:left;padding:.6rem;border:1px solid #767676;"
    "border-radius:.5rem;background:#fff;overflow-wrap:anywhere}"
    "button:focus-visible{outline:.2rem solid #0b50d0}small{color:#4a4a4a}"
)
STYLE_HASH = b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()

WORDS = {
    "ko": {
        "title": "체험용 본인 확인",
        "mark": "체험용 화면이에요. 실제 본인 확인이 아니며, 아래는 모두 만들어 낸 사람이에요.",
        "choose": "누구로 들어갈까요?",
        "age": "만 {}세",
        "cancel": "그만두기",
        "bad": "이 요청은 처리할 수 없어요. 처음 화면으로 돌아가 다시 시도해 주세요.",
    },
    "en": {
        "title": "Sandbox sign-in",
        "mark": "This is a sandbox. Nothing is verified here and every person below is made up.",
        "choose": "Who do you want to be?",
        "age": "aged {}",
        "cancel": "Cancel",
        "bad": "This request cannot be used. Go back to where you started and try again.",
    },
}
TRAITS = {
    "ko": {
        "empty": "기록 없음", "long-history": "5년 치 기록", "minor": "미성년자",
        "corrections": "정정된 기록", "memo": "메모에 번호",
        "refunds": "환불·0원", "pensioner": "연금 생활", "namesake": "동명이인",
    },
    "en": {
        "empty": "no records", "long-history": "five years of records", "minor": "a minor",
        "corrections": "corrected records", "memo": "numbers in memos", "refunds": "refunds and zero amounts",
        "pensioner": "on a pension", "namesake": "shares a name",
    },
}  # fmt: skip


def choices(request_id: str, everybody: Iterable[Citizen], today: date, language: str, back: str) -> Response:
    """The page with one button a person. `back` is where the answer will go (for the form's policy)."""
    words, traits = WORDS[language], TRAITS[language]
    rows = []
    for person in everybody:
        known = [traits[trait] for trait in sorted(person.traits) if trait in traits]
        about = ", ".join([words["age"].format(person.age(today)), *known])
        rows.append(
            f'<li><button name="person" value="{escape(person.handle)}">{escape(person.name)}'
            f" <small>{escape(about)}</small></button></li>"
        )
    body = (
        f"<h1>{words['title']}</h1><p class=mark>{words['mark']}</p><h2>{words['choose']}</h2>"
        f'<form method=post action="/authorize"><input type=hidden name=request value="{escape(request_id)}">'
        f"<ul>{''.join(rows)}<li><button name=person value=cancel>{words['cancel']}</button></li></ul></form>"
    )
    return _page(body, language, 200, back)


def refusal(language: str, code: str) -> Response:
    """The page for a request that cannot even be sent back to its client."""
    words = WORDS[language]
    body = f"<h1>{words['title']}</h1><p class=mark>{words['bad']}</p><p><small>{escape(code)}</small></p>"
    return _page(body, language, 400, "")


def _page(body: str, language: str, status: int, back: str) -> Response:
    parts = urlsplit(back)
    # A browser applies form-action to the redirect after the form as well.
    targets = f"'self' {parts.scheme}://{parts.netloc}" if back else "'none'"
    policy = f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; form-action {targets}"
    return HTMLResponse(
        f'<!doctype html><html lang={language}><head><meta charset=utf-8><meta name=viewport content="width='
        f'device-width,initial-scale=1"><title>{WORDS[language]["title"]}</title><style>{STYLE}</style></head>'
        f"<body><main>{body}</main></body></html>",
        status,
        headers={
            "content-security-policy": f"{policy}; frame-ancestors 'none'; base-uri 'none'",
            "cache-control": "no-store",
            "referrer-policy": "no-referrer",
            "x-content-type-options": "nosniff",
        },
    )
