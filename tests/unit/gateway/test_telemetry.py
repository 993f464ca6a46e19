"""Nothing secret or personal gets into a log line."""

from __future__ import annotations

import pytest

from gateway.telemetry import redact

CANARY = "canary-7f3a"


@pytest.mark.parametrize(
    "name", ["authorization", "DPoP", "access_token", "client_assertion", "code", "name", "link", "Cookie"]
)
def test_values_of_secret_names_are_hidden(name: str) -> None:
    """A value under a secret name is hidden, at any depth."""
    cleaned = redact(None, "info", {"event": "x", name: CANARY, "inner": {name: [CANARY]}})

    assert CANARY not in str(cleaned)


@pytest.mark.parametrize(
    "text",
    [
        "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3In0.c2lnbmF0dXJlLWJ5dGVz",
        "900101-1234567",
        "9001011234567",
        "010-1234-5678",
        "01012345678",
    ],
)
def test_tokens_and_identity_numbers_are_hidden_inside_text(text: str) -> None:
    """Compact tokens, resident registration numbers and telephone numbers are cut out of any text."""
    cleaned = redact(None, "info", {"event": f"failed for {text}", "list": [f"at {text}!"]})

    assert text not in str(cleaned)


def test_what_is_neither_secret_nor_personal_stays() -> None:
    """An ordinary event is logged as it is."""
    event = {"event": "refused", "problem": "request_expired", "status": 400}

    assert redact(None, "info", dict(event)) == event
