"""The seam to the consent page: what it shows, and answers that say too little."""

from __future__ import annotations

import pytest

from gateway.errors import Problem
from gateway.oauth import clients, interactions
from gateway.oauth.interactions import Settlement
from tests.oauth_stage import Stage, asked_details


async def test_the_page_is_told_who_asks_for_what_until_when(stage: Stage) -> None:
    """Client, details, language wish and the time to answer."""
    interaction = await stage.interaction(ui_locales="en ko")
    async with stage.database.reading() as session:
        pending = await interactions.load(session, interaction, at=stage.now)
    assert pending.client.id == stage.client_id
    assert pending.details == asked_details(stage.today)
    assert pending.ui_locales == "en ko"
    assert pending.answer_by > stage.now


async def test_a_suspended_clients_request_is_not_shown(stage: Stage) -> None:
    """The suspension also ends what waits for an answer."""
    interaction = await stage.interaction()
    async with stage.database.transaction() as session:
        await clients.suspend(session, stage.client_id, at=stage.now)
    async with stage.database.reading() as session:
        with pytest.raises(Problem) as refused:
            await interactions.load(session, interaction, at=stage.now)
    assert refused.value.code == "request_unknown"


@pytest.mark.parametrize(
    "incomplete",
    [
        {"allowed": True, "session_hash": "s"},
        {"allowed": True, "session_hash": "s", "consent_id": "c", "consent_version": 1, "subject_id": "p"},
        {"allowed": False, "session_hash": ""},
    ],
)
def test_an_answer_that_says_too_little(incomplete: dict[str, object]) -> None:
    """A yes without its consent, or any answer without its browser session, cannot be made."""
    with pytest.raises(ValueError, match="settlement"):
        Settlement(**incomplete)  # type: ignore[arg-type]
