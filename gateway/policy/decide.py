"""The one function doors call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import perf_counter_ns

import structlog
from msgspec.structs import replace

from gateway.database import in_transaction
from gateway.policy.decision import Decision, denied
from gateway.policy.engine import PolicyEngine
from gateway.policy.errors import PolicyError, PolicyUnavailable
from gateway.policy.question import Question

_log = structlog.get_logger(__name__)

_STOPPING = (KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError)


async def decide(
    engine: PolicyEngine, question: Question, *, timer: Callable[[], int] = perf_counter_ns
) -> Decision:
    """Ask `engine`; whatever goes wrong, the answer is a denial. `timer` counts nanoseconds.

    A denial with `available` false is infrastructure (`policy_unavailable`, `policy_question_invalid`):
    the door answers 503. Any other denial is policy: 403. MUST be called with no transaction open (design 2).
    """
    if in_transaction():
        raise RuntimeError("policy is never asked while a transaction is open")
    begun = timer()
    decision = await _asked(engine, question)
    return replace(decision, eval_us=(timer() - begun) // 1000)


async def _asked(engine: PolicyEngine, question: Question) -> Decision:
    try:
        return await engine.decide(question)
    except _STOPPING:
        raise
    except PolicyError as error:
        cause = error.cause if isinstance(error, PolicyUnavailable) else "question"
        _log.warning("policy.unavailable", engine=engine.name, cause=cause, request=question.request.id)
        return denied(error.code, engine=engine.name, revision=engine.revision, params={"cause": cause})
    except BaseException as error:  # fail closed on what nobody foresaw, panics of other languages included
        _log.error(
            "policy.failed", engine=engine.name, error=type(error).__name__, request=question.request.id
        )
        return denied(
            "policy_unavailable", engine=engine.name, revision=engine.revision, params={"cause": "internal"}
        )
