"""How far a citizen came with a request, as the Consumer Data Standards of Australia count it (metrics v5).

Kept in the row of the request as a number that only rises; nothing about a person. How a flow ended is judged
once, when nothing can change it any more (`gateway.oauth.abandonment`).
"""

from __future__ import annotations

from enum import IntEnum, StrEnum

from sqlalchemy import or_, update
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.oauth.interactions import REQUESTS


class Stage(IntEnum):
    """What a citizen has seen of a request. Stored; never renumber."""

    PUSHED = 0
    OPENED = 1
    LEFT_TO_SIGN_IN = 2
    SHOWN = 3
    CHOSE = 4


class Ending(StrEnum):
    """How a flow ended; the first six under the names of the standard. Stored; never rename."""

    PRE_IDENTIFICATION = "preIdentification"
    PRE_AUTHENTICATION = "preAuthentication"
    PRE_ACCOUNT_SELECTION = "preAccountSelection"
    PRE_AUTHORISATION = "preAuthorisation"
    REJECTED = "rejected"
    FAILED_TOKEN_EXCHANGE = "failedTokenExchange"  # noqa: S105 (the name of a stage)
    COMPLETED = "completed"
    NOT_ASKED = "notAsked"
    """The browser never came, or was sent back without a question: no citizen's flow."""


ABANDONED = (
    Ending.PRE_IDENTIFICATION,
    Ending.PRE_AUTHENTICATION,
    Ending.PRE_ACCOUNT_SELECTION,
    Ending.PRE_AUTHORISATION,
    Ending.REJECTED,
    Ending.FAILED_TOKEN_EXCHANGE,
)
"""The endings that stand in `abandonmentsByStage`, in its order."""

LEFT_AT = {
    Stage.PUSHED: Ending.NOT_ASKED,
    Stage.OPENED: Ending.PRE_IDENTIFICATION,
    Stage.LEFT_TO_SIGN_IN: Ending.PRE_AUTHENTICATION,
    Stage.SHOWN: Ending.PRE_ACCOUNT_SELECTION,
    Stage.CHOSE: Ending.PRE_AUTHORISATION,
}
"""How a flow ended that nobody answered."""


async def reach(session: AsyncSession, interaction_id: str, stage: Stage) -> None:
    """The citizen has come to `stage`; one who came further already, or answered, stays there."""
    behind = or_(REQUESTS.c.stage.is_(None), REQUESTS.c.stage < int(stage))
    here = (REQUESTS.c.interaction_id == interaction_id) & REQUESTS.c.settled_at.is_(None)
    await session.execute(update(REQUESTS).where(here, behind).values(stage=int(stage)))
