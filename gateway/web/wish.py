"""The sign-in a pending request wants of the identity provider."""

from __future__ import annotations

from gateway.oauth.interactions import Pending
from gateway.web.identity import Wish


def wish_of(pending: Pending) -> Wish:
    """The sign-in to ask the identity provider for."""
    asked = pending.openid
    prompt = next((name for name in ("login", "select_account") if name in asked.prompt), None)
    if prompt is None and asked.names_citizen:
        prompt = "select_account"  # whoever is remembered there may be somebody else
    needed = 0 if asked.claims.auth_time and asked.oldest is None else asked.oldest
    acrs = dict.fromkeys((*asked.acr_values, *(asked.claims.acrs or ())))
    return Wish(prompt, needed, tuple(acrs), asked.login_hint)
