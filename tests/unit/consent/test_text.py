"""The text a citizen reads: the same bytes every time, complete, in both languages."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consent.catalogue.strict_yaml import read
from consent.errors import CatalogueError
from consent.terms import restrict
from consent.text import TEXT_VERSION, blocks, build
from consent.text_words import said_period, treatment, words
from tests.unit.consent.household import BANK, HOSPITAL, MARKET, details, item, of_holder, parsed, wording

TERMS = parsed(details())
GOLDEN = {
    "ko": "ea2d4e0afd143aaa6d71c780de09ba193f18f7a7297b0eb31b690429224fa0e0",
    "en": "ef4eb2d9be97d7ae98048a86c54787325a9d071b456bbfbe3f8d9bc8fd5252af",
}


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_text_is_stable(language: str) -> None:
    """The hash of a fixed request is fixed: new wording needs a new TEXT_VERSION and a new hash here."""
    text = build(TERMS, wording(language))
    assert TEXT_VERSION == "2026-11-23"
    assert (text.version, text.language) == (TEXT_VERSION, language)
    assert text.hash == GOLDEN[language]
    assert text == build(parsed(details()), wording(language))


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_notice_item_is_there(language: str) -> None:
    """Recipient, purpose, items, retention and the right to refuse stand in the text (PIPA 17(2), 18(3))."""
    parts = {block.id: block for block in blocks(TERMS, wording(language))}
    names = ["title", "recipient", "purpose", "duration", "basis", "rights", "safety"]
    assert list(parts) == [
        *names[:3],
        *(f"item:{name}" for name in (BANK, HOSPITAL, MARKET)),
        *names[3:],
    ]
    assert all(block.heading for block in parts.values())
    assert all("{" not in line and line.strip() for block in parts.values() for line in block.lines)
    assert "든든핀테크 주식회사" in parts["recipient"].lines[0]
    assert words(language)["may_refuse"] in parts["rights"].lines


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_field_asked_is_named(language: str) -> None:
    """Each field of each item stands in the text in words, and no field that was not asked."""
    source = wording(language)
    for wanted in TERMS.items:
        (block,) = [b for b in blocks(TERMS, source) if b.id == f"item:{wanted.name}"]
        named = [line for line in block.lines if line.startswith("- ")]
        fields = source.catalogue.dataset(wanted.dataset).fields
        assert [line.split(" (")[0].split(" — ")[0][2:] for line in named] == [
            fields[name].name[language].split(" (")[0] for name in wanted.fields
        ]


def test_what_is_sensitive_says_so() -> None:
    """Fields with a switch of their own and health data are marked."""
    text = build(TERMS, wording("ko"))
    assert text.body.count(words("ko")["own_switch"]) == 3
    assert words("ko")["sensitive_item"].format(kind="건강") in text.body


def test_smaller_terms_are_another_text() -> None:
    """Narrowing changes the text and therefore its hash."""
    smaller = restrict(TERMS, {BANK: ("trans_amt",)})
    assert build(smaller, wording("ko")).hash != build(TERMS, wording("ko")).hash


def test_the_basis_is_that_of_the_first_day() -> None:
    """A text for a day on which nothing allows the transfer cannot be made."""
    asked = parsed([of_holder("haeoreum-energy", item("energy.electricity-usage", "value"))])
    early = replace(asked, start=asked.start.replace(year=2025))
    with pytest.raises(CatalogueError):
        build(early, replace(wording("ko"), today=early.start))


def test_both_languages_say_the_same_things() -> None:
    """Neither language has a phrase the other lacks."""
    assert set(words("ko")) == set(words("en"))


@pytest.mark.parametrize(
    ("text", "ko", "en"),
    [("P90D", "90일", "90 days"), ("P1Y", "1년", "1 year"), ("P1Y6M", "1년 6개월", "1 year 6 months")],
)
def test_lengths_of_time_are_said(text: str, ko: str, en: str) -> None:
    """A period reads as people say it."""
    assert (said_period(text, "ko"), said_period(text, "en")) == (ko, en)


def test_every_treatment_has_words() -> None:
    """Whatever the catalogue does to a field is told, except sending it as it is."""
    for dataset in wording("ko").catalogue.datasets.values():
        for field in dataset.fields.values():
            said = treatment(field.treatment, field.parameter, "ko")
            assert bool(said) == (field.treatment not in ("keep", "suppress"))


def test_the_words_file_is_read_strictly() -> None:
    """The file of fixed words has both languages and nothing else."""
    from importlib import resources

    assert set(read(resources.files("consent") / "text.yaml")) == {"ko", "en"}
