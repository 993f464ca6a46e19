"""`mydata serve`: run the gateway."""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import sys
from pathlib import Path

import uvicorn

from gateway.settings import Settings, load_settings
from gateway.telemetry import configure, log

DESCRIPTION = """\
Run the gateway until SIGTERM or Ctrl-C. Keys, registry, policy, store, certificate and address are
checked first: what is wrong is said in one line and nothing starts. Then one line of JSON on standard
output says where it listens; the log goes to standard error, one JSON object a line.
"""


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    command = subparsers.add_parser("serve", help="run the gateway", description=DESCRIPTION)
    command.add_argument("--config", type=Path, required=True, metavar="FILE", help="settings (YAML)")
    command.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    command.add_argument(
        "--port", type=_port, default=8080, help="port to listen on, 0 for any (default: %(default)s)"
    )
    command.add_argument("--tls-key", type=Path, metavar="PEM", help="private key, to serve https itself")
    command.add_argument(
        "--tls-cert", type=Path, metavar="PEM", help="certificate chain, to serve https itself"
    )
    command.add_argument(
        "--until-stdin-closes",
        action="store_true",
        help="stop when standard input ends, for a parent process",
    )
    command.set_defaults(run=run)


def _port(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port (0 to 65535)")
    return int(text)


def run(chosen: argparse.Namespace) -> int:
    """Check everything that is needed, then serve until a signal."""
    from gateway.commands import preflight

    settings = load_settings(chosen.config)
    preflight.check_tls(chosen.tls_key, chosen.tls_cert)
    asyncio.run(preflight.check(settings))
    with preflight.bind(chosen.host, chosen.port) as bound:
        configure(settings.log_level)
        config = _config(settings, chosen)
        with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:  # uvloop, where there is one
            return runner.run(_serve(config, chosen, bound))


def _config(settings: Settings, chosen: argparse.Namespace) -> uvicorn.Config:
    from gateway.app import create_app

    return uvicorn.Config(
        create_app(settings),
        log_config=None,
        ssl_keyfile=chosen.tls_key,
        ssl_certfile=chosen.tls_cert,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=10,
        server_header=False,
        proxy_headers=False,  # the app reads them itself, after it has noted the real peer
        h11_max_incomplete_event_size=64 * 1024,
        limit_concurrency=512,
    )


async def _serve(config: uvicorn.Config, chosen: argparse.Namespace, bound: socket.socket) -> int:
    log.debug("event_loop", loop=type(asyncio.get_running_loop()).__module__)
    server = _Announcing(config)
    watch = asyncio.create_task(_stop_with_stdin(server)) if chosen.until_stdin_closes else None
    await server.serve(sockets=[bound])
    if watch:
        watch.cancel()
    return 0 if server.started else 1


class _Announcing(uvicorn.Server):
    """Says in one line of JSON where it listens, for whoever started it."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.started:
            return
        address, port = self.servers[0].sockets[0].getsockname()[:2]
        host = f"[{address}]" if ":" in address else address
        scheme = "https" if self.config.is_ssl else "http"
        sys.stdout.write(json.dumps({"ready": True, "origin": f"{scheme}://{host}:{port}"}) + "\n")
        sys.stdout.flush()


async def _stop_with_stdin(server: uvicorn.Server) -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.read(4096):
        continue
    server.should_exit = True
