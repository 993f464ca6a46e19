"""Who may look into the ledger over HTTP: scoped accounts, named by the operator, known by a token's hash.

readers:
  - id: fsc                      # stands in the ledger for every look
    name: Financial Services Commission
    token_sha256: 6c3f...        # printf %s TOKEN | sha256sum
    may: [entries, search, citizens, open, decisions, what-if]
"""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import yaml

from gateway.errors import Problem
from gateway.settings import SettingsError

Scope = Literal[
    "entries", "search", "citizens", "open", "decisions", "what-if", "support", "withdraw", "end", "metrics"
]


class Reader(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One account: `entries` may copy the log, `search` look for entries, `open` read what they say.

    `citizens` may ask which entries are one citizen's; the citizen sees that in their own trail.
    `decisions` may list past decisions and have each made again, `what-if` have another policy tried on them.
    `support` may ask the support doors, `withdraw` bring a citizen's withdrawal, `metrics` read them.
    `end` may end what `holder`, the holder whose account it is, has part of.
    """

    id: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{1,62}$")]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    token_sha256: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")] = msgspec.field()
    may: tuple[Scope, ...]
    holder: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{1,62}$")] | None = None


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    readers: tuple[Reader, ...]


class Readers:
    """Every account; an empty set admits nobody."""

    def __init__(self, readers: tuple[Reader, ...] = ()) -> None:
        """Admit these."""
        self._readers = readers

    def named(self, id: str) -> Reader | None:
        """The account of that id."""
        return next((reader for reader in self._readers if reader.id == id), None)

    def admit(self, authorization: str | None, scope: Scope) -> Reader:
        """The account of a bearer token; Problem `reader_unknown`, `reader_scope` if it may not do this."""
        scheme, _, token = (authorization or "").partition(" ")
        reader = self.known(token)
        if scheme.lower() != "bearer":
            raise Problem("reader_unknown")
        return allowed(reader, scope)

    def known(self, token: str) -> Reader:
        """The account of a token; Problem `reader_unknown`."""
        given = hashlib.sha256(token.encode()).hexdigest()
        # Every account is compared, so that time tells nothing about which one was near.
        found = [reader for reader in self._readers if hmac.compare_digest(reader.token_sha256, given)]
        if not found:
            raise Problem("reader_unknown")
        return found[0]


def allowed(reader: Reader, scope: Scope) -> Reader:
    """The account, if it may; else Problem `reader_scope`."""
    if scope not in reader.may:
        raise Problem("reader_scope", params={"scope": scope})
    return reader


def load_readers(file: Path) -> Readers:
    """Read the accounts; raises SettingsError."""
    try:
        read = msgspec.convert(yaml.safe_load(file.read_text(encoding="utf-8")), _File, strict=True)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, msgspec.ValidationError) as error:
        raise SettingsError([f"MYDATA.L010 {file}: cannot be read: {str(error).splitlines()[0]}"]) from error
    for values in ([r.id for r in read.readers], [r.token_sha256 for r in read.readers]):
        if len(set(values)) != len(values):
            raise SettingsError([f"MYDATA.L011 {file}: an id or a token stands twice"])
    for one in read.readers:
        if ("end" in one.may) != (one.holder is not None):
            raise SettingsError([f"MYDATA.L012 {file}: {one.id}: `end` and `holder` stand together"])
    return Readers(read.readers)
