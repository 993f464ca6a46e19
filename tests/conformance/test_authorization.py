"""FAPI 2.0 5.3.2.2, RFC 9207, RFC 9126 4: the browser's way in and out."""

from __future__ import annotations

import asyncio

import pytest

from gateway.errors import Problem
from gateway.oauth import interactions
from gateway.oauth.par import ANSWER_SECONDS
from tests.conformance.refused import refused
from tests.oauth_keys import es256
from tests.oauth_stage import Stage, redirected


async def test_par_ensure_reused_request_uri_prior_to_auth_completion_succeeds(stage: Stage) -> None:
    """A visit uses nothing up: two visits lead to the same page."""
    reference = (await stage.push()).json()["request_uri"]
    first, second = await stage.visit(reference), await stage.visit(reference)
    assert first.status_code == second.status_code == 303
    assert first.headers["location"] == second.headers["location"]


async def test_par_attempt_reuse_request_uri(stage: Stage) -> None:
    """After the answer the reference is used up."""
    reference = (await stage.push()).json()["request_uri"]
    interaction = (await stage.visit(reference)).headers["location"].rpartition("/")[2]
    await stage.settle(interaction)
    await refused(stage, stage.visit(reference), 409, None, "request_answered")
    redirected(await stage.resume(interaction))
    await refused(stage, stage.visit(reference), 409, None, "request_answered")


async def test_par_attempt_to_use_expired_request_uri(stage: Stage) -> None:
    """After expires_in the reference is refused."""
    pushed = (await stage.push()).json()
    stage.clock.forward(pushed["expires_in"])
    await refused(stage, stage.visit(pushed["request_uri"]), 410, None, "request_expired")


async def test_par_attempt_to_use_request_uri_for_different_client(stage: Stage) -> None:
    """A reference belongs to the client that pushed it."""
    await stage.register("second-company", es256())
    reference = (await stage.push()).json()["request_uri"]
    sent = stage.visit(reference, client_id="second-company")
    await refused(stage, sent, 400, None, "request_unknown")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        pytest.param(
            {"response_type": "code"},
            "authorize_needs_par",
            id="ensure-unsigned-authorization-request-without-using-par-fails",
        ),
        pytest.param({"request_uri": "https://evil.example/r"}, "authorize_needs_par", id="foreign"),
        pytest.param(
            {"request_uri": "urn:ietf:params:oauth:request_uri:guess"}, "request_unknown", id="guess"
        ),
        pytest.param({"request": "e.y.J"}, "authorize_needs_par", id="request-object"),
    ],
)
async def test_nothing_but_a_pushed_request(stage: Stage, query: dict[str, str], code: str) -> None:
    """Whatever was not pushed gets an error page and no redirect."""
    sent = stage.http.get("/authorize", params={"client_id": stage.client_id, **query})
    response = await refused(stage, sent, 400, None, code)
    assert "location" not in response.headers


async def test_state_only_outside_request_object_not_used(stage: Stage) -> None:
    """A state beside the reference is ignored."""
    reference = (await stage.push(state=None)).json()["request_uri"]
    visited = await stage.visit(reference, state="outside", redirect_uri="https://evil.example/")
    interaction = visited.headers["location"].rpartition("/")[2]
    await stage.settle(interaction)
    assert "state" not in redirected(await stage.resume(interaction))


async def test_user_rejects_authentication(stage: Stage) -> None:
    """The citizen's no reaches the client with iss and state, uncached and as 303."""
    interaction = await stage.interaction()
    await stage.settle(interaction, allowed=False)
    response = await stage.resume(interaction)
    answer = redirected(response)
    assert answer["error"] == "access_denied"
    assert answer["iss"] == stage.issuer
    assert "code" not in answer
    assert response.headers["cache-control"] == "no-store"


async def test_only_the_answering_browser_gets_the_code(stage: Stage) -> None:
    """Another session, or none, is refused; the right one still gets it."""
    interaction = await stage.interaction()
    await stage.settle(interaction)
    await refused(stage, stage.resume(interaction, "another"), 403, None, "request_not_yours")
    await refused(stage, stage.resume(interaction, ""), 403, None, "request_not_yours")
    assert "code" in redirected(await stage.resume(interaction))


async def test_the_ending_happens_once(stage: Stage) -> None:
    """Of several resumes at once exactly one gives a code."""
    interaction = await stage.interaction()
    await stage.settle(interaction)
    stage.http.cookies.set("sid", "browser-session")
    path = interactions.resume_path(interaction)
    answers = await asyncio.gather(*(stage.http.get(path) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [303, *[409] * 7]
    assert (await stage.state())["oauth_grant"] == 1


async def test_an_unanswered_request_has_no_ending(stage: Stage) -> None:
    """Nobody gets a code by guessing the ending's address."""
    interaction = await stage.interaction()
    await refused(stage, stage.resume(interaction), 400, None, "request_unknown")
    await refused(stage, stage.resume("x" * 43), 400, None, "request_unknown")


async def test_looking_at_the_ending_takes_no_code(stage: Stage) -> None:
    """HEAD is refused and uses nothing up: the code is for the GET that follows (RFC 9110 9.2.1)."""
    interaction = await stage.interaction()
    await stage.settle(interaction)
    before = await stage.state()
    assert (await stage.http.head(f"/authorize/resume/{interaction}")).status_code == 405
    assert await stage.state() == before
    assert "code" in redirected(await stage.resume(interaction))


async def test_answering_twice_changes_nothing(stage: Stage) -> None:
    """Only the first answer counts; the consent of the second is rolled back with it."""
    interaction = await stage.interaction()
    await stage.settle(interaction, allowed=False)
    before = await stage.state()
    with pytest.raises(Problem) as late:
        await stage.settle(interaction)
    assert late.value.code == "request_answered"
    assert await stage.state() == before


async def test_a_page_answered_after_its_request_expired(stage: Stage) -> None:
    """The answer is refused with request_expired and no consent exists."""
    interaction = await stage.interaction()
    stage.clock.forward(ANSWER_SECONDS)
    before = await stage.state()
    with pytest.raises(Problem) as late:
        await stage.settle(interaction)
    assert late.value.code == "request_expired"
    assert await stage.state() == before


async def test_a_consent_withdrawn_before_the_ending_gives_no_code(stage: Stage) -> None:
    """Withdrawn is already dead: the client hears access_denied."""
    interaction = await stage.interaction()
    stage.consent = await stage.settle(interaction)
    await stage.withdraw()
    assert redirected(await stage.resume(interaction))["error"] == "access_denied"


async def test_no_cors_on_the_authorization_endpoint(stage: Stage) -> None:
    """FAPI 2.0 5.2.3: no other site's script may read it."""
    reference = (await stage.push()).json()["request_uri"]
    answered = await stage.http.get(
        "/authorize",
        params={"client_id": stage.client_id, "request_uri": reference},
        headers={"Origin": "https://evil.example"},
    )
    assert not [name for name in answered.headers if name.startswith("access-control-")]
