"""schemathesis asks every door what the OpenAPI document allows and what it does not.

Once as nobody, as a client that signs what it sends, and as a regulator: no 500, no silence, and no status,
media type or body that the document does not describe.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import unquote

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from gateway.demo.company import Company
from gateway.oauth.dpop import token_hash
from tests.tables import with_tables
from tests.world import World, open_world

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
SECONDS = 10
"""No answer may take longer, however loaded the machine."""
EXAMPLES = 12
MAY = "decisions, what-if, support, withdraw, end, metrics"
READERS = "readers: [{id: fsc, name: Regulator, token_sha256: %s, may: [%s], holder: hanbit-bank}]"
METHODS = {"get", "post", "put", "patch", "delete"}
Sign = Callable[[Case], dict[str, str]]


@pytest.fixture
async def world(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A whole gateway, on each store."""
    url = await with_tables(database_url)
    folder = tmp_path_factory.mktemp("described")
    (folder / "readers.yaml").write_text(READERS % (hashlib.sha256(b"all").hexdigest(), MAY))
    async with open_world(folder, url, ledger_readers=folder / "readers.yaml") as opened:
        yield opened


def as_nobody(_case: Case) -> dict[str, str]:
    """No credentials."""
    return {}


def as_reader(support_token: str) -> Sign:
    """The token of a scoped account; a support token where a portal asks."""

    def sign(case: Case) -> dict[str, str]:
        if case.path == "/mgmts/oauth/2.0/token" and isinstance(case.body, dict):
            case.body |= {"client_id": "fsc", "client_secret": "all"}
        return {"Authorization": f"Bearer {support_token if '/mgmts/' in case.path else 'all'}"}

    return sign


def as_company(company: Company) -> Sign:
    """Client authentication in every form, and the company's token with a proof everywhere else."""

    def sign(case: Case) -> dict[str, str]:
        url = company.issuer + unquote(case.formatted_path)
        if case.method == "POST" and case.path in ("/par", "/token", "/revoke", "/introspect"):
            if isinstance(case.body, dict):
                case.body |= {"client_id": company.client_id, **company._assertion()}
            return {"DPoP": company._proof("POST", url)} if case.path == "/token" else {}
        token = company.tokens["access_token"]
        proof = company._proof(case.method, url, ath=token_hash(token))
        return {"Authorization": f"DPoP {token}", "DPoP": proof}

    return sign


async def support_token(world: World) -> str:
    """What the account's secret is changed for (지원-101)."""
    given = {
        "grant_type": "client_credentials",
        "client_id": "fsc",
        "client_secret": "all",
        "scope": "manage",
    }
    url, headers = f"{world.origin}/mgmts/oauth/2.0/token", {"x-api-tran-id": "FSC1"}
    return str((await world.http.post(url, data=given, headers=headers)).json()["access_token"])


@pytest.mark.timeout(300)
async def test_every_answer_is_described(world: World) -> None:
    """Every operation, well-formed and malformed, as nobody, as a client and as a regulator."""
    company = (await world.given()).company
    document = (await world.http.get(f"{world.origin}/openapi.json")).json()
    for sign in (as_nobody, as_company(company), as_reader(await support_token(world))):
        await asyncio.to_thread(_examine, document, world.origin, sign)
    assert (await world.http.get(f"{world.origin}/readyz")).json()["ready"] is True


def _examine(document: dict[str, Any], origin: str, sign: Sign) -> None:
    schema = schemathesis.openapi.from_dict(document)
    with requests.Session() as session:
        session.trust_env = False
        for path, item in document["paths"].items():
            for method in METHODS & item.keys():
                _operation(schema[path][method.upper()], origin, sign, session)


def _operation(operation: Any, origin: str, sign: Sign, session: requests.Session) -> None:
    wrong = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE) if _has_input(operation) else None
    right = operation.as_strategy()

    @given(case=right if wrong is None else st.one_of(right, wrong))
    @settings(
        max_examples=EXAMPLES if _has_input(operation) else 1,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def examine(case: Case) -> None:
        headers = sign(case)
        answer = case.call(
            base_url=origin, session=session, headers=headers, timeout=SECONDS, allow_redirects=False
        )
        case.validate_response(answer, checks=CHECKS)

    examine()


def _has_input(operation: Any) -> bool:
    return bool(operation.body) or any(operation.iter_parameters())


async def test_a_method_no_door_takes(world: World) -> None:
    """405 with the methods there are (RFC 9110 15.5.6), as a problem document, for whoever asks."""
    document = (await world.http.get(f"{world.origin}/openapi.json")).json()
    for path, item in document["paths"].items():
        address = world.origin + path.replace("{", "").replace("}", "")
        for method in METHODS - item.keys():
            answer = await world.http.request(method.upper(), address)
            assert answer.status_code == 405, (method, path, answer.text)
            assert answer.json()["code"] == "method_not_allowed"
            allowed = {one.strip().lower() for one in answer.headers["allow"].split(",")}
            assert allowed - {"head"} == item.keys() & METHODS, (method, path, allowed)
