"""`/ledger/proof/{index}.tlog-proof`: one entry's proof as a file (C2SP tlog-proof), to keep or hand on.

A convenience: all of it can be computed from the public tiles. It says nothing of what the entry says.
"""

from __future__ import annotations

import base64
import re

from starlette.requests import Request
from starlette.responses import Response

from consent.ledger import proof
from gateway.errors import Problem
from gateway.ledger.log import Log
from gateway.ledger.nodes import prove

_INDEX = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
_SOON = {"Cache-Control": "public, max-age=1"}  # tomorrow's proof is under tomorrow's checkpoint


async def answer(request: Request, log: Log) -> Response:
    """The proof under the checkpoint the world sees, cosignatures included; `not_found` beyond it."""
    asked, note = request.path_params["index"], await log.published()
    size = int(note.split("\n", 2)[1])
    if not _INDEX.fullmatch(asked) or (index := int(asked)) >= size:
        raise Problem("not_found", detail="the entry is not in the published log")
    async with log.database.reading() as session:
        path = await prove(session, size, lambda read: proof.inclusion(index, size, read))
    return Response(written(index, path, note), media_type="text/plain", headers=_SOON)


def written(index: int, path: list[bytes], note: str) -> str:
    """The file: header, position, hashes from the leaf upwards, an empty line, the signed checkpoint."""
    hashes = "".join(f"{base64.b64encode(one).decode()}\n" for one in path)
    return f"c2sp.org/tlog-proof@v1\nindex {index}\n{hashes}\n{note}"
