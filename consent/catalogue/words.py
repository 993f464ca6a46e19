"""Words in both languages, as every catalogue file gives them, and the error that names the place."""

from __future__ import annotations

from types import MappingProxyType

from consent.catalogue.model import Words
from consent.errors import CatalogueError


def both_languages(where: str, raw: dict[str, str]) -> Words:
    """`raw` in `ko` and `en`, neither empty; CatalogueError `catalogue_invalid` otherwise."""
    if set(raw) != {"ko", "en"} or not all(text.strip() for text in raw.values()):
        raise wrong(where, "words must be there in ko and en, and not be empty")
    return MappingProxyType({language: text.strip() for language, text in raw.items()})


def wrong(where: str, what: str) -> CatalogueError:
    """The error of a catalogue file: `where` (file and path inside it) and `what`."""
    return CatalogueError("catalogue_invalid", where=where, what=what)
