"""The public half of the log over HTTP (C2SP tlog-tiles): checkpoint and hash tiles, static and cacheable.

Entry bundles are not public: time, kind and organisation of an event can single a person out in a small
population. They leave by export and through the readers' doors (reading.py), to those who may audit.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from consent.ledger.errors import LedgerFormatError
from consent.ledger.tiles import exists, parse
from gateway.errors import Problem
from gateway.ledger import proving, repository, status
from gateway.ledger.layout import served
from gateway.ledger.log import Log
from gateway.ledger.statements import statements


def routes(log: Log) -> list[BaseRoute]:
    """`/ledger/{checkpoint,statements,status}`, `.../tile/<L>/<N>[.p/<W>]`, `.../proof/<N>.tlog-proof`.

    All else is `not_found`.
    """

    async def checkpoint(_request: Request) -> Response:
        return _file("checkpoint", (await log.published()).encode())

    async def tile(request: Request) -> Response:
        try:
            wanted = parse(request.path_params["path"])
        except LedgerFormatError as error:
            raise Problem("not_found", detail=str(error)) from error
        async with log.database.reading() as session:
            published = await repository.checkpoint(session)
            if published is None or not exists(wanted, published[0]):
                raise Problem("not_found", detail="the published log has no such tile")
            data = (await repository.tiles(session, [wanted]))[wanted]
        return _file(wanted.path, data)

    async def said(_request: Request) -> Response:
        async with log.database.reading() as session:
            published = await repository.checkpoint(session)
            made = await statements(session, published[0]) if published else None
        if made is None:
            raise Problem("not_found", detail="the log has said nothing of itself yet")
        return _file("statements", made)

    async def proved(request: Request) -> Response:
        return await proving.answer(request, log)

    async def standing(request: Request) -> Response:
        return await status.answer(request, log.witnessing)

    return [
        *log.doors,
        Route("/ledger/checkpoint", checkpoint, methods=["GET"]),
        Route("/ledger/proof/{index}.tlog-proof", proved, methods=["GET"]),
        Route("/ledger/statements", said, methods=["GET"]),
        Route("/ledger/status", standing, methods=["GET"]),
        Route("/ledger/tile/{path:path}", tile, methods=["GET"]),
    ]


def _file(path: str, data: bytes) -> Response:
    kind = served(path)
    return Response(data, media_type=kind.media_type, headers=kind.headers)
