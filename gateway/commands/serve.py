"""`mydata serve`: run the gateway."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path

import uvicorn

from gateway.settings import Settings, load_settings
from gateway.telemetry import configure


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    command = subparsers.add_parser("serve", help="run the gateway", description=__doc__)
    command.add_argument("--config", type=Path, required=True, metavar="FILE", help="settings (YAML)")
    command.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    command.add_argument(
        "--port", type=int, default=8080, help="port to listen on, 0 for any (default: %(default)s)"
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


def run(chosen: argparse.Namespace) -> int:
    """Check the settings, then serve until a signal."""
    settings = load_settings(chosen.config)
    configure(settings.log_level)
    return asyncio.run(_serve(settings, chosen))


async def _serve(settings: Settings, chosen: argparse.Namespace) -> int:
    from gateway.app import create_app

    config = uvicorn.Config(
        create_app(settings),
        host=chosen.host,
        port=chosen.port,
        log_config=None,
        ssl_keyfile=chosen.tls_key,
        ssl_certfile=chosen.tls_cert,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=10,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        h11_max_incomplete_event_size=64 * 1024,
        limit_concurrency=512,
    )
    server = _Announcing(config)
    watch = asyncio.create_task(_stop_with_stdin(server)) if chosen.until_stdin_closes else None
    await server.serve()
    if watch:
        watch.cancel()
    return 0 if server.started else 1


class _Announcing(uvicorn.Server):
    """Says in one line of JSON where it listens, for whoever started it."""

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().startup(sockets)  # type: ignore[arg-type]
        if not self.started:
            return
        host, port = self.servers[0].sockets[0].getsockname()[:2]
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
