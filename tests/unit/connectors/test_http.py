"""The transport seam: what it never does, and what it measures."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import tracemalloc
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from connectors.contract import Reason
from connectors.errors import HolderError
from connectors.http import Answer, NetworkInTransaction, exchange, open_client
from connectors.inflate import Inflater
from tests.unit.connectors.holders import serve


async def _cookie(request: Request) -> Response:
    response = PlainTextResponse(request.headers.get("cookie", "none"))
    response.set_cookie("session", "of-somebody", path="/")
    return response


async def _drip(_request: Request) -> Response:
    async def bytes_forever() -> AsyncIterator[bytes]:
        while True:
            yield b"x"
            await asyncio.sleep(0.05)

    return StreamingResponse(bytes_forever())


async def _bomb(_request: Request) -> Response:
    return Response(gzip.compress(b"0" * 5_000_000), headers={"content-encoding": "gzip"})


async def _broken_gzip(_request: Request) -> Response:
    return Response(gzip.compress(b"0" * 5_000)[:12] + b"garbage", headers={"content-encoding": "gzip"})


LAYERS = gzip.compress(gzip.compress(b"0" * 50_000_000))


async def _layers(_request: Request) -> Response:
    return Response(LAYERS, headers={"content-encoding": "gzip, gzip"})


async def _cut_gzip(_request: Request) -> Response:
    return Response(gzip.compress(b"{}" * 500)[:-6], headers={"content-encoding": "gzip"})


async def _whole_gzip(_request: Request) -> Response:
    return Response(gzip.compress(b"{}" * 500), headers={"content-encoding": "gzip"})


APP = Starlette(
    routes=[
        Route("/cookie", _cookie),
        Route("/away", lambda _request: RedirectResponse("/cookie", 302)),
        Route("/drip", _drip),
        Route("/bomb", _bomb),
        Route("/broken", _broken_gzip),
        Route("/layers", _layers),
        Route("/cut", _cut_gzip),
        Route("/whole", _whole_gzip),
    ]
)


async def _get(
    client: httpx.AsyncClient, url: str, *, seconds: float = 5, max_bytes: int = 1_000_000
) -> Answer:
    return await exchange(client, client.build_request("GET", url), seconds=seconds, max_bytes=max_bytes)


async def test_no_cookie_goes_from_one_citizens_pull_to_the_next() -> None:
    """What a holder sets is forgotten."""
    async with serve(lambda _: APP) as origin, open_client() as client:
        for _ in range(2):
            assert (await _get(client, f"{origin}/cookie")).body == b"none"


async def test_a_redirect_is_an_answer_not_a_way() -> None:
    """302 comes back as 302."""
    async with serve(lambda _: APP) as origin, open_client() as client:
        assert (await _get(client, f"{origin}/away")).status == 302


class _Closed(httpx.AsyncBaseTransport):
    """A road on which the first `shut` connections do not open in time, or break after the request went."""

    def __init__(self, shut: int, error: type[httpx.TransportError] = httpx.ConnectTimeout) -> None:
        self.shut, self.error, self.tried = shut, error, 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.tried += 1
        if self.tried <= self.shut:
            raise self.error("")
        return httpx.Response(200, stream=httpx.ByteStream(await request.aread()))


async def _posted(road: _Closed) -> Answer:
    async with httpx.AsyncClient(transport=road) as client:
        request = client.build_request("POST", "http://127.0.0.1:1/", content=b"whole")
        return await exchange(client, request, seconds=5, max_bytes=100)


async def test_a_connection_that_did_not_open_is_tried_once_more() -> None:
    """Nothing was sent, so nothing is done twice; the second time the request goes out whole."""
    assert (await _posted(_Closed(1))).body == b"whole"


@pytest.mark.parametrize(
    ("road", "tried"),
    [(_Closed(3), 2), (_Closed(1, httpx.ReadTimeout), 1), (_Closed(1, httpx.ReadError), 1)],
)
async def test_nothing_else_is_tried_again(road: _Closed, tried: int) -> None:
    """Not a third connection, and no request that may have reached the holder."""
    with pytest.raises(HolderError):
        await _posted(road)
    assert road.tried == tried


async def test_no_request_goes_out_while_a_transaction_is_open() -> None:
    """The seam refuses before a socket is touched."""
    async with open_client(refuse=lambda: True) as client:
        with pytest.raises(NetworkInTransaction):
            await _get(client, "http://127.0.0.1:1/")


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/drip", Reason.TIMEOUT),
        ("/bomb", Reason.TOO_LARGE),
        ("/broken", Reason.CORRUPT),
        ("/layers", Reason.CORRUPT),
        ("/cut", Reason.CORRUPT),
    ],
)
async def test_an_answer_without_end_is_cut(path: str, reason: Reason) -> None:
    """A drip runs out of time, a compression bomb out of bytes, a cut stream cannot be read."""
    async with serve(lambda _: APP) as origin, open_client() as client:
        with pytest.raises(HolderError) as caught:
            await _get(client, f"{origin}{path}", seconds=0.4)
    assert caught.value.reason is reason


async def test_a_compression_bomb_is_never_inflated_beyond_the_bound() -> None:
    """150 kB that would become 150 MB cost no more memory than the bound allows."""
    bomb, inflater = gzip.compress(b"0" * 150_000_000), Inflater("gzip")
    tracemalloc.start()
    taken = inflater.take(bomb, 1001)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(taken) == 1001
    assert peak < 1_000_000


async def test_a_gzip_body_arrives_whole() -> None:
    """What was asked for, gzip once, is read."""
    async with serve(lambda _: APP) as origin, open_client() as client:
        assert (await _get(client, f"{origin}/whole")).body == b"{}" * 500


async def test_an_announced_size_over_the_bound_is_refused_unread() -> None:
    """Content-Length is believed when it is too much."""
    async with serve(lambda _: PlainTextResponse("x" * 2000)) as origin, open_client() as client:
        with pytest.raises(HolderError) as caught:
            await _get(client, f"{origin}/", max_bytes=1000)
    assert caught.value.reason is Reason.TOO_LARGE


async def test_the_environments_proxy_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Holders are reached directly, whatever the process was started with."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    async with serve(lambda _: APP) as origin, open_client() as client:
        assert (await _get(client, f"{origin}/cookie")).status == 200


async def test_a_server_that_speaks_no_http_is_down() -> None:
    """Bytes that are no HTTP answer are a failed connection."""

    async def babble(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 smtp ready\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, open_client() as client:
        with pytest.raises(HolderError) as caught:
            await _get(client, f"http://127.0.0.1:{port}/")
    assert caught.value.reason is Reason.HOLDER_DOWN


def _authority(folder: Path, name: str) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1 and its key, as PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(minutes=5))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / f"{name}.pem", folder / f"{name}.key"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    files[1].write_bytes(key.private_bytes(pem, form, plain))
    return files


async def test_a_holder_is_believed_by_its_certificate_only(tmp_path: Path) -> None:
    """Over TLS the authority named is the only one believed; any other is a failed connection."""
    ours, foreign = _authority(tmp_path, "ours"), _authority(tmp_path, "foreign")
    files = {"ssl_certfile": str(ours[0]), "ssl_keyfile": str(ours[1])}
    async with serve(lambda _: APP, **files) as origin:
        async with open_client(tls=ssl.create_default_context(cafile=str(ours[0]))) as client:
            assert (await _get(client, f"{origin}/cookie")).status == 200
        for context in (ssl.create_default_context(cafile=str(foreign[0])), None):
            async with open_client(tls=context) as client:
                with pytest.raises(HolderError) as caught:
                    await _get(client, f"{origin}/cookie")
                assert caught.value.reason is Reason.HOLDER_DOWN
