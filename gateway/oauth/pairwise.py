"""Pairwise subject identifiers: each client knows a citizen by another name (OIDC Core 8.1)."""

from __future__ import annotations

import hashlib
import hmac

from gateway.keyring import base64url


def pairwise_subject(secret: bytes, sector: str, subject_id: str) -> str:
    """The `sub` by which the sector (a client, or those sharing a sector identifier) knows a citizen."""
    return base64url(hmac.new(secret, f"sub\n{sector}\n{subject_id}".encode(), hashlib.sha256).digest())
