"""The catalogue files: complete in both languages, lawful by date, and strict about mistakes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from importlib import resources
from pathlib import Path

import pytest

from consent.catalogue import Catalogue, load
from consent.errors import CatalogueError
from tests.unit.consent.household import CATALOGUE, TODAY

FIVE = {"finance", "telecom", "energy", "retail", "medical"}


def test_every_word_is_there_in_both_languages() -> None:
    """No sector, dataset, field, purpose or legal row is without Korean or English."""
    said = [*CATALOGUE.sectors.values()]
    for dataset in CATALOGUE.datasets.values():
        said += [dataset.name, dataset.about, *(field.name for field in dataset.fields.values())]
    for purpose in CATALOGUE.purposes.values():
        said += [purpose.name, purpose.about]
    said += [words for row in CATALOGUE.legal for words in (row.text, row.cite)]
    said += [words for row in CATALOGUE.downloads for words in (row.text, row.cite)]
    for words in said:
        assert set(words) == {"ko", "en"}
        assert all(text.strip() == text and text for text in words.values())
        assert any("가" <= letter <= "힣" for letter in words["ko"])
        assert not any("가" <= letter <= "힣" for letter in words["en"])


def test_a_purpose_is_told_in_150_characters() -> None:
    """The purpose a citizen reads fits the length the Korean standard sets (공통-002 purpose)."""
    for purpose in CATALOGUE.purposes.values():
        assert all(len(text) <= 150 for text in purpose.about.values())


def test_the_five_sectors_are_there() -> None:
    """Each sector has datasets, and every dataset's id tells its sector."""
    assert set(CATALOGUE.sectors) == FIVE
    assert {dataset.sector for dataset in CATALOGUE.datasets.values()} == FIVE
    assert all(id == d.id and id.startswith(f"{d.sector}.") for id, d in CATALOGUE.datasets.items())


def test_what_names_a_person_never_leaves() -> None:
    """Direct identifiers are suppressed, record identifiers leave as pseudonyms, free text is checked."""
    for dataset in CATALOGUE.datasets.values():
        for field in dataset.fields.values():
            assert field.leaves == (field.kind != "direct")
            if field.kind == "identifier":
                assert field.treatment == "pseudonymise"
            if field.kind == "text":
                assert field.sensitive is not None


def test_sensitive_fields_have_switches() -> None:
    """Memo, merchant and purchase have own switches; health has one for the dataset and one for free text."""
    own = {
        id: {name for name in dataset.fields if dataset.own_switch(name)}
        for id, dataset in CATALOGUE.datasets.items()
    }
    assert own["finance.deposit-transactions"] == {"trans_memo"}
    assert own["telecom.paid-transactions"] == {"merchant_name", "trans_title"}
    assert own["retail.orders"] == {"orderedItem"}
    assert own["medical.observations"] == {"note"}
    assert CATALOGUE.dataset("medical.observations").sensitive == "health"
    assert CATALOGUE.dataset("finance.deposit-transactions").sensitive is None


@pytest.mark.parametrize(
    ("sector", "on", "basis", "article"),
    [
        ("finance", "2026-11-22", "portability", "신용정보법 33-2"),
        ("medical", "2025-03-13", "portability", "PIPA 35-2(2)"),
        ("telecom", "2026-11-22", "portability", "PIPA 35-2(2)"),
        ("energy", "2026-08-20", "portability", "PIPA 35-2(2)"),
        ("retail", "2026-11-22", "consent", "PIPA 15, 17"),
        ("retail", "2027-02-20", "consent", "PIPA 15, 17"),
    ],
)
def test_the_legal_basis_of_a_day(sector: str, on: str, basis: str, article: str) -> None:
    """Each sector stands on the basis in force on that day, with its source."""
    row = CATALOGUE.legal_basis(sector, date.fromisoformat(on))
    assert (row.basis, row.article) == (basis, article)
    assert row.source
    assert row.needs == (("contract",) if sector == "retail" else ())


@pytest.mark.parametrize(
    ("sector", "on"), [("medical", "2025-03-12"), ("energy", "2026-08-19"), ("space", "2026-11-22")]
)
def test_there_is_no_basis_before_its_day(sector: str, on: str) -> None:
    """The day before a law takes effect there is nothing to rely on."""
    with pytest.raises(CatalogueError) as caught:
        CATALOGUE.legal_basis(sector, date.fromisoformat(on))
    assert caught.value.code == "no_legal_basis"


def test_download_of_retail_data_starts_with_its_day() -> None:
    """Decree 42-2(1)1: large shops owe the citizen a download from 2027-02-20 and not before."""
    assert CATALOGUE.self_download("retail", date(2027, 2, 19)) is None
    row = CATALOGUE.self_download("retail", date(2027, 2, 20))
    assert row is not None
    assert row.article == "PIPA Enforcement Decree 42-2(1)1"
    assert CATALOGUE.self_download("telecom", TODAY) is not None


def test_an_unknown_dataset_is_refused_by_code() -> None:
    """Asking the catalogue for what it does not hold is not a crash."""
    with pytest.raises(CatalogueError) as caught:
        CATALOGUE.dataset("finance.everything")
    assert caught.value.code == "item_not_in_catalogue"


def _copy(folder: Path) -> Path:
    for file in resources.files("consent.catalogue").iterdir():
        if file.name.endswith(".yaml"):
            (folder / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    return folder


def test_a_new_sector_is_a_new_file(tmp_path: Path) -> None:
    """A sixth sector needs its file and a legal row, and no code."""
    folder = _copy(tmp_path)
    (folder / "transport.yaml").write_text(
        "sector: transport\nname: {ko: 교통, en: Transport}\ndatasets:\n  transport.rides:\n"
        "    name: {ko: 이용 내역, en: Rides}\n    about: {ko: 언제 탔는지, en: When you rode}\n"
        "    cycle_class: additional\n    history_max: P1Y\n    fields:\n"
        "      at: {ko: 시각, en: Time, class: time, treatment: {truncate: hour}}\n",
        encoding="utf-8",
    )
    with pytest.raises(CatalogueError) as caught:
        load(folder)
    assert "transport has no row" in str(caught.value)
    row = (
        "  - {sector: transport, basis: consent, recipients: [contract], periodic: [contract],"
        " operators: [sandbox], article: PIPA 15, effective_from: 2011-09-30, source: Act,"
        " verified: false, needs: [contract], cite: {ko: 법, en: Act}, text: {ko: 동의, en: Consent}}\n"
    )
    legal = (folder / "legal.yaml").read_text(encoding="utf-8")
    (folder / "legal.yaml").write_text(legal.replace("self_download:\n", row + "self_download:\n"), "utf-8")
    assert load(folder).dataset("transport.rides").sector == "transport"


def _swap(file: str, old: str, new: str) -> Callable[[Path], None]:
    def bend(folder: Path) -> None:
        text = (folder / file).read_text(encoding="utf-8")
        assert old in text
        (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")

    return bend


MISTAKES: dict[str, tuple[Callable[[Path], None], str]] = {
    "a sector file is not YAML": (_swap("energy.yaml", "sector: energy", "sector: ["), "energy.yaml"),
    "a name written twice": (
        _swap("energy.yaml", "cycle_class:", "about: {}\n    cycle_class:"),
        "written twice",
    ),
    "an unknown member": (_swap("energy.yaml", "history_max:", "history_maxi:"), "energy.electricity-usage"),
    "a comma cut a text": (_swap("energy.yaml", '"How much', "How much"), "energy.electricity-usage"),
    "no English": (_swap("energy.yaml", ", en: Unit", ""), "fields.unit"),
    "an empty word": (_swap("energy.yaml", "en: Unit", "en: ' '"), "fields.unit"),
    "an unknown treatment": (_swap("energy.yaml", "treatment: keep", "treatment: blur"), "blur"),
    "a person kept": (
        _swap("retail.yaml", "class: money, treatment: keep", "class: direct, treatment: keep"),
        "suppressed",
    ),
    "an identifier kept": (
        _swap(
            "retail.yaml", "class: identifier, treatment: pseudonymise", "class: identifier, treatment: keep"
        ),
        "pseudonymised",
    ),
    "a step of one": (_swap("finance.yaml", "{round: 10000}", "{round: 1}"), "ABOVE 1"),
    "a second sector file": (_swap("energy.yaml", "sector: energy", "sector: finance"), "finance"),
    "a dataset of another sector": (
        _swap("energy.yaml", "energy.electricity", "power.electricity"),
        "must start",
    ),
    "a purpose over 150 characters": (_swap("purposes.yaml", "See bank", "See " * 40 + "bank"), "150"),
    "a purpose of no sector": (_swap("purposes.yaml", "[medical, retail]", "[space]"), "space"),
    "a period that is none": (_swap("purposes.yaml", "max_period: P1Y", "max_period: 1 year"), "max_period"),
    "a basis that is none": (_swap("legal.yaml", "basis: portability", "basis: custom"), "third_party[0]"),
    "a date that is none": (_swap("legal.yaml", "2021-02-04", "soon"), "third_party[0]"),
    "a legal row of no sector": (_swap("legal.yaml", "sector: finance", "sector: space"), "space"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_a_file_is_named(mistake: str, tmp_path: Path) -> None:
    """A wrong file is refused at load, saying which file and where in it."""
    bend, expected = MISTAKES[mistake]
    bend(_copy(tmp_path))
    with pytest.raises(CatalogueError) as caught:
        load(tmp_path)
    assert caught.value.code == "catalogue_invalid"
    assert ".yaml" in str(caught.value.params["where"])
    assert expected in str(caught.value)


def test_the_catalogue_cannot_be_changed() -> None:
    """What was loaded stays as it was loaded."""
    catalogue: Catalogue = load()
    with pytest.raises(TypeError):
        catalogue.datasets["x"] = catalogue.dataset("retail.orders")  # type: ignore[index]
    with pytest.raises(AttributeError):
        catalogue.dataset("retail.orders").sector = "finance"  # type: ignore[misc]
