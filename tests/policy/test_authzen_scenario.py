"""The AuthZEN 1.0 certification scenario (Basic, Batch, Discovery) through the doors, on a fixture policy."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import regorus
from starlette.applications import Starlette
from starlette.requests import Request

from gateway.access import Access
from gateway.api.authzen import routes
from gateway.errors import Problem
from gateway.policy.authzen import Decide, Evaluation, Verdict
from gateway.responses import problem_response
from gateway.telemetry import Metrics

ORIGIN = "https://pdp.example"
POLICY = (Path(__file__).parent / "scenario" / "scenario.rego").read_text(encoding="utf-8")


def fixture_policy() -> Decide:
    """Decides by the scenario's Rego."""
    engine = regorus.Engine()
    engine.add_policy("scenario.rego", POLICY)

    async def decide(asked: Evaluation) -> Verdict:
        engine.set_input_json(json.dumps(msgspec.to_builtins(asked)))
        return Verdict(engine.eval_rule("data.scenario.allow") is True, {})

    return decide


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """A caller of the doors; it authenticates by a header."""

    async def authenticate(request: Request) -> Decide:
        if request.headers.get("authorization") != "yes":
            raise Problem("invalid_client")
        return fixture_policy()

    async def answer(_request: Request, error: Exception) -> Any:
        assert isinstance(error, Problem)
        return problem_response(error, "en")

    app = Starlette(routes=list(routes(ORIGIN, authenticate)), exception_handlers={Problem: answer})
    app.add_middleware(Access, metrics=Metrics())
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(
        transport=transport, base_url=ORIGIN, headers={"authorization": "yes"}
    ) as made:
        yield made


def evaluation(subject: Any, action: Any, resource: Any, **more: Any) -> dict[str, Any]:
    """A request; a name alone stands for an entity without properties."""
    who = subject if isinstance(subject, dict) else {"type": "user", "id": subject}
    what = action if isinstance(action, dict) else {"name": action}
    which = resource if isinstance(resource, dict) else {"type": "record", "id": resource}
    return {"subject": who, "action": what, "resource": which, **more}


ARCHIVED = {"type": "record", "id": "record-2", "properties": {"status": "archived"}}
ADMIN = {"type": "user", "id": "bob", "properties": {"role": "admin"}}
SCENARIO = [
    (evaluation("alice", "read", "record-1"), True),
    (evaluation("alice", "write", "record-1"), True),
    (evaluation("bob", "read", "record-1"), True),
    (evaluation("bob", "write", "record-1"), False),
    (evaluation("alice", "write", ARCHIVED), False),
    (evaluation(ADMIN, "write", ARCHIVED), True),
    (evaluation("alice", {"name": "delete", "properties": {"soft": True}}, "record-1"), True),
    (evaluation("alice", {"name": "delete", "properties": {"soft": False}}, "record-1"), False),
]


@pytest.mark.parametrize("context", [None, {"time": "2026-11-22T09:00:00Z"}])
@pytest.mark.parametrize(("asked", "decision"), SCENARIO)
async def test_basic(
    client: httpx.AsyncClient, asked: dict[str, Any], decision: bool, context: dict[str, str] | None
) -> None:
    """Each of the eight, with and without context: 200 and the decision, the request id echoed."""
    body = asked if context is None else {**asked, "context": context}
    answer = await client.post("/access/v1/evaluation", json=body, headers={"X-Request-ID": "req-1"})
    assert answer.status_code == 200
    assert answer.json()["decision"] is decision
    assert answer.headers["x-request-id"] == "req-1"
    assert answer.headers["content-type"].startswith("application/json")


async def test_batch_with_defaults(client: httpx.AsyncClient) -> None:
    """What is written above counts for each that does not say otherwise; answers keep the order."""
    body = {
        "subject": {"type": "user", "id": "alice"},
        "action": {"name": "write"},
        "evaluations": [
            {"resource": {"type": "record", "id": "record-1"}},
            {"resource": ARCHIVED},
            {"resource": {"type": "record", "id": "record-1"}, "subject": {"type": "user", "id": "bob"}},
            {},
        ],
    }
    answer = (await client.post("/access/v1/evaluations", json=body)).json()["evaluations"]
    assert [one["decision"] for one in answer] == [True, False, False, False]
    assert answer[3]["context"]["error"]["status"] == 400


@pytest.mark.parametrize(
    ("semantic", "decisions"),
    [
        (None, [True, False, True]),
        ("execute_all", [True, False, True]),
        ("deny_on_first_deny", [True, False]),
        ("permit_on_first_permit", [True]),
    ],
)
async def test_batch_semantics(
    client: httpx.AsyncClient, semantic: str | None, decisions: list[bool]
) -> None:
    """A batch ends where its semantic says."""
    asked = [SCENARIO[0][0], SCENARIO[3][0], SCENARIO[1][0]]
    body: dict[str, Any] = {"evaluations": asked}
    if semantic:
        body["options"] = {"evaluations_semantic": semantic}
    answer = (await client.post("/access/v1/evaluations", json=body)).json()["evaluations"]
    assert [one["decision"] for one in answer] == decisions


async def test_a_batch_of_none_is_one(client: httpx.AsyncClient) -> None:
    """Without evaluations the one above is answered alone."""
    answer = await client.post("/access/v1/evaluations", json=SCENARIO[0][0])
    assert answer.json() == {"decision": True}


async def test_discovery(client: httpx.AsyncClient) -> None:
    """The metadata names this decision point and where it answers."""
    answer = (await client.get("/.well-known/authzen-configuration")).json()
    assert answer["policy_decision_point"] == ORIGIN
    assert answer["access_evaluation_endpoint"] == f"{ORIGIN}/access/v1/evaluation"
    assert answer["access_evaluations_endpoint"] == f"{ORIGIN}/access/v1/evaluations"


@pytest.mark.parametrize("door", ["evaluation", "evaluations"])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"{}",
        b"\xff",
        b'{"subject":{"type":"user"},"action":{"name":"read"},"resource":{"type":"record","id":"1"}}',
        b'{"subject":{"type":"user","id":1},"action":{"name":"read"},"resource":{"type":"r","id":"1"}}',
        b'{"subject":{"type":"user","id":"a"},"action":"read","resource":{"type":"record","id":"1"}}',
        b'{"subject":{"type":"user","id":"a"},"action":{"name":"read"}}',
        b"[" * 50_000,
    ],
)
async def test_what_cannot_be_read_is_400(client: httpx.AsyncClient, door: str, body: bytes) -> None:
    """Malformed requests are errors, never decisions."""
    headers = {"Content-Type": "application/json"}
    answer = await client.post(f"/access/v1/{door}", content=body, headers=headers)
    assert answer.status_code == 400
    assert "decision" not in answer.json()


async def test_other_errors(client: httpx.AsyncClient) -> None:
    """A stranger is 401, an unknown semantic 400, a form 400, too much 413."""
    stranger = await client.post(
        "/access/v1/evaluation", json=SCENARIO[0][0], headers={"authorization": "no"}
    )
    assert stranger.status_code == 401
    odd = {"evaluations": [SCENARIO[0][0]], "options": {"evaluations_semantic": "sometimes"}}
    assert (await client.post("/access/v1/evaluations", json=odd)).status_code == 400
    assert (await client.post("/access/v1/evaluation", data={"a": "b"})).status_code == 400
    large = json.dumps({**SCENARIO[0][0], "context": {"x": "x" * 70_000}})
    headers = {"Content-Type": "application/json"}
    assert (await client.post("/access/v1/evaluation", content=large, headers=headers)).status_code == 413
