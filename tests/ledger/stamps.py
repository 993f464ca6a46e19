"""Time-stamping authorities of the tests, made by `openssl` alone, and the ways a stamp can be wrong."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.ledger.corruption import EARLIER, HONEST, OTHER, flip

_SETTINGS = """\
[tsa]
default_tsa = here
[here]
serial = {home}/serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
[req]
distinguished_name = name
x509_extensions = stamping
prompt = no
[name]
CN = {name}
[stamping]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
subjectKeyIdentifier = hash
"""


class Authority:
    """A time-stamping authority with its own self-signed certificate."""

    def __init__(self, home: Path, name: str) -> None:
        home.mkdir()
        self._home, self.certificate = home, home / "tsa.pem"
        (home / "settings").write_text(_SETTINGS.format(home=home, name=name))
        (home / "serial").write_text("01\n")
        made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
        _openssl(*made, "-config", home / "settings", "-keyout", home / "key.pem", "-out", self.certificate)

    def stamp(self, file: Path, answer: Path) -> Path:
        """Stamp `file`, as anybody could ask for it: a query by openssl, answered into `answer`."""
        query = self._home / "query.tsq"
        _openssl("ts", "-query", "-data", file, "-sha256", "-cert", "-out", query)
        signer: list[str | Path] = ["-signer", self.certificate, "-inkey", self._home / "key.pem"]
        settings: list[str | Path] = ["-config", self._home / "settings"]
        _openssl("ts", "-reply", "-queryfile", query, *signer, *settings, "-out", answer)
        return answer


def _openssl(*words: str | Path) -> None:
    subprocess.run(["openssl", *map(str, words)], capture_output=True, check=True, timeout=60)


@dataclass(frozen=True)
class Stamped:
    """An export, the checkpoint that was stamped, the token, and the certificate the reader trusts."""

    export: Path
    note: Path
    token: Path
    trusted: Path


def _cut(case: Stamped) -> None:
    case.token.write_bytes(case.token.read_bytes()[:-40])


CLASSES: dict[str, Callable[[Stamped, Authority, Authority], object]] = {
    "honest stamp": lambda _case, _right, _other: None,
    "of another checkpoint": lambda case, _right, _other: case.note.write_text(HONEST.note),
    "checkpoint of a fork": lambda case, right, _other: (
        case.note.write_text(OTHER.note),
        right.stamp(case.note, case.token),
    ),
    "another authority": lambda case, _right, other: other.stamp(case.note, case.token),
    "bit of the signature": lambda case, _right, _other: flip(
        case.token, 8 * (case.token.stat().st_size - 20)
    ),
    "bit of the time": lambda case, _right, _other: flip(case.token, 8 * _time(case.token)),
    "token cut": lambda case, _right, _other: _cut(case),
    "not a token": lambda case, _right, _other: case.token.write_bytes(b"stamped, honestly"),
}


def _time(token: Path) -> int:
    """Where the seconds of the token's time stand."""
    data = token.read_bytes()
    return data.index(b"Z\x30", data.index(b"\x18\x0f")) - 1


def made(name: str, folder: Path, authorities: tuple[Authority, Authority]) -> Stamped:
    """An export of 600 entries with a stamp over its checkpoint at 300, wrong in the way `name` says."""
    right, other = authorities
    case = Stamped(
        HONEST.write(folder / "export"), folder / "stamped", folder / "stamp.tsr", right.certificate
    )
    case.note.write_text(EARLIER.note)
    right.stamp(case.note, case.token)
    CLASSES[name](case, right, other)
    return case
