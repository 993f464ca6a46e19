"""Finds identifiers in Korean free text and puts a label in their place.

One alternation reads the text once. Look-arounds are ASCII (`\\b` fails before Hangul: `010-1234-5678로`).
Full-width digits and the many dashes people type are folded first, one to one. Labels: `[rrn]` (resident and
foreigner registration number, 주민등록번호), `[phone]`, `[card]`, `[account]`, `[email]`, `[passport]`.
When in doubt, too much is replaced rather than too little. Names are not found: no detector knows them.
"""

from __future__ import annotations

import re
from typing import Any

VERSION = 1
"""Part of every plan's description: raise it when what is found changes."""

_BIRTH = r"[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
_RRN = rf"(?<![0-9]){_BIRTH}[ ]?[-~./]?[ ]?[0-9][0-9*xX●]{{6}}(?![0-9])"
_AREA = r"(?:1[016789]|2|[3-6][1-5]|70|50[0-9]?)"
_PHONE = (
    rf"(?<![0-9+])(?:\+?82[-. ]?\(?0?\)?[-. ]?{_AREA}|\(?0{_AREA}\)?)"
    r"[-. ]{0,2}[0-9]{3,4}[-. ]?[0-9]{4}(?![0-9])"
)
_CARD = (
    r"(?<![0-9])(?:[0-9]{4}[- ]?[0-9*xX]{4}[- ]?[0-9*xX]{4}[- ]?[0-9*xX]{4}"
    r"|3[47][0-9]{2}[- ]?[0-9*xX]{6}[- ]?[0-9*xX]{5})(?![0-9])"
)
_ACCOUNT = (
    r"(?<![0-9])(?:[0-9]{10,20}"
    r"|(?=(?:[0-9]-?){10,20})[0-9]{2,14}(?:-[0-9]{2,14}){1,4}"
    r"|(?=(?:[0-9] ?){10,20})[0-9]{2,8}(?: [0-9]{2,8}){2,4})(?![0-9])"
)
_EMAIL = r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}"
_PASSPORT = r"(?<![A-Za-z0-9])[MSRODG][0-9]{3}(?:[0-9]{5}|[A-Z][0-9]{4})(?![A-Za-z0-9])"

RRN = re.compile(f"(?P<rrn>{_RRN})")
IDENTIFIERS = re.compile(
    f"(?P<email>{_EMAIL})|(?P<rrn>{_RRN})|(?P<card>{_CARD})|(?P<phone>{_PHONE})"
    f"|(?P<account>{_ACCOUNT})|(?P<passport>{_PASSPORT})"
)

_DASHES = "‐‑‒–—―−﹣－ーㅡ"
_FOLD = {
    **{0xFF10 + digit: ord("0") + digit for digit in range(10)},
    **{ord(dash): ord("-") for dash in _DASHES},
    **{ord(wide): ord(narrow) for wide, narrow in zip("＠．＋（）＊", "@.+()*", strict=True)},
    **{ord(space): ord(" ") for space in "\u00a0\u2002\u2003\u2009\u3000\t"},
}
_INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff]+")


def redact_text(text: str, pattern: re.Pattern[str], found: list[str]) -> str:
    """`text` with every match of `pattern` (RRN or IDENTIFIERS) replaced; names of labels go to `found`."""
    shown = text if text.isascii() else _INVISIBLE.sub("", text)
    folded = shown if text.isascii() else shown.translate(_FOLD)
    pieces: list[str] = []
    at = 0
    for match in pattern.finditer(folded):
        label = str(match.lastgroup)
        found.append(label)
        pieces += (shown[at : match.start()], f"[{label}]")
        at = match.end()
    return "".join((*pieces, shown[at:])) if pieces else text


def redact_value(value: Any, pattern: re.Pattern[str], found: list[str]) -> Any:
    """The same for every string, name and whole number inside a JSON value."""
    if isinstance(value, str):
        return redact_text(value, pattern, found)
    if isinstance(value, dict):
        return {
            redact_text(name, pattern, found): redact_value(inner, pattern, found)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [redact_value(inner, pattern, found) for inner in value]
    if isinstance(value, int) and not isinstance(value, bool):
        text = str(value)
        changed = redact_text(text, pattern, found)
        return value if changed == text else changed
    return value
