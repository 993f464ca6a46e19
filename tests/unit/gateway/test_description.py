"""The OpenAPI document: every route of the running application, and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.routing import Route

from gateway.api.description import is_page
from tests.world import World, open_world

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A whole gateway."""
    async with open_world(tmp_path_factory.mktemp("described")) as opened:
        yield opened


async def test_every_door_is_described_and_every_description_has_its_door(world: World) -> None:
    """Path by path and method by method, and each operation says how it is opened and how it refuses."""
    document = (await world.http.get(f"{world.origin}/openapi.json")).json()
    described = {
        (path, method) for path, item in document["paths"].items() for method in item if method in METHODS
    }
    assert _doors(world.app) <= described
    assert {path for path, _ in described} == {path for path, _ in _doors(world.app)} | GENERATED
    for path, method in described:
        operation = document["paths"][path][method]
        assert "security" in operation, path
        assert operation["tags"], path
        assert operation["summary"], path
        assert any(code.startswith("2") or code == "303" for code in operation["responses"]), path


GENERATED = {"/transfers", "/precheck", "/transfers/{transfer_id}", "/bundles/{bundle_id}"}
GENERATED |= {"/access/v1/evaluation", "/access/v1/evaluations", "/.well-known/authzen-configuration"}
GENERATED |= {"/consents", "/consents/{consent_id}", "/policy/revisions", "/policy/what-if"}
GENERATED |= {"/policy/decisions", "/policy/decisions/{decision_id}/replay"}
GENERATED |= {
    f"/consents/{{consent_id}}/{door}"
    for door in ("acknowledgement", "deletion-instruction", "deletion-certificate")
}
GENERATED |= {"/receipts", "/receipts/{receipt_id}", "/profiles/consent/2/context.jsonld"}
GENERATED |= {"/profiles/consent/2/schema.json"}
"""What FastAPI describes itself; its included routers do not stand among the application's routes."""


async def test_references_lead_somewhere(world: World) -> None:
    """No reference is broken, no operation id is used twice, every tag is explained."""
    document: dict[str, Any] = (await world.http.get(f"{world.origin}/openapi.json")).json()
    for reference in re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document)):
        found: Any = document
        for step in reference.split("/"):
            found = found[step]
    operations = [one for item in document["paths"].values() for one in item.values()]
    ids = [one["operationId"] for one in operations if "operationId" in one]
    assert len(ids) == len(set(ids))
    assert {tag for one in operations for tag in one["tags"]} == {tag["name"] for tag in document["tags"]}


def test_pages_are_told_from_doors(world: World) -> None:
    """Only what `gateway.web` answers is a page."""
    pages = {route.path for route in world.app.router.routes if is_page(route)}
    assert {"/sign-in", "/my/consents", "/consent/{interaction}"} <= pages
    assert not pages & {"/token", "/authorize", "/healthz", "/ledger/checkpoint"}


def _doors(app: Any) -> set[tuple[str, str]]:
    return {
        (route.path.replace(":path}", "}"), method.lower())
        for route in app.router.routes
        if isinstance(route, Route) and route.include_in_schema and route.path != "/openapi.json"
        for method in (route.methods or set()) - {"HEAD"}
    }
