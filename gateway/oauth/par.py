"""POST /par: pushed authorization requests (RFC 9126), the only way to begin (FAPI 2.0 5.3.2.2-2 to 4)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass

import orjson
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from consent.events import Event
from gateway.oauth.answers import Answer
from gateway.oauth.client_certificate import NOT_BY_KEY
from gateway.oauth.clients import Client
from gateway.oauth.details import read_details
from gateway.oauth.door import Door
from gateway.oauth.dpop import check_proof
from gateway.oauth.exchange import Exchange, Write
from gateway.oauth.granting import checking, read_action
from gateway.oauth.grants import hashed
from gateway.oauth.jarm import MODES
from gateway.oauth.openid_request import kept_of
from gateway.oauth.refusals import OAuthRefusal
from gateway.oauth.request_object import parameters
from gateway.oauth.tables import AuthorizationRequestRow
from gateway.oauth.tokens import new_secret

URI_PREFIX = "urn:ietf:params:oauth:request_uri:"
EXPIRES_SECONDS = 300
"""Life of a request_uri; FAPI 2.0 5.3.2.2-12 wants less than 600."""
ANSWER_SECONDS = 3600
"""Time to sign in, read and answer the consent page, from the push; putting it off adds nothing."""

KEPT = (
    "response_type",
    "client_id",
    "redirect_uri",
    "response_mode",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "ui_locales",
    "grant_management_action",
)
_LONGEST = 1024
_SHORT = f"state, nonce and ui_locales may have {_LONGEST} characters"
_MODE = f"response_mode must be one of {' '.join(MODES)}"
_JKT = re.compile(r"[A-Za-z0-9_-]{43}")
_TABLE = AuthorizationRequestRow.__table__  # type: ignore[attr-defined]


Form = dict[str, str]
Holds = Callable[[Form, Client], bool]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a pushed request: code of the refusal, its clause, the predicate, what is wanted."""

    code: str
    clause: str
    holds: Holds
    what: str = ""


def _present(name: str) -> Holds:
    return lambda form, _client: name in form


def _one_of(name: str, *allowed: str | None) -> Holds:
    return lambda form, _client: form.get(name) in allowed


def _registered(form: Form, client: Client) -> bool:
    return form.get("redirect_uri") in client.redirect_uris


def _short(form: Form, _client: Client) -> bool:
    return all(len(form.get(name, "")) <= _LONGEST for name in ("state", "nonce", "ui_locales"))


def _redeems(_form: Form, client: Client) -> bool:
    return client.check_grant_type("authorization_code")


def _thumbprint(form: Form, _client: Client) -> bool:
    return _JKT.fullmatch(form.get("dpop_jkt", "A" * 43)) is not None


def _by_key(form: Form, client: Client) -> bool:
    return not (client.certificate_bound and "dpop_jkt" in form)


RULES: tuple[Rule, ...] = (
    Rule("unauthorized_client", "RFC 6749 4.1.2.1", _redeems, "its grant_types lack authorization_code"),
    Rule("invalid_request", "JARM 2.3", _one_of("response_mode", None, *MODES), _MODE),
    Rule("invalid_request", "RFC 9126 2.1", _present("client_id"), "client_id is missing"),
    Rule("invalid_request", "RFC 6749 4.1.1", _present("response_type"), "response_type is missing"),
    Rule("unsupported_response_type", "FAPI2-SP 5.3.2.2-1", _one_of("response_type", "code")),
    Rule("redirect_uri_unregistered", "FAPI2-SP 5.3.2.2-6", _registered),
    Rule("invalid_request", "FAPI2-SP 5.3.2.2-14", _short, _SHORT),
    Rule("invalid_request", "RFC 9449 10", _thumbprint, "dpop_jkt must be a JWK thumbprint"),
    Rule("dpop_invalid", "RFC 8705 3", _by_key, NOT_BY_KEY),
)


class PushDoor(Door):
    """Takes a request in, and gives the one-time reference the browser carries."""

    path = "/par"
    refusal = Event.OAUTH_AUTHORIZATION_REFUSED

    def decide(self, exchange: Exchange) -> Answer:
        """Authenticate, check, remember. 201 with request_uri and expires_in."""
        client = self.authenticate(exchange)
        now = exchange.arrival.now
        proved = _proved_key(exchange)
        form = parameters(exchange.form, client, issuer=self.server.issuer, now=now)
        jkt = _bound_key(proved, form.get("dpop_jkt"))
        for rule in RULES:
            if not rule.holds(form, client):
                raise OAuthRefusal(rule.code, what=rule.what) if rule.what else OAuthRefusal(rule.code)
        managed = read_action(form)
        exchange.payload = BasicOAuth2Payload(form)
        self.server.get_consent_grant(exchange)  # Authlib: response type, redirect_uri, scope, PKCE
        details = read_details(form.get("authorization_details"), client, self.server.validate_details)
        reference = URI_PREFIX + new_secret()
        kept = {name: form[name] for name in KEPT if name in form}
        kept |= kept_of(form, lambda hint: str(self.server.id_tokens.hinted(hint, client.id)["sub"]))
        kept["grant_id"] = str(managed.grant_id)
        if resource := self.server.minter.resources.asked_for(form.get("resource"), kept.get("scope", "")):
            kept["resource"] = resource
        if managed.changes:
            exchange.writes.append(checking(managed, client, details, at=now))
        exchange.writes.append(_keeping(reference, kept, details, jkt, now))
        told = {"request": hashed(reference).hex(), "details": hashlib.sha256(details.encode()).hexdigest()}
        exchange.writes.append(self.server.record.pushed(client, told, at=now))
        named = {"grant_id": managed.grant_id} if managed.action else {}
        return Answer(201, {"request_uri": reference, "expires_in": EXPIRES_SECONDS, **named})


def _proved_key(exchange: Exchange) -> str | None:
    """The key of the DPoP header, if one was sent."""
    arrival = exchange.arrival
    if not arrival.proofs:
        return None
    proof = check_proof(
        arrival.proofs, method="POST", url=arrival.url, now=arrival.now, nonces=arrival.nonces
    )
    exchange.once.append(proof.once)
    return proof.jkt


def _bound_key(proved: str | None, named: str | None) -> str | None:
    """The key the code will be bound to: by header, by `dpop_jkt`, or both alike (RFC 9449 10.1)."""
    if None not in (proved, named) and proved != named:
        raise OAuthRefusal("dpop_invalid", check="proof.dpop_jkt", what="dpop_jkt must name the proof key")
    return proved or named


def _keeping(reference: str, kept: dict[str, str], details: str, jkt: str | None, now: int) -> Write:
    parameters = orjson.dumps({**kept, "authorization_details": details}).decode()
    values = {
        "interaction_id": new_secret(),
        "request_hash": hashed(reference),
        "client_id": kept["client_id"],
        "parameters": parameters,
        "dpop_jkt": jkt,
        "created_at": now,
        "expires_at": now + EXPIRES_SECONDS,
        "answer_by": now + ANSWER_SECONDS,
    }

    async def keep(session: AsyncSession) -> None:
        await session.execute(insert(_TABLE).values(**values))

    return keep
