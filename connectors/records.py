"""From raw rows of a declared dataset to records: key, time, version, and what is not taken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import msgspec

from connectors.contract import Json, PullRequest, Record
from connectors.rows import RowReader, corrupt, key_of, local_day, moment_of, spliced
from connectors.spec import DatasetSpec


class Records:
    """Turns raw rows into records of one dataset."""

    def __init__(self, dataset: DatasetSpec, request: PullRequest, allowed: frozenset[str] | None) -> None:
        """`allowed`: the values `within` lets through; None lets any."""
        self._dataset = dataset
        self._request = request
        self._allowed = allowed
        self._equal: Counter[str] = Counter()
        self._names = tuple(name for name in dataset.key if name != "$ordinal")
        more = (dataset.at and dataset.at.field, dataset.version, dataset.within and dataset.within.field)
        self._reader = RowReader(
            [*self._names, *dataset.add, *dataset.only, *(name for name in more if name)]
        )

    def of(self, rows: list[msgspec.Raw], added: Mapping[str, Json]) -> Iterator[Record]:
        """The records of a page: what was asked for, nothing the person left out."""
        for row in rows:
            fields = self._reader.read(row)
            if any(name in fields and fields[name] != value for name, value in added.items()):
                raise corrupt("a row belongs to another account than the one asked for", final=True)
            if any(fields.get(name) != value for name, value in self._dataset.only.items()):
                continue
            body = spliced(row, {name: value for name, value in added.items() if name not in fields})
            record = self._record(body, {**fields, **added})
            if record is not None:
                yield record

    def _record(self, body: bytes, fields: Mapping[str, Json]) -> Record | None:
        dataset, moment = self._dataset, None
        if dataset.within and str(fields.get(dataset.within.field)) not in (self._allowed or ()):
            return None
        if dataset.at:
            moment = moment_of(fields.get(dataset.at.field), dataset.at.format, dataset.at.zone)
            day = local_day(moment, dataset.at.zone)
            if not self._request.since <= day <= self._request.until:
                return None
        key = key_of(fields, self._names)
        if "$ordinal" in dataset.key:
            self._equal[key] += 1
            key = f"{key}#{self._equal[key]}"
        version = str(fields[dataset.version]) if dataset.version and dataset.version in fields else None
        return Record(key, body, moment, version)
