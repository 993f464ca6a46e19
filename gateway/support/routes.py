"""Where the support doors stand."""

from __future__ import annotations

from starlette.routing import Route

from gateway.support.doors import Doors
from gateway.support.statistics import Weeks
from gateway.support.wire import Endpoint, spoken


def routes(doors: Doors, weeks: Weeks, status: Endpoint) -> list[Route]:
    """지원-101 to 107, and the weekly statistics (지원-004, 005)."""
    stand: tuple[tuple[str, str, Endpoint], ...] = (
        ("POST", "/mgmts/oauth/2.0/token", doors.token),
        ("GET", "/v1/mgmts/status", status),
        ("POST", "/v1/mgmts/consents", doors.consents),
        ("POST", "/v1/mgmts/req-statistics", weeks.again),
        ("POST", "/v2/mgmts/agreements", doors.agreed),
        ("POST", "/v2/mgmts/agreements/detail", doors.detail),
        ("POST", "/v2/mgmts/agreements/revoke", doors.revoke),
        ("GET", "/v2/mgmts/statistics/operator", weeks.of_operator),
        ("GET", "/v2/mgmts/statistics/holder", weeks.of_holder),
    )
    return [Route(path, spoken(door), methods=[method]) for method, path, door in stand]
