"""The page of a verification: both languages, every check and limit, and nothing of the log can act in it."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from consent.ledger.verify import NEVER_LOGGED, main
from consent.ledger.verify.page import page
from consent.ledger.verify.report import CHECKS, FINDINGS, Finding, Report
from tests.unit.consent.ledger.exports import VKEY, MadeLog


class Seen(HTMLParser):
    """Every element and word of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember an element."""
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        """Remember words."""
        self.words += data


def test_the_page_tells_what_was_checked_in_both_languages(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Verdict, checks, limits and the way to repeat it stand there in Korean and English."""
    folder = MadeLog(40).write(tmp_path / "export")
    assert main([str(folder), "--key", VKEY, "--page", str(tmp_path / "page.html"), "--json"]) == 0
    seen = Seen((tmp_path / "page.html").read_text())
    report = json.loads(capsys.readouterr().out)

    for words in ("원장 검증 결과: 이상 없음", "every check held", NEVER_LOGGED, "처음부터 기록하지 않은 일"):
        assert words in seen.words
    assert seen.words.count("openssl pkeyutl") == 2
    assert not {"script", "a", "img", "link", "iframe"} & set(seen.tags)
    assert report["checks"] == {
        **dict.fromkeys(CHECKS, "not checked"),
        **dict.fromkeys(("signature", "entries", "tree"), "held"),
    }
    assert report["kinds"] == {"pull:holder:done": 6, "token:access:issued": 34}
    assert report["concerning_citizens"] == 6


def test_findings_are_shown_and_shown_harmless() -> None:
    """A hostile name in an export is text on the page, never markup."""
    report = Report(origin="<b>'x'", findings=[Finding("file_unlisted", "<script>alert(1)</script>", "<i>")])
    seen = Seen(page(report, 0, "<img src=x>"))

    assert not {"script", "img", "b", "i"} & set(seen.tags)
    assert "alert(1)" in seen.words
    assert "이상 1건" in seen.words


def test_every_finding_belongs_to_a_check() -> None:
    """No finding can be made that leaves every check standing as held."""
    usage = {"key_unreadable", "policy_unreadable"}
    assert {code for codes in CHECKS.values() for code in codes} == set(FINDINGS) - usage
    for code in set(FINDINGS) - usage:
        report = Report(done=list(CHECKS), findings=[Finding(code, "x", "y")])
        assert list(report.checks().values()).count("failed") == 1
