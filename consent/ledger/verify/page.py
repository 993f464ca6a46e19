"""The report as a page, in Korean and English, to be printed and put on file. No script, no links."""

from __future__ import annotations

import base64
import html
from datetime import UTC, datetime

from .report import GAPS, HASHES_ONLY, INTEGRITY_ONLY, NEVER_LOGGED, Report

_STATES = {
    "held": ("이상 없음", "held"),
    "failed": ("이상 발견", "failed"),
    "not checked": ("확인하지 않음", "not checked"),
}
_CHECKS = {
    "signature": (
        "체크포인트에 원장 열쇠의 서명이 있고, 모르는 서명은 없습니다.",
        "The checkpoint is signed by the log's key and by nobody unknown.",
    ),
    "quorum": ("정해진 수의 증인이 함께 서명했습니다.", "As many witnesses cosigned as the policy asks for."),
    "freshness": (
        "증인의 서명이 정해진 시간 안에 있었습니다.",
        "The witnesses cosigned within the time allowed.",
    ),
    "entries": (
        "모든 기록이 정해진 하나의 형식입니다.",
        "Every entry has the one form the log allows.",
    ),
    "tree": (
        "모든 파일을 기록에서 처음부터 다시 계산했고 서명된 값과 같습니다.",
        "Every file was computed again from the entries and agrees with what was signed.",
    ),
    "continuity": (
        "전에 보관한 체크포인트의 기록이 그대로 앞부분에 있습니다.",
        "The log seen earlier is, unchanged, the beginning of this one.",
    ),
    "stamp": (
        "시점확인기관의 시각 도장(RFC 3161)이 이 원장의 체크포인트에 찍혔습니다(openssl ts로 확인).",
        "A time-stamping authority stamped a checkpoint of this log (RFC 3161, judged by openssl ts).",
    ),
    "openings": (
        "펼친 사건이 모두 원장에 있고 내용이 그때 기록한 그대로입니다.",
        "Every opened event is in the log, with the content recorded then.",
    ),
}
_CHECKS |= {
    "statements": (
        "해가 바뀐 곳과 보존 기간이 끝나 지운 곳이 원장에 스스로 적은 그대로입니다.",
        "Where a year's shard began, and which entries were removed, is as the log itself says.",
    ),
    "census": (
        "원장에 적힌 그 사람의 사건 수와 마지막 사건이 기록표와 같습니다.",
        "The trail has as many events, and ends with the same one, as the census in the log says.",
    ),
    "sum": (
        "사람에 관한 기록의 수가 원장에 적힌 합계와 같습니다.",
        "As many entries concern somebody as the census in the log adds up to.",
    ),
}
_NOTES = {
    INTEGRITY_ONLY: "전에 보관한 체크포인트나 증인이 없으면 앞뒤가 맞는다는 것만 알 수 있습니다. 운영기관이 통째로 다시 썼을 수 있습니다.",  # noqa: E501
    NEVER_LOGGED: "처음부터 기록하지 않은 일은 여기서 찾을 수 없습니다. 시민, 정보제공자, 정보수신자의 사본과 견주어야 합니다.",  # noqa: E501
    GAPS: "보존 기간이 끝나 지운 기록은 읽지 못했습니다. 해시는 자리만 보이고 내용은 보이지 않습니다.",
    HASHES_ONLY: "기록 자체는 읽지 않았습니다. 서명된 하나의 나무라는 것만 보였고 내용은 보이지 않았습니다.",
}
_HEADS = (
    ("확인한 것", "발견한 것", "이 검증이 보이지 않는 것", "스스로 다시 해 보기"),
    ("What was checked", "What was found", "What this does not show", "Do it again yourself"),
)
_STYLE = (
    "body{font:16px/1.6 sans-serif;max-width:48rem;margin:2rem auto;padding:0 1rem;color:#111}"
    "table{border-collapse:collapse;width:100%}td,th{border:1px solid #888;padding:.4rem;text-align:left;"
    "vertical-align:top}code{overflow-wrap:anywhere}.failed{font-weight:bold;color:#a00}"
)


def page(report: Report, at: float, place: str) -> str:
    """A whole HTML document; `at` is when it was verified (epoch seconds), `place` what was read."""
    when = datetime.fromtimestamp(int(at), UTC).isoformat()
    sections = _section(report, 0, when, place), _section(report, 1, when, place)
    return (
        f'<!doctype html>\n<html lang="ko"><head><meta charset="utf-8"><title>{_title(report, 0)}</title>\n'
        f"<style>{_STYLE}</style></head>\n<body>\n"
        f'<main lang="ko">\n{sections[0]}</main>\n<hr>\n<section lang="en">\n{sections[1]}</section>\n'
        "</body></html>\n"
    )


def _title(report: Report, language: int) -> str:
    good = ("원장 검증 결과: 이상 없음", "Ledger verified: every check held")
    bad = (
        f"원장 검증 결과: 이상 {len(report.findings)}건",
        f"Ledger verified: {len(report.findings)} findings",
    )
    return (bad if report.findings else good)[language]


def _section(report: Report, language: int, when: str, place: str) -> str:
    facts = {
        ("검증한 것", "What was read"): place,
        ("검증한 때 (UTC)", "When (UTC)"): when,
        ("원장", "Log"): report.origin,
        ("기록 수", "Entries"): str(report.size),
        ("뿌리 (SHA-256)", "Root (SHA-256)"): base64.b64encode(report.root).decode(),
        ("증인", "Witnesses"): ", ".join(sorted(report.cosigned)) or "-",
        ("종료 코드", "Exit code"): str(report.exit_code),
    }
    rows = "".join(_row(name[language], value) for name, value in facts.items())
    checks = "".join(
        f'<tr><td>{_CHECKS[name][language]}</td><td class="{state}">{_STATES[state][language]}</td></tr>\n'
        for name, state in report.checks().items()
    )
    found = "".join(_row(f.code, f"{f.where}: {f.text}") for f in report.findings)
    notes = "".join(
        f"<li>{html.escape(_NOTES[note] if language == 0 else note)}</li>\n" for note in report.notes
    )
    heads = _HEADS[language]
    again = _again(report, language)
    return (
        f"<h1>{_title(report, language)}</h1>\n<table>\n{rows}</table>\n"
        f"<h2>{heads[0]}</h2>\n<table>\n{checks}</table>\n"
        + (f"<h2>{heads[1]}</h2>\n<table>\n{found}</table>\n" if found else "")
        + f"<h2>{heads[2]}</h2>\n<ul>\n{notes}</ul>\n<h2>{heads[3]}</h2>\n{again}"
    )


def _row(name: str, value: str) -> str:
    return f"<tr><th>{html.escape(name)}</th><td><code>{html.escape(value)}</code></td></tr>\n"


def _again(report: Report, language: int) -> str:
    """The signature and the first leaf, with nothing but a shell."""
    said = (
        "체크포인트의 처음 세 줄을 원장 열쇠로 확인합니다 (OpenSSL 3). $VKEY는 미리 받아 둔 열쇠입니다.",
        "Check the checkpoint's first three lines with the log's key (OpenSSL 3); $VKEY is the key you hold.",
    )[language]
    origin = report.origin.replace("'", "")
    steps = (
        "head -n 3 checkpoint > text\n"
        f"grep -m 1 '^— {origin} ' checkpoint | cut -d' ' -f3 | base64 -d | tail -c 64 > signature\n"
        "{ printf '\\060\\052\\060\\005\\006\\003\\053\\145\\160\\003\\041\\000'\n"
        '  echo "$VKEY" | cut -d+ -f3- | base64 -d | tail -c 32; } > key.der\n'
        "openssl pkeyutl -verify -pubin -keyform DER -inkey key.der -rawin -in text -sigfile signature"
    )
    return f"<p>{html.escape(said)}</p>\n<pre><code>{html.escape(steps)}</code></pre>\n"
