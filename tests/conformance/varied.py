"""A stage whose client does everything as one certification profile wants it done."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from gateway.oauth.jws import parse, verify
from tests.client_certificates import ClientAuthority, Shown
from tests.conformance.variants import BASE, Variant
from tests.oauth_keys import Key
from tests.oauth_stage import Stage, redirected
from tests.request_objects import push, signed

NO_ASSERTION: dict[str, Any] = {"client_assertion": None, "client_assertion_type": None}
_BESIDE = ("client_assertion", "client_assertion_type", "client_id", "request_uri")
"""What a signed request is not about, or what must not be there at all."""
NONCE = "nonce-of-the-variant"
"""What the openid_connect variant sends unless a test sends another or none."""
Open = Callable[[Shown | None], Awaitable[httpx.AsyncClient]]


@dataclass
class VariedStage(Stage):
    """A stage in a variant. `origin` is where its certificates are shown, by connections `open` makes."""

    variant: Variant = BASE
    origin: str = ""
    issued: ClientAuthority | None = None
    open: Open | None = None
    lines: dict[str, httpx.AsyncClient] = field(default_factory=dict)

    async def connect(self, client_id: str) -> None:
        """Have a connection by which this client shows its certificate, if the variant wants one."""
        if self.variant.shows_certificate and client_id not in self.lines:
            assert self.issued is not None
            assert self.open is not None
            self.lines[client_id] = await self.open(self.issued.issue(client_id))

    def registered_as(self, client_id: str) -> dict[str, Any]:
        """Authentication, binding and signing as the variant has them."""
        made: dict[str, Any] = {}
        if self.variant.client_auth_type == "mtls":
            made["token_endpoint_auth_method"] = "tls_client_auth"
            made["tls_client_auth_subject_dn"] = f"CN={client_id},C=KR"
        if self.variant.sender_constrain == "mtls":
            made["tls_client_certificate_bound_access_tokens"] = True
        return made | ({"require_signed_request_object": True} if self.variant.signs else {})

    async def register(self, client_id: str | None = None, *keys: Key, **members: Any) -> None:
        """Register, with a connection of its own where there are certificates."""
        await super().register(client_id, *keys, **members)
        await self.connect(client_id or self.client_id)

    def _shows(self, path: str) -> bool:
        if path in ("/par", "/token", "/introspect", "/revoke"):
            return self.variant.shows_certificate
        return self.variant.sender_constrain == "mtls"

    def origin_for(self, path: str) -> str:
        """The mTLS origin for whatever needs the certificate."""
        return self.origin if self._shows(path) else self.issuer

    def wire(self, path: str) -> httpx.AsyncClient:
        """The connection that shows the certificate, where it is needed."""
        return self.lines[self.client_id] if self._shows(path) else self.http

    async def post(self, path: str, proof: str | None = "", **form: Any) -> httpx.Response:
        """A form, authenticated and bound as the variant has it."""
        if self.variant.client_auth_type == "mtls":
            form = {**NO_ASSERTION, **form}
        if self.variant.sender_constrain == "mtls" and proof == "":
            proof = None
        return await super().post(path, proof, **form)

    async def push(self, proof: str | None = None, **form: Any) -> httpx.Response:
        """A pushed request, signed and asking for a signed answer if the variant says so."""
        asked = {"response_mode": "jwt", **form} if self.variant.signed_answers else dict(form)
        if self.variant.recognises:
            asked = {"scope": "openid", "nonce": NONCE, **asked}
        if self.variant.grant_management == "enabled":
            asked = {"grant_management_action": "create", **asked}
        if not self.variant.signs:
            return await super().push(proof, **asked)
        beside = {name: asked.pop(name) for name in _BESIDE if name in asked}
        if isinstance(asked.get("authorization_details"), str):
            asked["authorization_details"] = json.loads(asked["authorization_details"])
        return await push(self, signed(self, **asked), proof, **beside)

    async def call(
        self, token: str, path: str = "/data", key: Key | None = None, **more: Any
    ) -> httpx.Response:
        """A call with proof, or by the connection the token is bound to."""
        if self.variant.sender_constrain == "dpop":
            return await super().call(token, path, key, **more)
        return await self.wire(path).get(path, headers={"Authorization": f"Bearer {token}"})

    async def unheld(self, asked: Callable[..., Awaitable[httpx.Response]], value: str) -> httpx.Response:
        """`token` or `refresh` without that which its answer would be bound to."""
        if self.variant.sender_constrain == "dpop":
            return await asked(value, None)
        assert self.open is not None
        shown = self.lines[self.client_id]
        self.lines[self.client_id] = await self.open(None)
        try:
            return await asked(value)
        finally:
            self.lines[self.client_id] = shown

    def told(self, response: httpx.Response) -> dict[str, str]:
        """What a redirect says; what a signed one says inside, with its signature and audience checked."""
        said = redirected(response)
        if not self.variant.signed_answers:
            return said
        jws = parse(said.pop("response"))
        assert not {"code", "state", "iss", "error"} & said.keys()
        published = self.server.minter.signing.public(jws.header["kid"])
        assert published is not None
        assert verify(jws, published)
        inside = dict(jws.claims)
        assert inside.pop("aud") == self.client_id
        assert self.now < inside.pop("exp") <= self.now + 600
        return {**said, **inside}
