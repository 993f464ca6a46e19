"""Listens on the wire between the gateway and the servers around it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass
class Overheard:
    """Everything that went over the wire between the gateway, the holders and the identity provider."""

    urls: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    links: set[str] = field(default_factory=set)
    statements: set[str] = field(default_factory=set)
    answered: bytearray = field(default_factory=bytearray)

    def around(self, app: ASGIApp) -> ASGIApp:
        """Listen in front of `app`."""

        async def listen(scope: Scope, receive: Receive, send: Send) -> None:
            asked, told = bytearray(), bytearray()

            async def hear() -> Message:
                message = await receive()
                asked.extend(message.get("body", b""))
                return message

            async def say(message: Message) -> None:
                told.extend(message.get("body", b""))
                await send(message)

            await app(scope, hear, say)
            if scope["type"] == "http":
                self._note(scope, bytes(asked), bytes(told))

        return listen

    def _note(self, scope: Scope, asked: bytes, told: bytes) -> None:
        self.urls.append(f"{scope['path']}?{scope['query_string'].decode()}")
        headers = dict(scope["headers"])
        if bearer := headers.get(b"authorization", b"").decode().partition(" ")[2]:
            self.tokens.add(bearer)
        if scope["path"] == "/links" and b'"link"' in told:
            self.links.add(json.loads(told)["link"])
            self.statements.update(json.loads(asked).values())
        if scope["path"].endswith("/token"):
            fields = dict(pair.split("=", 1) for pair in asked.decode().split("&") if "=" in pair)
            self.statements.update(
                unquote_plus(v) for k, v in fields.items() if "assertion" in k and "type" not in k
            )
            self.tokens.update(v for k, v in _json(told).items() if k.endswith("_token"))
        self.answered.extend(told)


def _json(body: bytes) -> dict[str, Any]:
    try:
        read = json.loads(body)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}
