"""The signature alone, with OpenSSL, by the lines of docs/ledger.md and of the verifier's own page."""

from __future__ import annotations

import html
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from consent.ledger.verify import main
from tests.ledger.corruption import flip
from tests.unit.consent.ledger.exports import VKEY, MadeLog

ROOT = Path(__file__).parents[4]


def of_the_paper(folder: Path) -> str:
    """What docs/ledger.md says, for the export in `folder`."""
    text = (ROOT / "docs/ledger.md").read_text(encoding="utf-8")
    (lines,) = re.findall(r"^      head -n 3 DIR(?:.*\n)+?.*openssl pkeyutl.*$", text, re.MULTILINE)
    return str(lines).replace("DIR/", f"{folder}/")


def of_the_page(folder: Path) -> str:
    """What the page of a verification says, to be typed beside the checkpoint."""
    page = folder.parent / "page.html"
    main([str(folder), "--key", VKEY, "--page", str(page)])
    lines = re.findall(r"<pre><code>(.*?)</code></pre>", page.read_text(encoding="utf-8"), re.DOTALL)[0]
    return f"cp {folder}/checkpoint .\n" + html.unescape(lines)


def judged(lines: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What a shell says of them."""
    env = {**os.environ, "VKEY": VKEY}
    words = ["bash", "-euc", lines]
    return subprocess.run(words, env=env, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("told", [of_the_paper, of_the_page])
def test_openssl_accepts_the_signature_and_no_other(told: Callable[[Path], str], tmp_path: Path) -> None:
    """As written, they accept a signed checkpoint, also under more signatures, and refuse a changed one."""
    export, desk = MadeLog(40).write(tmp_path / "export"), tmp_path / "desk"
    desk.mkdir()
    lines = told(export)
    good = judged(lines, desk)
    with (export / "checkpoint").open("a") as file:
        file.write("\u2014 witness.test AAAAAAAAAAAA\n")
    cosigned = judged(lines, desk)
    flip(export / "checkpoint", 8 * 30)
    changed = judged(lines, desk)

    assert (good.returncode, "Verified Successfully" in good.stdout) == (0, True), good.stderr
    assert cosigned.returncode == 0
    assert changed.returncode != 0
