"""An export in a folder, an archive or at an address: the same answer, and nothing followed or overrun."""

from __future__ import annotations

import io
import socket
import tarfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from consent.ledger.verify import Finding, Trust, main, source_of, verify
from tests.file_server import Files, answering
from tests.unit.consent.ledger.exports import VKEY, MadeLog

LOG = MadeLog(600)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A fresh export of the log."""
    return LOG.write(tmp_path / "export")


class Guarded(Files):
    """Serves files, asks for a token below /entries/ when told one, sends `moved` away."""

    token: str | None = None

    def do_GET(self) -> None:  # noqa: N802 - as http.server names it
        """Answer one request."""
        if "moved" in self.path:
            self.send_response(302)
            self.send_header("Location", self.path.replace("moved/", ""))
            self.end_headers()
        elif self.token and "/entries/" in self.path and self.headers["Authorization"] != self.token:
            self.send_error(401)
        else:
            super().do_GET()


@pytest.fixture
def address(folder: Path) -> Iterator[str]:
    """The export behind a static file server."""
    with answering(partial(Guarded, directory=str(folder))) as served:
        yield served


def codes(place: str | Path, *, entries: bool = True, token: str | None = None) -> list[str]:
    """What is found at `place`."""
    try:
        source = source_of(str(place), token)
    except Finding as finding:
        return [finding.code]
    return [finding.code for finding in verify(source, Trust.of([VKEY]), entries=entries).findings]


def packed(folder: Path, file: Path, mode: Any = "w") -> Path:
    """The folder as an archive."""
    with tarfile.open(file, mode) as archive:
        archive.add(folder, ".")
    return file


def test_an_archive_says_what_its_folder_says(folder: Path, tmp_path: Path) -> None:
    """Plain and compressed archives verify; damage, additions and links inside are named."""
    assert codes(packed(folder, tmp_path / "a.tar")) == []
    assert codes(packed(folder, tmp_path / "a.tgz", "w:gz")) == []
    (folder / "notes").write_text("x")
    assert codes(packed(folder, tmp_path / "b.tar")) == ["file_unlisted"]
    (folder / "notes").unlink()
    (folder / "tile/0/000").rename(folder / "tile/0/moved")
    (folder / "tile/0/000").symlink_to("moved")
    assert codes(packed(folder, tmp_path / "c.tar")) == ["file_unlisted"]


def test_a_cut_archive_never_verifies(folder: Path, tmp_path: Path) -> None:
    """Wherever an archive was cut before its last file, something is missing or unreadable; no crash."""
    whole = packed(folder, tmp_path / "a.tar").read_bytes()
    squeezed = packed(folder, tmp_path / "a.tgz", "w:gz").read_bytes()
    end = len(whole.rstrip(b"\x00"))
    for number in range(40):
        (tmp_path / "cut").write_bytes(whole[: end * number // 40])
        assert codes(tmp_path / "cut"), number
        (tmp_path / "cut").write_bytes(squeezed[: len(squeezed) * number // 40])
        assert codes(tmp_path / "cut"), number


def test_an_archive_with_a_name_twice_is_refused(folder: Path, tmp_path: Path) -> None:
    """Two files of one name could show one history to one reader and another to the next."""
    file = packed(folder, tmp_path / "a.tar")
    with tarfile.open(file, "a") as archive:
        info = tarfile.TarInfo("checkpoint")
        archive.addfile(info, io.BytesIO(b""))

    assert codes(file) == ["source_unreadable"]


def test_an_address_says_what_its_folder_says(folder: Path, address: str) -> None:
    """The same files over http verify; a missing one and a closed port are named."""
    assert codes(address) == []
    assert codes(f"{address}/") == []
    (folder / "tile/entries/001").unlink()
    assert codes(address) == ["gap_unnamed"]
    (folder / "tile/0/001").unlink()
    assert codes(address) == ["file_missing"]
    assert codes("http://127.0.0.1:9") == ["source_unreadable"]
    assert codes("http://127.0.0.1:9/?x=1") == ["source_unreadable"]


def test_without_entries_the_hashes_are_checked(folder: Path, address: str) -> None:
    """A public address serves no entries: --hashes-only still finds a changed hash, and says what it left."""
    for bundle in (folder / "tile/entries").rglob("*"):
        if bundle.is_file():
            bundle.unlink()
    assert codes(address) == ["gap_unnamed"]
    assert codes(address, entries=False) == []
    report = verify(source_of(address), Trust.of([VKEY]), entries=False)
    assert report.checks()["entries"] == "not checked"
    assert "entries were not read" in report.as_text()
    data = bytearray((folder / "tile/0/001").read_bytes())
    data[40] ^= 1
    (folder / "tile/0/001").write_bytes(data)
    assert codes(address, entries=False)[-1] == "root_mismatch"


def test_nothing_is_followed_and_no_token_leaks(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A redirection is not followed; a token opens entries, and is never sent over plain http elsewhere."""
    monkeypatch.setattr(Guarded, "token", "Bearer secret")
    assert codes(f"{address}/moved") == ["file_missing"]
    assert codes(address) == ["file_missing"]
    assert codes(address, token="secret") == []
    assert codes("http://gateway.test/ledger", token="secret") == ["source_unreadable"]


@pytest.mark.parametrize(
    "answer",
    [
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000 + b"\r\n\r\n",
    ],
)
def test_a_server_that_speaks_no_http_is_a_finding(answer: bytes) -> None:
    """Whatever comes back, the verifier says so in its own words and goes on."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(answer)

        thread = Thread(target=serve)
        thread.start()
        source = source_of(f"http://127.0.0.1:{server.getsockname()[1]}")
        with pytest.raises(Finding, match="HTTP answer"):
            source.read("checkpoint", 100)
        thread.join()


def test_what_is_too_long_is_not_read(folder: Path) -> None:
    """A file that cannot be part of a log is refused by its length, before it fills the memory."""
    with (folder / "tile/entries/000").open("ab") as file:
        file.truncate(1 << 33)
    assert codes(folder) == ["file_too_long"]


def test_the_command_reads_all_three(
    folder: Path, address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Folder, archive and address on the command line; --max-age without a policy is refused."""
    archive = packed(folder, tmp_path / "a.tar")
    assert [main([place, "--key", VKEY]) for place in (str(folder), str(archive), address)] == [0, 0, 0]
    assert main([str(folder), "--key", VKEY, "--max-age", "5"]) == 2
    assert main([str(tmp_path / "none"), "--key", VKEY]) == 20
    assert "needs --policy" in capsys.readouterr().err
