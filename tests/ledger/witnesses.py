"""Witnesses to ask in tests: ours, and PyPI's aics-witness in a process of its own."""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from queue import Queue

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.ledger.witness import Witness, witness_app
from tests import aics
from tests.serving import listening, origin_of, serving

SECONDS = 30


@asynccontextmanager
async def our_witness(
    folder: Path, log: str, name: str = "bank.test/witness"
) -> AsyncIterator[tuple[str, str]]:
    """Address and key of our witness, watching `log`."""
    witness = Witness(folder, name, Ed25519PrivateKey.from_private_bytes(b"w" * 32), [log])
    bound = listening()
    async with serving(witness_app(witness), [bound]):
        yield origin_of(bound), witness.vkey


@contextmanager
def aics_witness(folder: Path, log: str) -> Iterator[tuple[str, str]]:
    """Address and key of an aics-witness, watching `log`."""
    path, reason = aics.folder()
    assert path is not None, reason
    config = ["--config", str(folder / "witness.json")]
    made = ["init", *config, "--name", "aics.test/w1", "--listen", "127.0.0.1:0"]
    folder.mkdir(parents=True)
    said = _told(path, *made)
    key = re.search(r"\S+\+[0-9a-f]{8}\+\S+", said)
    assert key is not None, said
    origin = log.partition("+")[0]
    _told(path, "add-log", *config, "--origin", origin, "--vkey", log)
    served = [str(path / "aics-witness"), "serve", *config, "--log-level", "INFO"]
    with subprocess.Popen(served, stderr=subprocess.STDOUT, stdout=subprocess.PIPE, text=True) as process:
        lines: Queue[str] = Queue()
        reader = threading.Thread(target=_pour, args=(process, lines))
        reader.start()
        try:
            yield _address(lines), key[0]
        finally:
            process.terminate()
            reader.join()


def _pour(process: subprocess.Popen[str], lines: Queue[str]) -> None:
    for line in process.stdout or ():
        lines.put(line)


def _address(lines: Queue[str]) -> str:
    seen = ""
    while not (found := re.search(r"listening on (http://\S+)", seen)):
        seen += lines.get(timeout=SECONDS)
    return found[1]


def _told(path: Path, *words: str) -> str:
    command = [str(path / "aics-witness"), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
