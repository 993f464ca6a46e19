"""The file a citizen takes: exactly what holders gave (data.json), the same to read (HTML) and to use (CSV).

Nothing is written anywhere: it is put together from what lies sealed when it is fetched. A table cell a
spreadsheet might run is written with an apostrophe before it; data.json is exact.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from markupsafe import Markup, escape

from consent.rights import AskedItem, Received, SelfRequest
from gateway.errors import Language
from gateway.transfers.own.collected import Collected, Part
from gateway.web import phrases
from gateway.web.item_names import dataset_name, field_names, holder_name
from gateway.web.reasons import reason
from gateway.web.site import Site
from gateway.web.words import words

_FIRST = (1980, 1, 1, 0, 0, 0)
"""Every file in the archive has the same moment: the archive of the same data is the same."""
_CELL = Markup("<td>{}</td>")
_RUNS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class OwnFile:
    """What goes into the archive: a request, what came of it, in one language."""

    site: Site
    request: SelfRequest
    collected: Collected
    language: Language

    def archive(self) -> bytes:
        """The zip archive."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in self._files():
                info = zipfile.ZipInfo(name, _FIRST)
                info.compress_type = zipfile.ZIP_DEFLATED
                info.external_attr = 0o600 << 16
                archive.writestr(info, content)
        return buffer.getvalue()

    def _files(self) -> list[tuple[str, bytes]]:
        files = [("data.json", self._json()), ("index.html", self._html().encode())]
        for item in self.request.items:
            if part := self.collected.parts.get(item.name):
                files.append((f"{item.holder}.{item.dataset}.csv", self._csv(item, part)))
        return files

    def _json(self) -> bytes:
        told = {one.item: one for one in self.request.received}
        items = [self._item(item, told.get(item.name)) for item in self.request.items]
        whole = {"request": self.request.id, "asked_at": self.request.asked_at, "items": items}
        return orjson.dumps(whole, option=orjson.OPT_INDENT_2)

    def _item(self, item: AskedItem, received: Received | None) -> dict[str, Any]:
        part = self.collected.parts.get(item.name)
        return {
            "holder": item.holder,
            "dataset": item.dataset,
            "outcome": received.outcome if received else "pending",
            "reason": received.reason if received else None,
            "excluded": dict(item.excluded),
            "pulled_at": part.pulled_at if part else None,
            "records": [orjson.Fragment(bytes(one)) for one in part.records] if part else [],
        }

    def _csv(self, item: AskedItem, part: Part) -> bytes:
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow(item.fields)
        for row in _rows(item.fields, part):
            writer.writerow([_harmless(cell) for cell in row])
        return b"\xef\xbb\xbf" + text.getvalue().encode()

    def _html(self) -> str:
        t = words(self.language)
        parts = [Markup("<h1>{}</h1>").format(t("rights.file_title"))]
        parts.append(Markup("<p>{}</p>").format(t("rights.file_about", reference=self.request.id)))
        told = {one.item: one for one in self.request.received}
        parts += [self._section(item, told.get(item.name)) for item in self.request.items]
        head = Markup(
            '<!doctype html><html lang="{}"><head><meta charset="utf-8"><title>{}</title>'
            '<meta name="viewport" content="width=device-width"></head><body>'
        ).format(self.language, t("rights.file_title"))
        return str(head + Markup("\n").join(parts) + Markup("</body></html>\n"))

    def _section(self, item: AskedItem, received: Received | None) -> Markup:
        t, spoken = words(self.language), self.language
        name = (
            f"{holder_name(self.site, item.holder, spoken)} {dataset_name(self.site, item.dataset, spoken)}"
        )
        lines = [Markup("<h2>{}</h2>").format(name)]
        if received and received.reason:
            lines.append(Markup("<p>{}</p>").format(reason(received.reason, spoken)))
        if item.excluded:
            left = field_names(self.site, item.dataset, item.excluded, spoken)
            lines.append(Markup("<p>{}</p>").format(t("rights.excluded", fields=left)))
        if part := self.collected.parts.get(item.name):
            pulled = phrases.moment(part.pulled_at, spoken)
            lines.append(
                Markup("<p>{}</p>").format(t("rights.file_part", count=len(part.records), when=pulled))
            )
            lines.append(self._table(item, part))
        return Markup("\n").join(lines)

    def _table(self, item: AskedItem, part: Part) -> Markup:
        names = [field_names(self.site, item.dataset, [name], self.language) for name in item.fields]
        head = Markup("").join(Markup("<th>{}</th>").format(name) for name in names)
        rows = [
            Markup("<tr>{}</tr>").format(Markup("").join(_CELL.format(escape(_plain(cell))) for cell in row))
            for row in _rows(item.fields, part)
        ]
        return Markup("<table><tr>{}</tr>\n{}</table>").format(head, Markup("\n").join(rows))


def _rows(fields: Sequence[str], part: Part) -> list[list[Any]]:
    return [[record.get(name) for name in fields] for record in _records(part)]


def _records(part: Part) -> list[dict[str, Any]]:
    return [orjson.loads(bytes(one)) for one in part.records]


def _plain(cell: Any) -> str:
    if cell is None:
        return ""
    return cell if isinstance(cell, str) else orjson.dumps(cell).decode()


def _harmless(cell: Any) -> str:
    text = _plain(cell)
    return f"'{text}" if isinstance(cell, str) and text.startswith(_RUNS) else text
