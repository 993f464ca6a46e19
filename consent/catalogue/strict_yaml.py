"""YAML without surprises: a name written twice in a mapping is an error, never the last one winning."""

from __future__ import annotations

from importlib.resources.abc import Traversable
from typing import Any

import yaml

from consent.errors import CatalogueError


class _Loader(yaml.SafeLoader):
    """SafeLoader that refuses repeated keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Build a mapping, once each key."""
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for place, key in enumerate(keys):
            if key in keys[:place]:
                raise yaml.YAMLError(f"'{key}' is written twice")
        return super().construct_mapping(node, deep)


def read(file: Traversable) -> Any:
    """What the file says. CatalogueError `catalogue_invalid` if it cannot be read or parsed."""
    try:
        return yaml.load(file.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - a SafeLoader
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        what = " ".join(str(error).split())
        raise CatalogueError("catalogue_invalid", where=file.name, what=what) from error
