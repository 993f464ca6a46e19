"""A transit engine (OpenBao, HashiCorp Vault) for tests: the calls the gateway makes, over https."""

from __future__ import annotations

import asyncio
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.keyring import SigningKey, base64url
from gateway.keys.custody import new_key
from tests.authority import Authority
from tests.serving import listening, port_of, serving

ALGORITHMS = {"ecdsa-p256": "ES256", "rsa-3072": "PS256", "ed25519": "EdDSA"}


@dataclass
class Transit:
    """The engine and its switches: `slow` seconds before each answer, `status` instead of one.

    Signatures are given while it is `open`; `waiting` is how many are asked for at the moment.
    """

    url: str = ""
    token: str = "s.token"
    slow: float = 0.0
    status: int = 0
    keys: dict[str, Any] = field(default_factory=dict)
    signed: int = 0
    waiting: int = 0
    open: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.open.set()

    async def _allowed(self, request: Request) -> Response | None:
        await asyncio.sleep(self.slow)
        if request.headers.get("x-vault-token") != self.token:
            return JSONResponse({"errors": ["permission denied"]}, 403)
        if self.status:
            return JSONResponse({"errors": ["as told"]}, self.status)
        known = request.path_params["name"] in self.keys or request.method == "POST"
        return None if known else JSONResponse({"errors": []}, 404)

    async def key(self, request: Request) -> Response:
        """Make, show or delete a key."""
        if refusal := await self._allowed(request):
            return refusal
        name = request.path_params["name"]
        if request.method == "POST":
            asked = await request.json()
            assert asked["exportable"] is False
            self.keys[name] = new_key(ALGORITHMS[asked["type"]])
            return JSONResponse({"data": {"name": name}})
        if request.method == "DELETE":
            del self.keys[name]
            return Response(status_code=204)
        public = self.keys[name].public_key()
        if isinstance(self.keys[name], Ed25519PrivateKey):
            shown = b64encode(public.public_bytes_raw()).decode()
        else:
            shown = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        return JSONResponse({"data": {"keys": {"1": {"public_key": shown}}, "latest_version": 1}})

    async def config(self, request: Request) -> Response:
        """Allow a key to be deleted."""
        if refusal := await self._allowed(request):
            return refusal
        if request.path_params["name"] not in self.keys:
            return JSONResponse({"errors": []}, 404)
        return Response(status_code=204)

    async def sign(self, request: Request) -> Response:
        """Sign as the documents of the engine say: `vault:v1:` and the signature."""
        if refusal := await self._allowed(request):
            return refusal
        self.waiting += 1
        await self.open.wait()
        self.waiting -= 1
        asked, private = await request.json(), self.keys.get(request.path_params["name"])
        if private is None:
            return JSONResponse({"errors": ["no such key"]}, 400)
        assert asked["key_version"] == 1
        raw = SigningKey.of(private)._signature(b64decode(asked["input"]))
        jws = asked.get("marshaling_algorithm") == "jws"
        self.signed += 1
        text = base64url(raw) if jws else b64encode(raw).decode()
        return JSONResponse({"data": {"signature": f"vault:v1:{text}"}})


@asynccontextmanager
async def transit(authority: Authority) -> AsyncIterator[Transit]:
    """An engine on a free port, over https with the run's authority."""
    bound, made = listening(), Transit()
    made.url = f"https://localhost:{port_of(bound)}"
    base = "/v1/transit"
    routes = [
        Route(f"{base}/keys/{{name}}", made.key, methods=["POST", "GET", "DELETE"]),
        Route(f"{base}/keys/{{name}}/config", made.config, methods=["POST"]),
        Route(f"{base}/sign/{{name}}", made.sign, methods=["POST"]),
    ]
    async with serving(Starlette(routes=routes), [bound], authority):
        yield made
