"""The OpenAPI document at /openapi.json: every door of the application, with every answer it may give.

What FastAPI knows of its own routes is the beginning. The plain routes are described by the files of
`openapi/`, one a group, laid over it; pages for a browser describe themselves. A test holds the document
against the routes, and another holds the running doors against the document.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from importlib import resources
from typing import Any, TypeGuard

import yaml
from starlette.routing import BaseRoute, Route

GROUPS = (
    "common",
    "oauth",
    "grants",
    "openid",
    "discovery",
    "transfers",
    "consents",
    "endings",
    "receipts",
    "policy",
    "policy_memory",
    "awareness",
    "support",
    "service",
)
PAGES = "pages"
_ERRORS = ("400", "401", "403", "404", "405", "409", "410", "413", "422", "429", "503")
_REFUSED = {"$ref": "#/components/responses/RefusedToABrowser"}

Document = dict[str, Any]


def described(generated: Document, routes: Sequence[BaseRoute]) -> Document:
    """What FastAPI has `generated`, completed by the groups and by the pages among `routes`."""
    made = dict(generated)
    for group in GROUPS:
        _lay_over(made, _group(group))
    _lay_over(made, _of_pages([route for route in routes if is_page(route)]))
    return made


def is_page(route: BaseRoute) -> TypeGuard[Route]:
    """Whether a route answers a browser: those of `gateway.web` do."""
    return isinstance(route, Route) and route.endpoint.__module__.startswith("gateway.web.")


def _group(name: str) -> Document:
    text = resources.files("gateway.api").joinpath("openapi", f"{name}.yaml").read_text(encoding="utf-8")
    read: Document = yaml.safe_load(text)
    return read


def _lay_over(below: Document, above: Document) -> None:
    """Put `above` on `below`: objects are joined, lists added to, anything else replaced, null removes."""
    for name, value in above.items():
        if value is None:
            below.pop(name, None)
        elif isinstance(value, dict) and isinstance(below.get(name), dict):
            _lay_over(below[name], value)
        elif isinstance(value, list) and isinstance(below.get(name), list):
            below[name] = [*below[name], *(one for one in value if one not in below[name])]
        else:
            below[name] = _without_nulls(value)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(one) for name, one in value.items() if one is not None}
    return value


def _of_pages(routes: Sequence[Route]) -> Document:
    paths: Document = {}
    for route in routes:
        for method in sorted((route.methods or set()) - {"HEAD"}):
            paths.setdefault(_template(route.path), {})[method.lower()] = _page(route)
    told = (
        "Pages for a browser: sign-in, the consent page, a citizen's own consents. No interface for programs."
    )
    return {"tags": [{"name": PAGES, "description": told}], "paths": paths}


def _page(route: Route) -> Document:
    said = (inspect.getdoc(route.endpoint) or "A page.").partition("\n\n")[0]
    named = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in route.param_convertors
    ]
    return {
        "tags": [PAGES],
        "summary": " ".join(said.split()),
        "security": [],
        "parameters": named,
        "responses": {
            "200": {"description": "A page, or a file of one.", "content": {"*/*": {}}},
            "202": {"description": "It is being made; look again in a moment.", "content": {"*/*": {}}},
            "303": {"description": "The browser goes on elsewhere."},
            "304": {"$ref": "#/components/responses/NotModified"},
            **dict.fromkeys(_ERRORS, _REFUSED),
        },
    }


def _template(path: str) -> str:
    """A route's path as OpenAPI writes it: without convertors."""
    return path.replace(":path}", "}")
