"""Articles of law as a citizen reads them: `PIPA 35-2(2)` -> `개인정보 보호법 제35조의2 제2항`."""

from __future__ import annotations

import re

from gateway.errors import Language

_ARTICLE = re.compile(
    r"(?P<law>[^\d]+?) (?P<article>\d+)(?:-(?P<branch>\d+))?(?:\((?P<paragraph>\d+)\)(?P<item>\d+)?)?"
    r"(?P<more>(?:, \d+)*)"
)
_KOREAN = {
    "PIPA": "개인정보 보호법",
    "PIPA Decree": "개인정보 보호법 시행령",
    "PIPA Enforcement Decree": "개인정보 보호법 시행령",
    "Decree": "개인정보 보호법 시행령",
    "Credit Information Act": "신용정보법",
}
_ENGLISH = {"신용정보법": "Credit Information Act", "개인정보 보호법": "PIPA"}


def article(reference: str, language: Language) -> str:
    """`reference` in the words of `language`; one in no known form is given back as it is."""
    found = _ARTICLE.fullmatch(reference)
    if found is None:
        return reference
    law = found["law"]
    if language == "en":
        return reference.replace(law, _ENGLISH.get(law, law), 1)
    text = f"{_KOREAN.get(law, law)} 제{found['article']}조"
    text += f"의{found['branch']}" if found["branch"] else ""
    text += f" 제{found['paragraph']}항" if found["paragraph"] else ""
    text += f" 제{found['item']}호" if found["item"] else ""
    return text + "".join(f", 제{number}조" for number in re.findall(r"\d+", found["more"]))
