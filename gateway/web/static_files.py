"""The style sheet and the icon, held in memory under names that carry the hash of their content."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

from starlette.requests import Request
from starlette.responses import Response

from gateway.errors import Problem
from gateway.security.headers import IMMUTABLE

_STYLES = ("tokens", "base", "layout", "components", "controls")


@dataclass(frozen=True)
class StaticFile:
    """One file as it is served."""

    content: bytes
    media_type: str


class StaticFiles:
    """Every static file, read once. A name changes with its content, so it may be cached for ever."""

    def __init__(self) -> None:
        """Read the files of the package."""
        folder = resources.files("gateway.web").joinpath("static")
        styles = b"".join(folder.joinpath(f"css/{name}.css").read_bytes() for name in _STYLES)
        icon = folder.joinpath("icons/icon.svg").read_bytes()
        plain = {"site.css": StaticFile(styles, "text/css"), "icon.svg": StaticFile(icon, "image/svg+xml")}
        self._addresses = {name: _hashed(name, file) for name, file in plain.items()}
        self._files: Mapping[str, StaticFile] = {self._addresses[name]: file for name, file in plain.items()}

    def address(self, name: str) -> str:
        """Where pages find the file called `name`; KeyError if there is none."""
        return f"/static/{self._addresses[name]}"

    async def serve(self, request: Request) -> Response:
        """Answer `/static/{name}`."""
        file = self._files.get(request.path_params["name"])
        if file is None:
            raise Problem("not_found")
        return Response(file.content, media_type=file.media_type, headers={"cache-control": IMMUTABLE})


def _hashed(name: str, file: StaticFile) -> str:
    stem, _, ending = name.rpartition(".")
    return f"{stem}.{hashlib.sha256(file.content).hexdigest()[:16]}.{ending}"
