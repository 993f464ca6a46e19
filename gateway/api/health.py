"""`/healthz` (the process lives), `/readyz` (it can serve), `/metrics` (Prometheus)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.telemetry import Metrics

Probe = Callable[[], Awaitable[bool | str]]
"""Whether a part is ready; a text is ready too, and says what an operator should look at."""


def routes(
    metrics: Metrics, probes: Mapping[str, Probe], watched: Mapping[str, Probe] | None = None
) -> list[Route]:
    """The three doors of the operator; `probes` are named parts that must be ready.

    `watched` parts are shown `degraded` and take nothing out of service: withdrawing must stay possible.
    """

    async def healthz(_request: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def readyz(_request: Request) -> Response:
        found = {name: await _try(probe) for name, probe in probes.items()}
        parts = {n: s if isinstance(s, str) else "ready" if s else "not ready" for n, s in found.items()}
        ready = all(found.values())
        for name, probe in (watched or {}).items():
            parts[name] = "ready" if await _try(probe) else "degraded"
        return JSONResponse({"ready": ready, "parts": parts}, status_code=200 if ready else 503)

    async def answer_metrics(_request: Request) -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return [
        Route("/healthz", healthz, methods=["GET"]),
        Route("/readyz", readyz, methods=["GET"]),
        Route("/metrics", answer_metrics, methods=["GET"]),
    ]


async def _try(probe: Probe) -> bool | str:
    try:
        return await probe()
    except Exception:
        return False
