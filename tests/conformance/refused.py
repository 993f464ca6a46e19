"""What every refusal must be: the right status, error and code, uncacheable, and without any change."""

from __future__ import annotations

from collections.abc import Awaitable

import httpx

from tests.oauth_stage import Stage


async def refused(
    stage: Stage, sent: Awaitable[httpx.Response], status: int, error: str | None, code: str
) -> httpx.Response:
    """Await `sent` and assert that it was refused so and that nothing was changed."""
    before = await stage.state()
    response = await sent
    assert response.status_code == status, response.text
    body = response.json()
    assert body["code"] == code, body
    if error is not None:
        assert body["error"] == error, body
        assert body["error_description"]
        assert response.headers["cache-control"] == "no-store"
    assert await stage.state() == before
    return response
