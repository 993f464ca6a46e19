"""PKCE (RFC 7636) as FAPI 2.0 5.3.2.2-5 wants it: always, S256 only; a bad verifier is `invalid_grant`."""

from __future__ import annotations

import hmac
import re
from typing import Any

from authlib.oauth2.rfc7636 import CodeChallenge, create_s256_code_challenge

from gateway.oauth.refusals import OAuthRefusal

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


class S256Challenge(CodeChallenge):  # type: ignore[misc]
    """Authlib's PKCE extension without `plain`, without optional, with the errors the official tests want."""

    DEFAULT_CODE_CHALLENGE_METHOD = "S256"
    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:  # noqa: ARG002
        """Refuse `pkce_required` unless an S256 challenge came with the request."""
        fields = grant.request.payload.data
        challenge = fields.get("code_challenge", "")
        if fields.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(challenge):
            raise OAuthRefusal("pkce_required")

    def validate_code_verifier(self, grant: Any, result: object) -> None:  # noqa: ARG002
        """Refuse `pkce_mismatch` unless the verifier fits the code's challenge (constant time)."""
        verifier = grant.request.form.get("code_verifier", "")
        wanted = grant.request.authorization_code.code_challenge
        if not _VERIFIER.fullmatch(verifier) or not hmac.compare_digest(
            create_s256_code_challenge(verifier), wanted
        ):
            raise OAuthRefusal("pkce_mismatch")
