"""Words, particles, dates, amounts and articles in both languages."""

from __future__ import annotations

import re
import string
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.catalogue import load
from gateway.web import phrases
from gateway.web.articles import article
from gateway.web.josa import josa
from gateway.web.reasons import reason
from gateway.web.words import Words, words


def places(sentence: str) -> set[str]:
    """The names a sentence wants filled in."""
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def test_both_languages_have_the_same_keys_and_places() -> None:
    """No sentence is missing in one language, and both fill in the same values."""
    korean, english = words("ko"), words("en")
    assert korean.keys == english.keys
    for key in sorted(korean.keys):
        assert places(korean.sentence(key)) == places(english.sentence(key)), key


def test_korean_is_korean_and_english_english() -> None:
    """A sentence in the wrong file would show."""
    for key in words("ko").keys - {"layout.other_language"}:
        sentence = re.sub(r"\{[^}]*\}", "", words("ko").sentence(key))
        assert not re.search(r"[A-Za-z]{4,}", sentence), key
    for key in words("en").keys - {"layout.other_language"}:
        sentence = words("en").sentence(key).replace("일반수신자", "")
        assert not re.search(r"[가-힣]", sentence), key


def test_every_key_a_template_uses_is_there() -> None:
    """A template that asks for an unknown sentence would fail before a citizen sees it."""
    folder = resources.files("gateway.web").joinpath("templates")
    found: set[str] = set()
    for part in ("layout.html", "pages", "components"):
        entry = folder.joinpath(part)
        files = [entry] if entry.is_file() else list(entry.iterdir())
        for file in files:
            found |= set(re.findall(r"\bt\('([a-z_.]+)'", file.read_text(encoding="utf-8")))
    assert len(found) > 60
    assert found <= words("ko").keys


def test_every_sensitive_kind_of_the_catalogue_has_words() -> None:
    """A new kind of sensitive field cannot reach the page without its sentence."""
    for dataset in load().datasets.values():
        for field in dataset.fields.values():
            if field.sensitive:
                assert f"item.sensitive_{field.sensitive}" in words("ko")


def test_an_unknown_key_or_value_is_an_error() -> None:
    """Never a blank where words should be."""
    with pytest.raises(KeyError):
        words("ko")("no.such.key")
    with pytest.raises(KeyError):
        Words("ko", {"greeting": "{name}"})("greeting")


@pytest.mark.parametrize(
    ("word", "pair", "said"),
    [
        ("한빛생명", "이/가", "한빛생명이"),
        ("국민카드", "이/가", "국민카드가"),
        ("든든가계부", "은/는", "든든가계부는"),
        ("누리텔레콤", "을/를", "누리텔레콤을"),
        ("서울", "으로/로", "서울로"),
        ("집", "으로/로", "집으로"),
        ("든든가계부", "으로/로", "든든가계부로"),
        ("주식회사 든든(한국)", "은/는", "주식회사 든든(한국)은"),
        ("정보 3", "과/와", "정보 3과"),
        ("정보 2", "과/와", "정보 2와"),
        ("SKT", "은/는", "SKT는"),
        ("Hotel", "은/는", "Hotel은"),
        ("★", "은/는", "★은(는)"),
        ("", "은/는", "은(는)"),
    ],
)
def test_particles_fit_the_last_sound(word: str, pair: str, said: str) -> None:
    """받침 decides; brackets are not pronounced; an unknown sound gets both."""
    assert josa(word, pair) == said


@given(st.text(max_size=40))
def test_a_particle_never_changes_the_word(word: str) -> None:
    """Whatever a company is called, its name stands unchanged."""
    assert josa(word, "은/는").startswith(word)


def test_dates_read_as_people_say_them() -> None:
    """Not `PM 3:30`; day and month stay together."""
    assert phrases.day("2027-02-28", "ko") == "2027년 2월\u00a028일"
    assert phrases.day("2027-02-28", "en") == "28\u00a0February 2027"
    assert phrases.moment(1_795_316_400, "ko") == "2026년 11월\u00a022일 12:00"
    assert phrases.clock(1_795_316_400, "en") == "12:00"


@pytest.mark.parametrize(
    ("period", "korean", "english"),
    [
        ("P90D", "90일", "90 days"),
        ("P1Y", "1년", "1 year"),
        ("P1Y2M", "1년 2개월", "1 year 2 months"),
        ("P2W", "14일", "14 days"),
    ],
)
def test_lengths_of_time(period: str, korean: str, english: str) -> None:
    """ISO 8601 in words."""
    assert phrases.length(period, "ko") == korean
    assert phrases.length(period, "en") == english


def test_frequencies_and_amounts() -> None:
    """Once, every so many days, and money."""
    assert phrases.frequency("once", "ko") == "한 번만"
    assert phrases.frequency("P1D", "en") == "every day"
    assert phrases.frequency("P14D", "ko") == "14일마다"
    assert phrases.money(12_000, "KRW", "ko") == "12,000원"
    assert phrases.money(12_000, "KRW", "en") == "₩12,000"


@pytest.mark.parametrize(
    ("reference", "korean"),
    [
        ("PIPA 35-2(2)", "개인정보 보호법 제35조의2 제2항"),
        ("PIPA 15, 17", "개인정보 보호법 제15조, 제17조"),
        ("PIPA Enforcement Decree 42-2(1)3", "개인정보 보호법 시행령 제42조의2 제1항 제3호"),
        ("신용정보법 33-2", "신용정보법 제33조의2"),
        ("개인정보 보호법 제35조의2제2항", "개인정보 보호법 제35조의2제2항"),
        ("", ""),
    ],
)
def test_articles_of_law(reference: str, korean: str) -> None:
    """Known forms are spelled out; anything else stays as it is."""
    assert article(reference, "ko") == korean


def test_reasons_have_words_or_show_their_code() -> None:
    """Holder, policy, and a code nobody wrote a sentence for."""
    assert reason("holder_down", "ko").endswith("응답하지 않았어요.")
    assert "일반수신자" in reason("periodic_to_general_recipient", "ko")
    assert "some_new_code" in reason("some_new_code", "en")
