"""Where an export is read from: a folder, a tar archive, or an address. Bounded reads, nothing followed."""

from __future__ import annotations

import http.client
import os
import stat
import tarfile
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Protocol
from urllib.parse import urlsplit

from .report import Absent, Finding

TIMEOUT_SECONDS = 30
_GONE = (404, 410)


class Source(Protocol):
    """Gives files of the log by their path; MUST NOT follow a link out of what it was given."""

    def read(self, path: str, limit: int) -> bytes:
        """The file's bytes; Finding `file_missing`, `file_unlisted` (not a plain file), `file_too_long`."""

    def unlisted(self, expected: set[str]) -> Iterator[str]:
        """Everything there that is not among `expected`; nothing where that cannot be asked."""

    def close(self) -> None:
        """Let go of what is held open."""


class Folder:
    """A folder, as `mydata ledger export` writes it."""

    def __init__(self, folder: Path) -> None:
        """Read below `folder`."""
        self._folder = folder

    def close(self) -> None:
        """Nothing is held open."""

    def read(self, path: str, limit: int) -> bytes:
        """See Source."""
        try:
            if not stat.S_ISREG((self._folder / path).lstat().st_mode):
                raise Finding("file_unlisted", path, "is not a regular file")
            with (self._folder / path).open("rb") as file:
                return bounded(file, path, limit)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise Absent(path, error.strerror or "is not there") from None
        except OSError as error:
            raise Finding("file_missing", path, error.strerror or "cannot be read") from None

    def unlisted(self, expected: set[str]) -> Iterator[str]:
        """Files, links and folders the log does not consist of."""
        folders = {str(parent) for path in expected for parent in Path(path).parents}
        for place, inner, names in os.walk(self._folder):
            for name in sorted(inner):
                path = (Path(place) / name).relative_to(self._folder).as_posix()
                if path not in folders or (self._folder / path).is_symlink():
                    yield path
            for name in sorted(names):
                path = (Path(place) / name).relative_to(self._folder).as_posix()
                if path not in expected:
                    yield path


class Archive:
    """A tar archive (plain or gzip) of an export: plain files and folders, each name once."""

    def __init__(self, file: Path) -> None:
        """Read the table of contents; raises Finding `source_unreadable` for what is no whole archive."""
        self._opened = file.open("rb")
        try:
            self._tar = tarfile.open(fileobj=self._opened, mode="r:*", errorlevel=2)  # noqa: SIM115 - close()
            members = self._tar.getmembers()
        except (tarfile.TarError, OSError, EOFError, zlib.error, ValueError):
            self.close()
            raise Finding(
                "source_unreadable", str(file), "neither a folder nor a whole tar archive"
            ) from None
        self._files = {member.name.removeprefix("./"): member for member in members}
        if len(self._files) != len(members):
            self.close()
            raise Finding("source_unreadable", str(file), "a name stands in it twice")

    def close(self) -> None:
        """Close the archive."""
        self._opened.close()

    def read(self, path: str, limit: int) -> bytes:
        """See Source."""
        member = self._files.get(path)
        if member is None:
            raise Absent(path, "is not in the archive")
        if not member.isreg() or member.sparse is not None:
            raise Finding("file_unlisted", path, "is not a regular file")
        try:
            file = self._tar.extractfile(member)
            data = bounded(file, path, limit) if file else b""
        except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
            raise Finding("source_unreadable", path, f"the archive is cut or damaged: {error}") from None
        if len(data) != member.size:
            raise Finding("source_unreadable", path, "the archive ends inside this file")
        return data

    def unlisted(self, expected: set[str]) -> Iterator[str]:
        """Members the log does not consist of."""
        folders = {str(parent) for path in expected for parent in Path(path).parents}
        for name, member in sorted(self._files.items()):
            if name not in expected and not (member.isdir() and (name or ".") in folders):
                yield name


class Address:
    """A log served over http(s). Redirections are refused; what else the server has cannot be listed."""

    def __init__(self, url: str, token: str | None = None) -> None:
        """Read below `url`; `token` is sent as a bearer token, over https or to this machine only."""
        parts = urlsplit(url)
        local = parts.hostname in {"127.0.0.1", "localhost", "::1"}
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise Finding("source_unreadable", url, "not an http(s) address of a log")
        if token and parts.scheme == "http" and not local:
            raise Finding("source_unreadable", url, "a token is never sent without TLS")
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._opener = urllib.request.build_opener(_NoRedirect)

    def close(self) -> None:
        """Nothing is held open: one connection a file."""

    def read(self, path: str, limit: int) -> bytes:
        """See Source."""
        request = urllib.request.Request(f"{self._url}/{path}", headers=self._headers)  # noqa: S310 - checked above
        try:
            with self._opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
                return bounded(answer, path, limit)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code in _GONE:
                raise Absent(path, f"the server answered {error.code}") from None
            raise Finding("file_missing", path, f"the server answered {error.code}") from None
        except http.client.HTTPException as error:  # the text is the server's own
            raise Finding("source_unreadable", path, f"not an HTTP answer: {type(error).__name__}") from None
        except (OSError, ValueError) as error:
            raise Finding("source_unreadable", path, f"the server cannot be read: {error}") from None

    def unlisted(self, expected: set[str]) -> Iterator[str]:  # noqa: ARG002 - there is no list to compare
        """Nothing: a server does not say what else it has."""
        return iter(())


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Follow nothing: the answer of another place is not this log's."""


def bounded(file: IO[bytes], path: str, limit: int) -> bytes:
    """Everything in `file`, if that is at most `limit` bytes; else Finding `file_too_long`."""
    data = file.read(limit + 1)
    if len(data) > limit:
        raise Finding("file_too_long", path, f"is longer than the {limit} bytes it can have")
    return data


def source_of(place: str, token: str | None = None) -> Source:
    """The source that `place` names: an address, a folder, else a tar file."""
    if place.startswith(("http://", "https://")):
        return Address(place, token)
    return Folder(Path(place)) if not Path(place).is_file() else Archive(Path(place))
