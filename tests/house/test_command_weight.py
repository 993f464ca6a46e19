"""A command loads what it needs: a company that opens a bundle waits for no web server."""

from __future__ import annotations

import subprocess
import sys

import pytest

LOADED = """
import sys
from gateway.cli import main
try:
    main([*sys.argv[1:], "--help"])
except SystemExit:
    print(" ".join(sys.modules))
"""


SERVER = {"fastapi", "uvicorn", "regorus", "alembic"}


@pytest.mark.parametrize(
    ("command", "spared"), [("bundle open", SERVER | {"sqlalchemy"}), ("receipt verify", SERVER)]
)
def test_an_offline_verifier_loads_no_gateway(command: str, spared: set[str]) -> None:
    """What only a running gateway needs is not there when a file is to be checked."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *command.split()], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.splitlines()[-1].split())
    assert f"gateway.commands.{command.split()[0]}" in loaded
    assert not loaded & spared
