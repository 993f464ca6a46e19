"""A real nginx before a gateway, run by an unprivileged user on loopback with docker/nginx/mydata.conf."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.authority import Authority
from tests.serving import left_port

SHIPPED = Path(__file__).resolve().parents[1] / "docker" / "nginx" / "mydata.conf"

_MAIN = """\
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/mydata.conf;
}}
"""


@dataclass(frozen=True)
class Ports:
    """Where nginx listens: for everybody, and for clients with certificates."""

    issuer: int
    mtls: int


def binary() -> str | None:
    """The nginx of this machine."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


def two_ports() -> Ports:
    """Two loopback ports left for nginx."""
    return Ports(left_port(), left_port())


@asynccontextmanager
async def before(gateway: int, ports: Ports, authority: Authority, clients: Path) -> AsyncIterator[None]:
    """Run nginx before the gateway on port `gateway`; chains are verified up to `clients`."""
    found = binary()
    assert found is not None
    folder = Path(tempfile.mkdtemp(prefix="mydata-nginx-"))
    try:
        _write(folder, gateway, ports, authority, clients)
        user = _nobody(folder) if os.geteuid() == 0 else None
        command = [found, "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")]
        process = _started(command, user, folder)
        try:
            await _listening(process, ports, folder)
            yield
        finally:
            process.terminate()
            await asyncio.to_thread(process.wait)
    finally:
        shutil.rmtree(folder)


def _started(command: list[str], user: int | None, folder: Path) -> subprocess.Popen[bytes]:
    """Not by asyncio: uvloop starts no process as another user."""
    with (folder / "errors.log").open("wb") as errors:
        return subprocess.Popen(
            command, stderr=errors, user=user, group=user, extra_groups=[] if user else None
        )


def _write(folder: Path, gateway: int, ports: Ports, authority: Authority, clients: Path) -> None:
    """The shipped configuration with this run's addresses and files, and the frame around it."""
    text = SHIPPED.read_text(encoding="utf-8")
    for shipped, ours in {
        "server 127.0.0.1:8080;": f"server 127.0.0.1:{gateway};",
        "listen 443 ssl;": f"listen 127.0.0.1:{ports.issuer} ssl;",
        "listen 8444 ssl;": f"listen 127.0.0.1:{ports.mtls} ssl;",
        "/etc/nginx/tls/mydata.crt": str(folder / "mydata.crt"),
        "/etc/nginx/tls/mydata.key": str(folder / "mydata.key"),
        "/etc/nginx/tls/clients.pem": str(folder / "clients.pem"),
    }.items():
        assert shipped in text, shipped
        text = text.replace(shipped, ours)
    (folder / "mydata.conf").write_text(text, encoding="utf-8")
    (folder / "nginx.conf").write_text(_MAIN.format(folder=folder), encoding="utf-8")
    files = {"mydata.crt": authority.certificate, "mydata.key": authority.key, "clients.pem": clients}
    for name, source in files.items():
        (folder / name).write_bytes(source.read_bytes())
    (folder / "mydata.key").chmod(0o600)


def _nobody(folder: Path) -> int:
    """Give the folder to a user who may do nothing else, and tell who."""
    nobody = pwd.getpwnam("nobody").pw_uid
    for path in (folder, *folder.iterdir()):
        os.chown(path, nobody, -1)
    return nobody


async def _listening(process: subprocess.Popen[bytes], ports: Ports, folder: Path) -> None:
    for port in (ports.issuer, ports.mtls):
        for _ in range(500):
            if process.poll() is not None:
                raise RuntimeError((folder / "errors.log").read_text(encoding="utf-8"))
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
                continue
            writer.close()
            await writer.wait_closed()
            break
        else:
            raise RuntimeError("nginx does not listen")
