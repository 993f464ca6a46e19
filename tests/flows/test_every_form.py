"""Every page and form of the citizen's, sent what no browser would: no 500; a refusal changes nothing.

Whatever is described as a door is driven from the OpenAPI document (tests/conformance/test_openapi.py), which
knows no form and no citizen; so every page of the application is driven here, from its first day.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from starlette.routing import Route

from gateway.api.description import is_page
from tests.world import World

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = 3
NAMES = re.compile(r"(?:single|many|required|multiple)=\(([^)]*)\)")
JUNK = st.one_of(
    st.sampled_from(
        ("", "0", "-1", "1", "agree", "refuse", "narrow", "pause", "resume", "withdraw", "end", "ko")
    ),
    st.sampled_from(
        ("\x00", "\ud7ff\U0010ffff", "9" * 40, "2026-02-30", "../../etc", "<script>", "a" * 5000)
    ),
    st.text(st.characters(codec="utf-8"), max_size=40),
)
PLACE = st.one_of(st.sampled_from(("c-0", "m-0", "1", "end", "%00", "%ff", "..%2f", "x" * 300)), JUNK)


def fields() -> list[str]:
    """Every name a form of the pages reads."""
    found: set[str] = set()
    for file in (ROOT / "gateway/web").glob("*.py"):
        for names in NAMES.findall(file.read_text(encoding="utf-8")):
            found |= set(re.findall(r'"(\w+)"', names))
    for file in (ROOT / "gateway/web/templates").rglob("*.html"):
        found |= set(re.findall(r'name="(\w+)"', file.read_text(encoding="utf-8")))
    return sorted(found)


async def test_every_address_beside_the_described_doors_bears_anything(own_world: World) -> None:
    """Each page and form as a signed-in citizen with a consent, and as nobody."""
    world, loop = own_world, asyncio.get_running_loop()
    made = await world.given()
    routes = [route for route in world.app.router.routes if isinstance(route, Route)]
    pages = [(one.path, sorted(one.methods or {"GET"})[0]) for one in routes if is_page(one)]
    assert len(pages) > 50
    assert len(fields()) > 15
    ids = [made.consent_id, *(str(row["request_id"]) for row in await world.rows("consent"))]
    jar = "; ".join(f"{one.name}={one.value}" for one in made.citizen.browser.http.cookies.jar)

    def contents() -> Any:
        return asyncio.run_coroutine_threadsafe(world.contents(), loop).result()

    for cookie in (jar, ""):
        for path, method in pages:
            await asyncio.to_thread(drive, (world.origin, path, method), cookie, ids, contents)
    assert (await world.http.get(f"{world.origin}/readyz")).json()["ready"] is True
    assert not [row for row in await world.rows("consent") if row["client_id"] != made.company.client_id]


def drive(door: tuple[str, str, str], cookie: str, ids: list[str], contents: Any) -> None:
    """Some requests to one door."""
    origin, path, method = door
    places = re.findall(r"\{(\w+)(?::\w+)?\}", path)
    values = st.fixed_dictionaries({name: st.one_of(st.sampled_from(ids), PLACE) for name in places})
    form = st.dictionaries(st.sampled_from(fields()), st.lists(JUNK, min_size=1, max_size=2), max_size=8)
    sent = st.one_of(form, st.binary(max_size=50))

    @given(at=values, body=sent)
    @settings(
        max_examples=EXAMPLES if cookie else 1,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def one(at: dict[str, str], body: Any) -> None:
        url = origin + re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: quote(at[found[1]], safe=""), path)
        headers = {"Cookie": cookie, "Origin": origin, "Accept": "text/html"}
        if isinstance(body, bytes):
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        before = contents()
        said: dict[str, Any] = (
            {"data": body}
            if method == "POST"
            else {"params": quote(body) if isinstance(body, bytes) else body}
        )
        with requests.Session() as session:
            session.trust_env = False
            answer = session.request(method, url, headers=headers, timeout=10, allow_redirects=False, **said)
        assert answer.status_code < 500, (method, url, body, answer.text[:300])
        if answer.status_code >= 400 or method == "GET":
            assert contents() == before, (method, url, body, answer.status_code)

    one()
