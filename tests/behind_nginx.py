"""A stage behind nginx: who shows which certificate, by which way, is in the test's hands."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from gateway.database import Database
from gateway.oauth import clients
from gateway.security.client_certificate import Terminators, networks
from gateway.security.peer import Peer
from tests import nginx
from tests.authority import Authority
from tests.client_certificates import ClientAuthority, Shown
from tests.oauth_keys import Key
from tests.oauth_stage import Stage, document
from tests.serving import listening, origin_of, port_of, serving

NO_ASSERTION = {"client_assertion": None, "client_assertion_type": None}
BOUND = {"tls_client_certificate_bound_access_tokens": True}
SUBJECT = {"token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_subject_dn": "CN=Deundeun,C=KR"}


@dataclass
class Behind:
    """`stage` behind nginx. `direct` is the gateway's own socket, which only nginx should reach."""

    stage: Stage
    authority: Authority
    issued: ClientAuthority
    direct: str
    mtls: str
    stack: AsyncExitStack

    async def show(self, shown: Shown | None, origin: str | None = None) -> httpx.AsyncClient:
        """A client that shows this certificate in its handshake (None: none)."""
        trust = str(self.authority.bundle)
        context = self.authority.client_context() if shown is None else shown.context(Path(trust))
        made = httpx.AsyncClient(base_url=origin or self.mtls, verify=context, trust_env=False)
        return await self.stack.enter_async_context(made)

    async def use(self, shown: Shown | None) -> None:
        """Send everything that follows with this certificate, to the mTLS origin."""
        self.stage.http = await self.show(shown)

    async def register(
        self, client_id: str, *keys: Key, jwk: dict[str, Any] | None = None, **more: Any
    ) -> None:
        """Register a client with these document members and go on as it."""
        made = {**document(client_id, *(keys or (self.stage.key,))), **more}
        if jwk is not None:
            made["jwks"]["keys"].append(jwk)
        async with self.stage.database.transaction() as session:
            await clients.add(session, made, at=self.stage.now)
        self.stage.client_id = client_id

    async def post(self, path: str, proof: str | None = None, **form: Any) -> httpx.Response:
        """A form with the client_id and nothing else that authenticates."""
        return await self.stage.post(path, proof, **{**NO_ASSERTION, **form})

    async def tokens(self, proof: str | None = None, **form: Any) -> dict[str, Any]:
        """The whole way to a token response."""
        fields = {**NO_ASSERTION, **form}
        code = await self.stage.code(**fields)
        answered = await self.stage.token(code, proof, **fields)
        assert answered.status_code == 200, answered.text
        body: dict[str, Any] = json.loads(answered.content)
        return body

    async def call(self, token: str, scheme: str = "Bearer") -> httpx.Response:
        """A call with the token and whatever certificate is in use."""
        return await self.stage.http.get("/data", headers={"Authorization": f"{scheme} {token}"})


@asynccontextmanager
async def behind_nginx(database: Database, authority: Authority, folder: Path) -> AsyncIterator[Behind]:
    """Stage and nginx, ended together."""
    bound = listening()
    ports, issued = nginx.two_ports(), ClientAuthority(folder)
    mtls = f"https://127.0.0.1:{ports.mtls}"
    names = ("x-client-certificate", "x-client-certificate-verified")
    ends = Terminators(mtls, networks(["127.0.0.1"]), *names)
    stage = Stage(database, f"https://127.0.0.1:{ports.issuer}", terminators=ends)
    await stage.http.aclose()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(serving(Peer(stage.app, trusted=["127.0.0.1"]), [bound]))
        await stack.enter_async_context(nginx.before(port_of(bound), ports, authority, issued.bundle))
        made = Behind(stage, authority, issued, origin_of(bound), mtls, stack)
        await made.use(None)
        yield made
