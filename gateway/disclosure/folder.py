"""A folder of records: one JSON object a line, and a signed list, so that no file can be missing."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from consent.receipt_jws import opened
from consent.receipts import Sign, in_order
from gateway.errors import Problem

MANIFEST, TYP = "manifest.jws", "mydata-records+jwt"
_PART = 1 << 20


class Folder:
    """An empty folder that is being filled; files are readable by this user only."""

    def __init__(self, place: Path) -> None:
        """Use `place`, made if it is not there; Problem `ledger_export_not_empty` unless it is empty."""
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(place.iterdir()):
            raise Problem("ledger_export_not_empty")
        self.place = place
        self.rows: dict[str, int] = {}

    async def write(self, name: str, rows: AsyncIterator[Mapping[str, Any]]) -> None:
        """Write `rows` to the file `name`.jsonl, one a line, as they come."""
        count = 0
        handle = os.open(self.place / f"{name}.jsonl", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            async for row in rows:
                file.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")
                count += 1
        self.rows[f"{name}.jsonl"] = count

    def close(self, about: Mapping[str, Any], sign: Sign) -> dict[str, Any]:
        """List every file of the folder with its hash, sign the list, and write it beside them."""
        listed = [
            {"name": name, "sha256": digest(file), **({"rows": self.rows[name]} if name in self.rows else {})}
            for name, file in sorted(_files(self.place).items())
        ]
        made = {**about, "files": listed}
        (self.place / MANIFEST).write_text(sign(in_order(made), TYP) + "\n", encoding="ascii")
        return made


def check(place: Path, issuer_jwks: Mapping[str, Any]) -> dict[str, Any]:
    """The signed list of a folder, once its signature held and every file is there as it was written.

    Raises ReceiptError for the signature, Problem `records_changed` naming the first file that is missing,
    changed, or not listed.
    """
    found = _files(place)
    if (place / MANIFEST).is_file():
        signed = (place / MANIFEST).read_bytes().strip()
    else:
        raise Problem("records_changed", params={"file": MANIFEST})
    made = opened(signed, issuer_jwks, typ=TYP, limit=64 * _PART)
    listed = {one["name"]: one["sha256"] for one in made["files"]}
    for name in sorted(listed.keys() | found.keys()):
        if name not in listed or name not in found or digest(found[name]) != listed[name]:
            raise Problem("records_changed", params={"file": name})
    return made


def digest(file: Path) -> str:
    """SHA-256 of a file, hex."""
    with file.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


def _files(place: Path) -> dict[str, Path]:
    """Every file below, but the list itself, by its path inside."""
    every = (file for file in place.rglob("*") if file.is_file())
    return {name: file for file in every if (name := file.relative_to(place).as_posix()) != MANIFEST}
