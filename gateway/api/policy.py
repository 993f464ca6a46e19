"""`GET /policy/bundle.tar.gz`: the policy in force, as OPA loads it; public, as law is."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.policy.following import FollowingEngine


def routes(engine: FollowingEngine) -> list[Route]:
    """The door an OPA polls. The ETag is the revision: unchanged costs 304 and no body."""

    async def bundle(request: Request) -> Response:
        offered = engine.offered
        tag = f'"{offered.revision}"'
        headers = {"ETag": tag, "Cache-Control": "no-cache"}
        seen = request.headers.get("if-none-match", "").split(",")
        if tag in {part.strip().removeprefix("W/") for part in seen}:
            return Response(status_code=304, headers=headers)
        return Response(offered.tarball(), media_type="application/gzip", headers=headers)

    return [Route("/policy/bundle.tar.gz", bundle, methods=["GET"])]
