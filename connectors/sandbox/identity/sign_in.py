"""GET and POST /authorize: check the request, show who can be chosen, send the browser back with a code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from connectors.sandbox.identity import page
from connectors.sandbox.identity.config import IdentityConfig
from connectors.sandbox.identity.memory import AuthorizationRequest, Shelf, SignedIn
from connectors.sandbox.people import Citizen

SCOPES = frozenset({"openid", "profile", "links"})
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
PROMPTS = frozenset({"none", "login", "consent", "select_account"})
"""All but none end at the same page: nobody is remembered here, so every sign-in is a fresh one."""
SECONDS = re.compile(r"[0-9]{1,9}", re.ASCII)


class BadRequest(Exception):
    """The request is unusable; `code` is the OAuth error, sent back to the client where that is safe."""

    def __init__(self, code: str, back: AuthorizationRequest | None = None) -> None:
        """Refuse with `code`."""
        super().__init__(code)
        self.code, self.back = code, back


@dataclass(frozen=True, slots=True)
class SignIn:
    """The authorization endpoint (OpenID Connect Core 3.1.2)."""

    config: IdentityConfig
    requests: Shelf[AuthorizationRequest]
    codes: Shelf[SignedIn]

    async def show(self, request: Request) -> Response:
        """GET: the page, or a refusal."""
        language = _language(request)
        try:
            checked = self._check(request, language)
        except BadRequest as bad:
            return self._back(bad.back, error=bad.code) if bad.back else page.refusal(language, bad.code)
        everybody = self._hinted_first(checked.hint)
        name = self.requests.put(checked)
        return page.choices(name, everybody, self.config.today, checked.language, checked.redirect_uri)

    async def choose(self, request: Request) -> Response:
        """POST: the person chosen. A request can be answered once."""
        try:
            form = dict(parse_qsl((await request.body()).decode(), max_num_fields=4))
        except ValueError:
            return page.refusal(_language(request), "invalid_request")
        asked = self.requests.take(form.get("request", ""))
        if asked is None:
            return page.refusal(_language(request), "expired_request")
        chosen = form.get("person", "")
        if chosen not in self.config.people:
            return self._back(asked, error="access_denied")
        return self._back(asked, code=self.codes.put(SignedIn(asked, chosen, self.config.now())))

    def _check(self, request: Request, language: str) -> AuthorizationRequest:
        pairs = request.query_params.multi_items()
        given = dict(pairs)
        client = self.config.clients.get(given.get("client_id", ""))
        redirect_uri = given.get("redirect_uri", "")
        if client is None or redirect_uri not in client.redirect_uris or len(given) != len(pairs):
            raise BadRequest("invalid_request")
        asked = AuthorizationRequest(
            client_id=client.client_id,
            redirect_uri=redirect_uri,
            scope=frozenset(given.get("scope", "").split()) & SCOPES,
            state=given.get("state", ""),
            nonce=given.get("nonce", ""),
            challenge=given.get("code_challenge", ""),
            language=language,
            hint=given.get("login_hint", ""),
        )
        if given.get("response_type") != "code":
            raise BadRequest("unsupported_response_type", asked)
        if "openid" not in asked.scope:
            raise BadRequest("invalid_scope", asked)
        if given.get("code_challenge_method") != "S256" or not CHALLENGE.fullmatch(asked.challenge):
            raise BadRequest("invalid_request", asked)
        if not asked.nonce or not asked.state:
            raise BadRequest("invalid_request", asked)
        prompts = given.get("prompt", "").split()
        if not set(prompts) <= PROMPTS or ("none" in prompts and len(prompts) > 1):
            raise BadRequest("invalid_request", asked)
        if not SECONDS.fullmatch(given.get("max_age", "0")):
            raise BadRequest("invalid_request", asked)
        if prompts == ["none"]:
            raise BadRequest("login_required", asked)
        return asked

    def _hinted_first(self, hint: str) -> list[Citizen]:
        """Everybody, the person whose handle is the login_hint on top; a hint chooses nobody."""
        return sorted(self.config.people.values(), key=lambda person: person.handle != hint)

    def _back(self, asked: AuthorizationRequest, **answer: str) -> Response:
        query = urlencode({**answer, "state": asked.state, "iss": self.config.issuer})
        separator = "&" if "?" in asked.redirect_uri else "?"
        headers = {"cache-control": "no-store", "referrer-policy": "no-referrer"}
        return RedirectResponse(f"{asked.redirect_uri}{separator}{query}", 303, headers=headers)


def _language(request: Request) -> str:
    asked = request.query_params.get("ui_locales") or request.headers.get("accept-language", "")
    return "en" if asked.lower().startswith("en") else "ko"
