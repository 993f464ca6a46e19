"""What every candidate does: give a token, renew one, or say whether one lives."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from bench.token.candidate import Candidate
from bench.token.load import send
from bench.token.signed import Message, Signer

KINDS = ("token", "refresh", "introspect")
LIVING = 64
"""Citizens' refresh tokens, or access tokens asked about: each comes again after as many requests."""


@dataclass
class Work:
    """One kind of request: signed once and the same for everybody, save for a candidate's own tokens."""

    kind: str
    signer: Signer
    _signed: list[Message] = field(default_factory=list)
    _tokens: dict[str, list[str]] = field(default_factory=dict)

    def fresh(self, count: int) -> None:
        """Sign the next `count` requests; they are good for a minute (DPoP's iat)."""
        path, proved = ("/introspect", False) if self.kind == "introspect" else ("/token", True)
        self._signed = [self.signer.message(path, proof=proved) for _ in range(count)]

    async def messages(self, candidate: Candidate) -> list[bytes]:
        """The requests as this candidate gets them: complete HTTP messages."""
        fields = _FIELDS[self.kind]
        if self.kind == "token":
            return [message.encoded(fields) for message in self._signed]
        tokens = itertools.cycle(await self._of(candidate))
        name = "token" if self.kind == "introspect" else "refresh_token"
        return [message.encoded({**fields, name: next(tokens)}) for message in self._signed]

    async def _of(self, candidate: Candidate) -> list[str]:
        """The tokens of this candidate that the requests speak of."""
        if self.kind == "refresh":
            return list(candidate.refresh_tokens)
        if candidate.name not in self._tokens:
            asked = [
                self.signer.message("/token", proof=True).encoded(_FIELDS["token"]) for _ in range(LIVING)
            ]
            given = [orjson.loads((await send(candidate.port, [one])).bodies[200]) for one in asked]
            self._tokens[candidate.name] = [one["access_token"] for one in given]
        return self._tokens[candidate.name]

    def holds(self, body: Mapping[str, Any]) -> bool:
        """Whether this is the answer that was asked for."""
        return _HOLDS[self.kind](body)


def _bound(body: Mapping[str, Any]) -> bool:
    return bool(body["access_token"].count(".") == 2 and body["token_type"].lower() == "dpop")


_FIELDS: Mapping[str, dict[str, str]] = {
    "token": {"grant_type": "client_credentials", "scope": "company"},
    "refresh": {"grant_type": "refresh_token"},
    "introspect": {},
}
_HOLDS: Mapping[str, Callable[[Mapping[str, Any]], bool]] = {
    "token": _bound,
    "refresh": _bound,
    "introspect": lambda body: body.get("active") is True,
}
