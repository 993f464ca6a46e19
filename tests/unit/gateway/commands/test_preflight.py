"""`mydata serve` before it starts: certificate, address and folders, each refused in one line."""

from __future__ import annotations

import argparse
import socket
from pathlib import Path

import pytest

from gateway.commands import preflight, serve
from gateway.commands.inputs import InputUnusableError
from gateway.settings import Settings
from tests.authority import make_authority
from tests.unit.gateway.commands.test_bad_input import desk, settings

__all__ = ["desk"]


async def test_what_is_complete_may_start(desk: Path) -> None:
    """Keys, registry, policy and store are there: nothing is said."""
    await preflight.check(read(desk))


@pytest.mark.parametrize("setting", ["registry", "ca", "policies", "ledger_state"])
async def test_what_is_not_there_is_named(desk: Path, setting: str) -> None:
    """A path that leads nowhere stands in the refusal."""
    settings(desk, **{setting: "nowhere"})
    with pytest.raises(Exception, match=r"nowhere|policy"):
        await preflight.check(read(desk))


async def test_an_authority_without_a_certificate(desk: Path) -> None:
    """`ca` must hold a certificate."""
    settings(desk, ca="registry.yaml")
    with pytest.raises(InputUnusableError, match="no PEM certificate"):
        await preflight.check(read(desk))


def test_certificate_and_key_go_together(tmp_path: Path) -> None:
    """Both or none, readable, and of one another."""
    made = make_authority(tmp_path)
    preflight.check_tls(None, None)
    preflight.check_tls(made.key, made.certificate)
    with pytest.raises(InputUnusableError, match="only one was given"):
        preflight.check_tls(made.key, None)
    with pytest.raises(FileNotFoundError):
        preflight.check_tls(tmp_path / "none.pem", made.certificate)
    with pytest.raises(InputUnusableError, match="not a PEM certificate chain"):
        preflight.check_tls(made.certificate, made.certificate)


def test_an_address_in_use_is_named() -> None:
    """Before anything is opened, and in words."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputUnusableError, match=f"127.0.0.1 port {port}: cannot listen here"):
            preflight.bind("127.0.0.1", port)


def test_an_address_of_another_machine_is_refused() -> None:
    """203.0.113.0/24 is nobody's (RFC 5737)."""
    with pytest.raises(InputUnusableError, match=r"203\.0\.113\.9"):
        preflight.bind("203.0.113.9", 0)


def test_a_bound_socket_does_not_listen_yet() -> None:
    """Nobody is let in before the gateway is ready."""
    with preflight.bind("127.0.0.1", 0) as bound, socket.socket() as caller:
        assert caller.connect_ex(bound.getsockname()) != 0


@pytest.mark.parametrize("port", ["-1", "65536", "x", "８０"])
def test_ports_that_are_none(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Refused by the argument itself."""
    parser = argparse.ArgumentParser()
    serve.register(parser.add_subparsers())
    with pytest.raises(SystemExit):
        parser.parse_args(["serve", "--config", "x", f"--port={port}"])
    assert "is not a port" in capsys.readouterr().err


def read(folder: Path) -> Settings:
    """The settings as the command reads them."""
    from gateway.settings import load_settings

    return load_settings(folder / "gateway.yaml")
