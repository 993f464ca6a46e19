"""The `claims` parameter (OpenID Connect Core 5.5) and which claims about a citizen there are at all.

The gateway holds almost nothing about a citizen, so it offers almost nothing: how and when they signed in,
and the language they use here, which the citizen must tick for. Every other claim is a claim it does not
know: asking for it is no error and it never comes back (5.5.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from gateway.oauth.refusals import OAuthRefusal

PERSONAL = ("locale",)
"""Claims told only when the citizen ticked them: data minimisation first."""
SIGN_IN = ("auth_time", "acr", "amr")
"""What a sign-in itself says; always in the id_token where it is known, at userinfo when asked."""
SUPPORTED = ("sub", "iss", "aud", "exp", "iat", "nonce", "at_hash", *SIGN_IN, *PERSONAL)

_PLACES = ("id_token", "userinfo")
_MAX_BYTES = 8 * 1024
_MAX_CLAIMS = 100
_MAX_VALUES = 20


@dataclass(frozen=True, slots=True)
class Wish:
    """How one claim is asked for. `values` are the texts that would do; empty: any."""

    essential: bool = False
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClaimsRequest:
    """What is asked for by name, for the id_token and for userinfo."""

    id_token: Mapping[str, Wish] = field(default_factory=dict)
    userinfo: Mapping[str, Wish] = field(default_factory=dict)

    def places(self, scope: str) -> dict[str, tuple[str, ...]]:
        """Where each personal claim was asked to be told; `profile` asks for userinfo (Core 5.4)."""
        asked = {"id_token": set(self.id_token), "userinfo": set(self.userinfo)}
        if "profile" in scope.split():
            asked["userinfo"] |= set(PERSONAL)
        return {name: where for name in PERSONAL if (where := _where(name, asked))}

    @property
    def sign_in(self) -> tuple[str, ...]:
        """The claims about the sign-in that userinfo is asked for."""
        return tuple(name for name in SIGN_IN if name in self.userinfo)

    @property
    def subjects(self) -> tuple[str, ...]:
        """The subjects one of which the citizen must be; empty: anybody (Core 5.5.1)."""
        return tuple(value for wish in self._both("sub") for value in wish.values)

    @property
    def acrs(self) -> tuple[str, ...] | None:
        """The classes one of which the sign-in must reach; () means any class; None: nothing is essential."""
        essential = [wish for wish in self._both("acr") if wish.essential]
        if not essential:
            return None
        return tuple(value for wish in essential for value in wish.values)

    @property
    def wished_acrs(self) -> tuple[str, ...]:
        """Every class asked for, essential or not."""
        return tuple(value for wish in self._both("acr") for value in wish.values)

    @property
    def auth_time(self) -> bool:
        """Whether it is essential to know when the citizen signed in."""
        return any(wish.essential for wish in self._both("auth_time"))

    def _both(self, name: str) -> list[Wish]:
        return [wish for place in (self.id_token, self.userinfo) if (wish := place.get(name))]


def read_claims(text: str | None) -> ClaimsRequest:
    """The request in `text`. Raises OAuthRefusal `invalid_request` unless it has the form of Core 5.5."""
    if text is None:
        return ClaimsRequest()
    if len(text) > _MAX_BYTES:
        raise _invalid("claims is too long")
    try:
        asked = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise _invalid("claims must be a JSON object") from error
    if not isinstance(asked, dict):
        raise _invalid("claims must be a JSON object")
    return ClaimsRequest(**{place: _place(asked.get(place)) for place in _PLACES})


def _place(asked: object) -> dict[str, Wish]:
    if asked is None:
        return {}
    if not isinstance(asked, dict) or len(asked) > _MAX_CLAIMS:
        raise _invalid("id_token and userinfo of claims must be JSON objects of at most 100 members")
    return {name: _wish(wish) for name, wish in asked.items()}


def _wish(asked: Any) -> Wish:
    if asked is None:
        return Wish()
    if not isinstance(asked, dict):
        raise _invalid("a claim is asked for by null or by a JSON object")
    essential, values = asked.get("essential", False), asked.get("values", [])
    if not isinstance(essential, bool):
        raise _invalid("essential must be true or false")
    if not isinstance(values, list) or len(values) > _MAX_VALUES:
        raise _invalid("values must be an array of at most 20 values")
    return Wish(essential, tuple(value for value in (asked.get("value"), *values) if isinstance(value, str)))


def _where(name: str, asked: Mapping[str, set[str]]) -> tuple[str, ...]:
    return tuple(place for place in _PLACES if name in asked[place])


def _invalid(what: str) -> OAuthRefusal:
    return OAuthRefusal("invalid_request", what=what)
