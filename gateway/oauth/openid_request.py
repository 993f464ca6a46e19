"""What a pushed request says about the citizen's sign-in and recognition (OpenID Connect Core 3.1.2.1).

`prompt`, `max_age`, `acr_values` and `login_hint` count for every request (RFC 9470 4 knows them without
OpenID); `claims` and the scopes `openid` and `profile` make a recognition out of it. `display` and
`claims_locales` are accepted and change nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import orjson

from gateway.oauth.claims import ClaimsRequest, read_claims
from gateway.oauth.refusals import OAuthRefusal

OPENID = "openid"
SCOPES = (OPENID, "profile")
"""Scopes that make a recognition. Data is asked for by authorization_details, never by scope."""
QUERY, REVOKE = "grant_management_query", "grant_management_revoke"
MANAGING = (QUERY, REVOKE)
"""Scopes by which a client looks at a grant or gives it up (Grant Management); nothing of a citizen."""
PROMPTS = ("none", "login", "consent", "select_account")
KEPT = ("prompt", "max_age", "acr_values", "login_hint", "claims")

_MAX_HINT = 256
_MAX_ACRS = 10
_AGE = re.compile(r"[0-9]{1,9}", re.ASCII)
_ACR = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)

ReadHint = Callable[[str], str]
"""The `sub` an id_token of ours names to its client; raises OAuthRefusal for anything else."""


@dataclass(frozen=True, slots=True)
class OpenIdRequest:
    """The sign-in a client wants. `hinted` is the pairwise name of the citizen it expects."""

    scope: str = ""
    prompt: frozenset[str] = frozenset()
    max_age: int | None = None
    acr_values: tuple[str, ...] = ()
    login_hint: str | None = field(default=None, repr=False)
    hinted: str | None = None
    nonce: str | None = field(default=None, repr=False)
    claims: ClaimsRequest = field(default_factory=ClaimsRequest)

    @property
    def recognising(self) -> bool:
        """Whether the client asks to recognise the citizen: an id_token comes of it."""
        return OPENID in self.scope.split()

    @property
    def silent(self) -> bool:
        """Whether no page may be shown (`prompt=none`)."""
        return "none" in self.prompt

    @property
    def personal(self) -> dict[str, tuple[str, ...]]:
        """The personal claims the citizen is asked about, each with where it would be told."""
        return self.claims.places(self.scope) if self.recognising else {}

    @property
    def oldest(self) -> int | None:
        """How many seconds before the request the citizen may have signed in; None: any time."""
        if "login" in self.prompt:
            return 0
        return self.max_age

    @property
    def names_citizen(self) -> bool:
        """Whether only one certain citizen may be meant."""
        return self.hinted is not None or bool(self.claims.subjects)

    def may_be(self, subject: str) -> bool:
        """Whether the citizen of this pairwise name may be the one (Core 3.1.2.2, 5.5.1)."""
        return self.hinted in (None, subject) and subject in (self.claims.subjects or (subject,))

    @property
    def needs_auth_time(self) -> bool:
        """Whether the id_token must say when the citizen signed in (Core 2, 5.5.1)."""
        return self.oldest is not None or self.claims.auth_time


def authorization_scope(asked: str | None) -> str:
    """The scope a request gets. Without `openid` only `MANAGING` is known; with it unknown ones are ignored.

    RFC 6749 3.3 and 4.1.2.1 for the first (`invalid_scope`), OpenID Connect Core 3.1.2.1 for the second.
    """
    names = (asked or "").split()
    if OPENID not in names and not set(names) <= set(MANAGING):
        raise OAuthRefusal("invalid_scope")
    return together(*names)


def together(*scopes: str) -> str:
    """The known names in any of `scopes`, each once, always in the same order."""
    names = " ".join(scopes).split()
    return " ".join(name for name in (*SCOPES, *MANAGING) if name in names)


def kept_of(form: Mapping[str, str], read_hint: ReadHint) -> dict[str, str]:
    """What is kept of a pushed request beside its own parameters. Raises OAuthRefusal `invalid_request`.

    An id_token_hint is checked now and only the subject it names is kept.
    """
    kept = {name: form[name] for name in KEPT if form.get(name)}
    if scope := authorization_scope(form.get("scope")):
        kept["scope"] = scope
    _check_prompt(form.get("prompt", ""))
    if "max_age" in kept and not _AGE.fullmatch(kept["max_age"]):
        raise OAuthRefusal("invalid_request", what="max_age must be a number of seconds")
    acrs = kept.get("acr_values", "").split()
    if len(acrs) > _MAX_ACRS or not all(_ACR.fullmatch(acr) for acr in acrs):
        raise OAuthRefusal("invalid_request", what=f"acr_values may name {_MAX_ACRS} classes")
    hint = kept.get("login_hint", "")
    if len(hint) > _MAX_HINT or not hint.isprintable():
        raise OAuthRefusal("invalid_request", what=f"login_hint may have {_MAX_HINT} printable characters")
    read_claims(kept.get("claims"))
    if hinted := form.get("id_token_hint"):
        kept["hinted"] = read_hint(hinted)
    return kept


def of_kept(asked: Mapping[str, str]) -> OpenIdRequest:
    """The request that `kept_of` let through."""
    claims = read_claims(asked.get("claims"))
    age = asked.get("max_age")
    return OpenIdRequest(
        scope=asked.get("scope", ""),
        prompt=frozenset(asked.get("prompt", "").split()),
        max_age=int(age) if age is not None else None,
        acr_values=tuple(dict.fromkeys((*asked.get("acr_values", "").split(), *claims.wished_acrs))),
        login_hint=asked.get("login_hint"),
        hinted=asked.get("hinted"),
        nonce=asked.get("nonce"),
        claims=claims,
    )


def without_hint(parameters: str) -> str:
    """The stored parameters once the sign-in is over: a login_hint names a person, so it does not stay."""
    if '"login_hint"' not in parameters:
        return parameters
    kept = {name: value for name, value in orjson.loads(parameters).items() if name != "login_hint"}
    return orjson.dumps(kept).decode()


def _check_prompt(text: str) -> None:
    names = text.split()
    if not set(names) <= set(PROMPTS):
        raise OAuthRefusal("invalid_request", what=f"prompt may hold {' '.join(PROMPTS)}")
    if "none" in names and len(set(names)) > 1:
        raise OAuthRefusal("invalid_request", what="prompt none goes with no other value")
