"""Korean particles that depend on the last sound of the word before them (조사): 은/는, 이/가, 으로/로."""

from __future__ import annotations

import re

_HANGUL = range(0xAC00, 0xD7A4)
_RIEUL = 8  # the final consonant after which 로 stays 로
_DIGIT_FINALS = {"0": 21, "1": _RIEUL, "3": 16, "6": 1, "7": _RIEUL, "8": _RIEUL}  # 영 일 삼 육 칠 팔
_LETTER_FINALS = {"l": _RIEUL, "m": 16, "n": 4, "r": _RIEUL}  # 엘 엠 엔 알
_CLOSING = re.compile(r"\s*[(\[〔（][^)\]〕）]*[)\]〕）]\s*$|[\s\"'”’」』.]+$")


def josa(word: str, pair: str) -> str:
    """`word` followed by the fitting one of `pair`, e.g. `josa("국민카드", "이/가")` -> `국민카드가`.

    A closing bracket is not pronounced; a word that ends in no known sound gets both forms.
    """
    with_final, without = pair.split("/")
    final = _final(word)
    if final is None:
        return f"{word}{with_final}({without})"
    if with_final == "으로" and final == _RIEUL:
        return word + without
    return word + (with_final if final else without)


def _final(word: str) -> int | None:
    """The number of the last syllable's final consonant, 0 for none, None when unknown."""
    stripped = word
    while (shorter := _CLOSING.sub("", stripped)) != stripped:
        stripped = shorter
    last = stripped[-1:].lower()
    if not last:
        return None
    if ord(last) in _HANGUL:
        return (ord(last) - 0xAC00) % 28
    if last.isascii() and last.isdigit():
        return _DIGIT_FINALS.get(last, 0)
    if last.isascii() and last.isalpha():
        return _LETTER_FINALS.get(last, 0)
    return None
