"""Reads the catalogue files of a folder into one frozen `Catalogue`, or says exactly what is wrong where.

A file a sector, `purposes.yaml`, `legal.yaml`. Adding a sector or changing a law touches these files only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any, TypeVar

import msgspec

from consent.calendar import Period
from consent.catalogue import choosing, schema
from consent.catalogue.model import Catalogue, Dataset, Field, LegalBasis, Purpose, SelfDownload, Words
from consent.catalogue.strict_yaml import read
from consent.catalogue.words import both_languages as _words
from consent.catalogue.words import wrong as _wrong

_T = TypeVar("_T")
_NOT_SECTORS = frozenset({"purposes.yaml", "legal.yaml"})


def load(folder: Traversable | None = None, *more: Traversable) -> Catalogue:
    """Read every `*.yaml` of `folder` (default: the files of this package), then of each further folder.

    A further folder adds sectors, purposes and law rows; it takes nothing back and needs only the files it
    has something to say in. Raises CatalogueError `catalogue_invalid` with `where` (file and path inside it)
    and `what`. The files of this package are read once in a process.
    """
    if folder is None and not more:
        return _own()
    return _read((folder or _package(), *more))


@cache
def _own() -> Catalogue:
    return _read((_package(),))


def _package() -> Traversable:
    return resources.files("consent.catalogue")


def _read(folders: tuple[Traversable, ...]) -> Catalogue:
    sectors: dict[str, Words] = {}
    datasets: dict[str, Dataset] = {}
    for place in folders:
        for name in sorted(file.name for file in place.iterdir() if file.name.endswith(".yaml")):
            if name not in _NOT_SECTORS:
                _sector(place, name, sectors, datasets)
    purposes: dict[str, Purpose] = {}
    third: list[LegalBasis] = []
    downloads: list[SelfDownload] = []
    for place in folders:
        _purposes(place, sectors, purposes)
        _legal(place, sectors, third, downloads)
    for sector in sectors:
        if not any(row.sector == sector for row in third):
            raise _wrong("legal.yaml: third_party", f"sector {sector} has no row")
    return Catalogue(
        MappingProxyType(sectors),
        MappingProxyType(datasets),
        MappingProxyType(purposes),
        tuple(third),
        tuple(downloads),
    )


def _sector(folder: Traversable, name: str, sectors: dict[str, Words], datasets: dict[str, Dataset]) -> None:
    file = _shape(name, (), read(folder / name), schema.SectorFile)
    if file.sector in sectors:
        raise _wrong(f"{name}: sector", f"{file.sector} has a file already")
    sectors[file.sector] = _words(f"{name}: name", file.name)
    for id, entry in file.datasets.items():
        datasets[id] = _dataset(name, file.sector, id, entry)


def _dataset(file: str, sector: str, id: str, raw: Any) -> Dataset:
    where = f"{file}: datasets.{id}"
    if not id.startswith(f"{sector}."):
        raise _wrong(where, f"the id must start with '{sector}.'")
    entry = _shape(file, ("datasets", id), raw, schema.DatasetEntry)
    fields = {name: _field(file, (id, name), field) for name, field in entry.fields.items()}
    if not any(field.leaves for field in fields.values()):
        raise _wrong(where, "no field could ever leave")
    return Dataset(
        id=id,
        sector=sector,
        name=_words(f"{where}.name", entry.name),
        about=_words(f"{where}.about", entry.about),
        fields=MappingProxyType(fields),
        history_max=_period(f"{where}.history_max", entry.history_max),
        cycle_class=entry.cycle_class,
        account=choosing.account(where, entry, fields),
        kinds=choosing.kinds(where, entry, fields),
        amount=choosing.amount(where, entry, fields),
    )


def _field(file: str, at: tuple[str, str], raw: Any) -> Field:
    entry = _shape(file, ("datasets", at[0], "fields", at[1]), raw, schema.FieldEntry)
    where = f"{file}: datasets.{at[0]}.fields.{at[1]}"
    treatment, parameter = _treatment(where, entry.treatment)
    if (entry.kind == "direct") != (treatment == "suppress"):
        raise _wrong(where, "what names a person directly must be suppressed, and nothing else may be")
    if entry.kind == "identifier" and treatment != "pseudonymise":
        raise _wrong(where, "an identifier must be pseudonymised")
    return Field(
        id=at[1],
        name=_words(where, {"ko": entry.ko, "en": entry.en}),
        kind=entry.kind,
        treatment=treatment,
        parameter=parameter,
        sensitive=entry.sensitive,
    )


def _treatment(where: str, raw: str | dict[str, str | int]) -> tuple[str, str | int | None]:
    if isinstance(raw, str):
        if raw in schema.PLAIN_TREATMENTS:
            return raw, None
        raise _wrong(where, f"treatment '{raw}' is not one of {', '.join(schema.PLAIN_TREATMENTS)}")
    match list(raw.items()):
        case [("truncate", "hour" | "day" | "month" as unit)]:
            return "truncate", unit
        case [("round", int(step))] if step > 1 and not isinstance(step, bool):
            return "round", step
    raise _wrong(where, "treatment must be {truncate: hour|day|month} or {round: WHOLE NUMBER ABOVE 1}")


def _purposes(folder: Traversable, sectors: Mapping[str, Words], purposes: dict[str, Purpose]) -> None:
    name = "purposes.yaml"
    if purposes and not (folder / name).is_file():
        return
    for id, raw in _mapping(name, read(folder / name)).items():
        if id in purposes:
            raise _wrong(f"{name}: {id}", "there is such a purpose already")
        entry = _shape(name, (id,), raw, schema.PurposeEntry)
        for sector in entry.sectors:
            _known_sector(f"{name}: {id}.sectors", sector, sectors)
        if beyond := sorted(set(entry.youth) - set(entry.sectors)):
            raise _wrong(f"{name}: {id}.youth", f"{beyond[0]} is no sector of this purpose")
        about = _words(f"{name}: {id}.about", entry.about)
        if any(len(text) > 150 for text in about.values()):
            raise _wrong(f"{name}: {id}.about", "a purpose is told in 150 characters at most")
        _period(f"{name}: {id}.usual_frequency", entry.usual_frequency)
        purposes[id] = Purpose(
            id=id,
            name=_words(f"{name}: {id}.name", entry.name),
            about=about,
            sectors=tuple(entry.sectors),
            max_period=_period(f"{name}: {id}.max_period", entry.max_period),
            max_retention=_period(f"{name}: {id}.max_retention", entry.max_retention),
            usual_frequency=entry.usual_frequency,
            youth=tuple(entry.youth),
        )


def _legal(
    folder: Traversable,
    sectors: Mapping[str, Words],
    third: list[LegalBasis],
    downloads: list[SelfDownload],
) -> None:
    name = "legal.yaml"
    if third and not (folder / name).is_file():
        return
    file = _shape(name, (), read(folder / name), schema.LegalFile)

    def rows(section: str, entries: list[Any], kind: type[msgspec.Struct], made: Callable[..., Any]) -> Any:
        for place, raw in enumerate(entries):
            entry = _shape(name, (f"{section}[{place}]",), raw, kind)
            values = msgspec.structs.asdict(entry)
            _known_sector(f"{name}: {section}[{place}].sector", values["sector"], sectors)
            for words in ("cite", "text"):
                values[words] = _words(f"{name}: {section}[{place}].{words}", values[words])
            yield made(**values)

    third += rows("third_party", file.third_party, schema.BasisEntry, LegalBasis)
    downloads += rows("self_download", file.self_download, schema.DownloadEntry, SelfDownload)


def _shape(file: str, at: tuple[str, ...], raw: Any, kind: type[_T]) -> _T:
    try:
        return msgspec.convert(raw, kind, strict=True)
    except msgspec.ValidationError as error:
        raise _wrong(f"{file}: {'.'.join(at)}" if at else file, str(error)) from error


def _mapping(file: str, raw: Any) -> dict[str, Any]:
    return _shape(file, (), raw, dict[str, Any])


def _period(where: str, text: str) -> Period:
    try:
        return Period.parse(text)
    except ValueError as error:
        raise _wrong(where, str(error)) from error


def _known_sector(where: str, sector: str, sectors: Mapping[str, Words]) -> None:
    if sector not in sectors:
        raise _wrong(where, f"sector '{sector}' has no file")
