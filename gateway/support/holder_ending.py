"""POST /consents/{id}/holder-ending: a holder ends its own part of a consent, under its own account.

The account (`ledger_readers`, may `end`, with its `holder`) reaches only consents that name this holder; any
other is not there. Tokens, transfers and bundles follow in the same transaction; neither policy nor a ledger
that lags is asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from consent.clock import Clock
from consent.holder_ending import HOLDER_WHYS, end_part
from consent.items import to_details
from consent.journal import Journal
from gateway.database import Database
from gateway.errors import Problem
from gateway.ledger.readers import Readers
from gateway.oauth.grants import follow_consent
from gateway.support.wire import members
from gateway.transfers.consequences import Changed, Ended

PATH = "/consents/{consent_id}/holder-ending"
_WHY = {"why": re.compile("|".join(sorted(HOLDER_WHYS)))}


@dataclass(frozen=True, slots=True)
class HolderEnding:
    """What this door needs, handed in once."""

    database: Database
    journal: Journal
    readers: Readers
    after_ending: Ended
    after_change: Changed
    wake: Callable[[], None]
    clock: Clock

    async def end(self, request: Request) -> Response:
        """End the part of the account's holder.

        Raises Problem `reader_unknown`, `reader_scope`, `invalid_request`; MoveError `consent_not_found`.
        """
        reader = self.readers.admit(request.headers.get("authorization"), "end")
        if reader.holder is None:
            raise Problem("reader_scope", params={"scope": "end"})
        given = await members(request, _WHY, ("why",))
        id, now = request.path_params["consent_id"], int(self.clock().timestamp())
        async with self.database.transaction() as session:
            before, after = await end_part(
                session, self.journal, id, holder=reader.holder, why=given["why"], at=now
            )
            if after.ended and after is not before:
                await self.after_ending(session, after)
            elif after is not before:
                await follow_consent(session, after.id, after.version, to_details(after.terms), at=now)
                await self.after_change(session, before, after)
        self.wake()
        body = {"consent_id": after.id, "state": after.standing(now).value, "version": after.version}
        return JSONResponse({**body, "holder": reader.holder}, headers={"Cache-Control": "no-store"})

    def routes(self) -> list[Route]:
        """Where it stands."""
        return [Route(PATH, self.end, methods=["POST"])]
