"""The running gateway looks at the connection, not at what a header says of it."""

from __future__ import annotations

from pathlib import Path

import httpx

from tests.faults.process import open_process_world

TOLD = {"X-Client-Certificate": "junk", "X-Forwarded-For": "127.0.0.1"}


async def test_forwarding_headers_make_nobody_a_terminator(tmp_path: Path) -> None:
    """`mydata serve` trusting 127.0.0.1: a certificate header from 127.0.0.2 is refused for its place."""
    settings = {"mtls_origin": "https://mtls.example:8444", "trusted_proxies": ["127.0.0.1"]}
    async with open_process_world(tmp_path, **settings) as world:
        for source, reason in (("127.0.0.2", "terminator only"), ("127.0.0.1", "exactly one PEM")):
            way = httpx.AsyncHTTPTransport(local_address=source)
            async with httpx.AsyncClient(transport=way, base_url=world.settings.issuer) as http:
                answered = await http.post("/token", data={"client_id": "x"}, headers=TOLD)
                assert answered.status_code == 401, answered.text
                assert answered.json()["code"] == "client_certificate_invalid"
                assert reason in answered.json()["params"]["what"]
