"""The words of the pages: YAML files of each language, the same keys in each, plain text without markup.

`locales/ko.yaml` holds the words of every page, `locales/PART.ko.yaml` those of one part; a key stands once.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import yaml

from gateway.errors import Language
from gateway.web.josa import josa

LANGUAGES: tuple[Language, ...] = ("ko", "en")


class _Sentence(string.Formatter):
    """Fills `{name}`, and `{name:이/가}` with the particle that fits the name."""

    def format_field(self, value: Any, format_spec: str) -> Any:
        if "/" in format_spec:
            return josa(str(value), format_spec)
        return super().format_field(value, format_spec)


_SENTENCE = _Sentence()


class Words:
    """Sentences of one language by key. An unknown key or a missing value is a KeyError, never a blank."""

    def __init__(self, language: Language, sentences: Mapping[str, str]) -> None:
        """Speak `language` with these `sentences`."""
        self.language = language
        self._sentences = sentences

    def __call__(self, key: str, **values: object) -> str:
        """The sentence of `key` with `values` filled in."""
        return _SENTENCE.vformat(self._sentences[key], (), values)

    def sentence(self, key: str) -> str:
        """The sentence of `key` with its places open."""
        return self._sentences[key]

    def __contains__(self, key: str) -> bool:
        return key in self._sentences

    @property
    def keys(self) -> frozenset[str]:
        """Every key of this language."""
        return frozenset(self._sentences)


@cache
def words(language: Language) -> Words:
    """The words of `language`, read once. Raises ValueError for a key that stands twice."""
    sentences: dict[str, str] = {}
    for file in resources.files("gateway.web").joinpath("locales").iterdir():
        if file.name == f"{language}.yaml" or file.name.endswith(f".{language}.yaml"):
            found = _flat("", yaml.safe_load(file.read_text(encoding="utf-8")))
            if twice := sorted(found.keys() & sentences.keys()):
                raise ValueError(f"{file.name}: {twice[0]} stands twice")
            sentences |= found
    return Words(language, sentences)


def _flat(prefix: str, tree: Mapping[str, Any]) -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            flat |= _flat(f"{prefix}{key}.", value)
        else:
            flat[f"{prefix}{key}"] = str(value)
    return flat
