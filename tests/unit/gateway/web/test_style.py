"""Colours, sizes and weight of the style sheet, without a browser."""

from __future__ import annotations

import re
from importlib import resources

import pytest

from gateway.web.static_files import StaticFiles

FOLDER = resources.files("gateway.web").joinpath("static/css")
TOKENS = FOLDER.joinpath("tokens.css").read_text(encoding="utf-8")
LIGHT, DARK = (
    dict(re.findall(r"(--[a-z-]+): (#[0-9a-f]{6});", part))
    for part in TOKENS.split("prefers-color-scheme: dark")
)
TEXT = [
    ("--ink", "--paper"),
    ("--ink", "--paper-soft"),
    ("--ink", "--paper-tint"),
    ("--ink-soft", "--paper"),
    ("--ink-soft", "--paper-soft"),
    ("--ink-soft", "--paper-tint"),
    ("--link", "--paper"),
    ("--link", "--paper-soft"),
    ("--ink-warning", "--paper-warning"),
    ("--ink-danger", "--paper-danger"),
    ("--ink-good", "--paper-good"),
    ("--on-accent", "--accent"),
    ("--on-accent", "--accent-strong"),
]
CONTROLS = [("--line-control", "--paper"), ("--accent", "--paper"), ("--focus", "--paper")]


def contrast(first: str, second: str) -> float:
    """The WCAG contrast of two colours."""

    def light(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    high, low = sorted((light(first), light(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, {**LIGHT, **DARK}], ids=["light", "dark"])
def test_contrast(theme: dict[str, str]) -> None:
    """Text has at least 4.5 to 1, controls and the focus ring 3 to 1 (WCAG 1.4.3, 1.4.11)."""
    for ink, paper in TEXT:
        assert contrast(theme[ink], theme[paper]) >= 4.5, (ink, paper)
    for line, paper in CONTROLS:
        assert contrast(theme[line], theme[paper]) >= 3, (line, paper)


def test_style_sheets_stay_small() -> None:
    """No file over 200 lines, together under 20 kB, nothing loaded from anywhere."""
    files = [file for file in FOLDER.iterdir() if file.name.endswith(".css")]
    texts = [file.read_text(encoding="utf-8") for file in files]
    assert all(len(text.splitlines()) <= 200 for text in texts)
    assert sum(map(len, texts)) < 20_000
    assert not any("url(" in text or "@import" in text for text in texts)


def test_every_colour_is_a_token() -> None:
    """Colours stand in one file, so that dark and forced colours hold everywhere."""
    for file in FOLDER.iterdir():
        if file.name.endswith(".css") and file.name != "tokens.css":
            assert not re.search(r"#[0-9a-fA-F]{3,8}\b|rgb", file.read_text(encoding="utf-8")), file.name


def test_names_of_files_follow_their_content() -> None:
    """The address carries the hash of the content, the same for the same content."""
    static = StaticFiles()
    assert re.fullmatch(r"/static/site\.[0-9a-f]{16}\.css", static.address("site.css"))
    assert static.address("site.css") == StaticFiles().address("site.css")
    with pytest.raises(KeyError):
        static.address("nothing.css")
