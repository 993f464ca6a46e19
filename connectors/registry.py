"""From a registry entry to a connector: the sector names it.

`connectors/sectors/SECTOR/connector.py` with `connect(manifest_of: Entry) -> Holder` if there is one, else
`connectors/sectors/SECTOR/spec.yaml`. A new sector is a folder; nothing here changes.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import cast

from connectors.contract import Budget, Dataset, Holder, Manifest
from connectors.declared import DeclaredHolder
from connectors.errors import SpecError
from connectors.origins import origin_of
from connectors.spec import Spec, load


@dataclass(frozen=True, slots=True)
class Entry:
    """One holder of the operator's registry. `origin`: scheme, host and port, nothing more."""

    id: str
    sector: str
    name: Mapping[str, str]
    origin: str
    org_code: str
    budget: Budget = field(default_factory=Budget)

    def manifest(self, datasets: Mapping[str, str]) -> Manifest:
        """The manifest of this holder offering `datasets` (catalogue id -> standard).

        Raises SpecError if the origin is not one.
        """
        where = origin_of(self.origin)
        if (
            where is None
            or self.origin.partition("://")[2].strip("/").count("/")
            or self.origin.endswith("/")
        ):
            raise SpecError([f"{self.id}: the origin must be scheme, host and port only"])
        offered = [Dataset(name, standard) for name, standard in datasets.items()]
        return Manifest(self.id, self.sector, self.name, self.origin, self.org_code, offered, self.budget)


def connect(entry: Entry, *more: Traversable) -> Holder:
    """The connector for a registry entry; raises SpecError for an unknown sector or a wrong entry.

    A folder of `more` may hold `connectors/SECTOR.yaml`, the spec of a sector that is not shipped.
    """
    for folder in more:
        if (file := folder / "connectors" / f"{entry.sector}.yaml").is_file():
            return declared(entry, load(file.read_text(encoding="utf-8")))
    if entry.sector not in sectors():
        raise SpecError([f"{entry.id}: there is no connector for the sector {entry.sector}"])
    module = f"connectors.sectors.{entry.sector}.connector"
    if importlib.util.find_spec(module) is not None:
        return cast("Holder", importlib.import_module(module).connect(entry))
    return declared(entry, _spec(entry.sector))


def declared(entry: Entry, spec: Spec) -> Holder:
    """The holder of `entry` speaking the standard of `spec`."""
    if spec.sector != entry.sector:
        raise SpecError([f"{entry.id}: the spec is for the sector {spec.sector}"])
    return DeclaredHolder(entry.manifest(dict.fromkeys(spec.datasets, spec.standard)), spec)


@cache
def sectors() -> frozenset[str]:
    """The sectors there is a connector for."""
    return frozenset(_found())


def _found() -> Iterator[str]:
    for folder in resources.files("connectors").joinpath("sectors").iterdir():
        if folder.is_dir() and any(folder.joinpath(f).is_file() for f in ("connector.py", "spec.yaml")):
            yield folder.name


@cache
def _spec(sector: str) -> Spec:
    file = resources.files("connectors").joinpath("sectors", sector, "spec.yaml")
    return load(file.read_text(encoding="utf-8"))
