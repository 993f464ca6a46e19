"""`mydata serve` as a process with settings nobody can use: exit code 2, one line a finding, no traceback."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.demo.participants import HOLDERS, registry
from gateway.keys import create_keys

BROKEN: dict[str, tuple[dict[str, Any] | str | bytes, tuple[str, ...]]] = {
    "not there": (b"", ("gateway.yaml",)),
    "not text": (b"\xff\xfe\x00nonsense", ("MYDATA.S010",)),
    "not yaml": ("issuer: [", ("MYDATA.S010",)),
    "a list": ("- issuer\n- database\n", ("MYDATA.S011",)),
    "a setting nobody knows": ({"isuer": "https://x.example"}, ("MYDATA.S012", "isuer")),
    "three findings at once": (
        {"profile": "production", "issuer": "http://gateway.example/", "database": "mysql://x"},
        ("MYDATA.S001", "MYDATA.S002", "MYDATA.S003", "MYDATA.S004"),
    ),
    "keys that are not there": ({"keys": "no-such-folder"}, ("no-such-folder",)),
    "a registry that is not there": ({"registry": "no-such-file.yaml"}, ("no-such-file.yaml",)),
    "a database without tables": ({}, ("migrate",)),
}


def write(folder: Path, content: dict[str, Any] | str | bytes) -> Path:
    """Settings in `folder`: good ones with some replaced, or this very content."""
    create_keys(folder / "keys")
    origins = dict.fromkeys(HOLDERS, "http://127.0.0.1:1")
    (folder / "registry.yaml").write_text(
        yaml.safe_dump(registry("http://127.0.0.1:2", origins), allow_unicode=True)
    )
    file = folder / "gateway.yaml"
    good = {
        "profile": "demo",
        "issuer": "http://127.0.0.1:9",
        "database": f"sqlite+aiosqlite:///{folder / 'mydata.db'}",
        "keys": str(folder / "keys"),
        "registry": str(folder / "registry.yaml"),
    }
    if isinstance(content, dict):
        file.write_text(yaml.safe_dump({**good, **content}))
    elif content:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


@pytest.mark.parametrize("what", BROKEN)
async def test_serve_with_unusable_settings(tmp_path: Path, what: str) -> None:
    """Nothing is served and nothing is made; every finding has its own line that names it."""
    content, named = BROKEN[what]
    file = write(tmp_path, content)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway.cli", "serve", "--config", str(file), "--port", "0"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=tmp_path,
    )
    async with asyncio.timeout(60):
        out, error = await process.communicate()
    said = error.decode()
    assert process.returncode == 2, said
    assert out == b""
    assert "Traceback" not in said
    for name in named:
        assert any(name in line for line in said.splitlines()), said
    assert len(said.splitlines()) <= len(named) + 2, said
