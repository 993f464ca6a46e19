"""`GET /policy/bundle.tar.gz`, and `.signed.tar.gz`: the policy in force, as OPA loads it; public, as law."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.errors import Problem
from gateway.policy.bundle import PolicyBundle
from gateway.policy.following import FollowingEngine


def routes(engine: FollowingEngine) -> list[Route]:
    """The doors an OPA polls. The ETag is the revision: unchanged costs 304 and no body.

    The signed one is for an OPA with the approver's key as verification key; `not_found` for a policy that
    nobody approved.
    """

    async def bundle(request: Request) -> Response:
        return _answer(request, engine.offered, signed=False)

    async def signed(request: Request) -> Response:
        if not engine.offered.signature:
            raise Problem("not_found", detail="the policy in force has no approver")
        return _answer(request, engine.offered, signed=True)

    return [
        Route("/policy/bundle.tar.gz", bundle, methods=["GET"]),
        Route("/policy/bundle.signed.tar.gz", signed, methods=["GET"]),
    ]


def _answer(request: Request, offered: PolicyBundle, *, signed: bool) -> Response:
    """The bundle, or 304 to who has this revision."""
    tag = f'"{offered.revision}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    seen = request.headers.get("if-none-match", "").split(",")
    if tag in {part.strip().removeprefix("W/") for part in seen}:
        return Response(status_code=304, headers=headers)
    return Response(offered.tarball(signed=signed), media_type="application/gzip", headers=headers)
