"""The policy evaluated in this process by regorus, on the very files OPA would load.

For pilots and tests; production runs OPA (design 3.7). A rule that does not end cannot be stopped here: load
only policies that passed `opa check`. Rules that call each other in a circle are refused when loaded.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections import OrderedDict
from collections.abc import Mapping
from functools import lru_cache
from importlib import metadata
from typing import Any

import regorus

from gateway.policy.bundle import PolicyBundle
from gateway.policy.decision import Decision
from gateway.policy.decision import parse as parse_answer
from gateway.policy.engine import PACKAGE, RULE, EngineHealth
from gateway.policy.errors import BundleInvalid, PolicyUnavailable
from gateway.policy.question import Question
from gateway.policy.recursion import refuse_recursion

_RULE = f"data.{PACKAGE}.{RULE}"
_STOPPING = (KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError)


KEPT = 3
"""How many policies a thread keeps compiled: the one in force, the next one, one that is looked back at."""

_threads = threading.local()


def _interpreters() -> OrderedDict[str, regorus.Engine]:
    """This thread's interpreters by revision, the one used last at the end. No other thread may touch one."""
    kept: OrderedDict[str, regorus.Engine] | None = getattr(_threads, "kept", None)
    if kept is None:
        kept = _threads.kept = OrderedDict()
    return kept


class EmbeddedEngine:
    """A `PolicyEngine` without a server. Evaluates on the calling thread.

    Engines of one revision share a thread's interpreter: it keeps nothing of a question but the last input.
    """

    def __init__(self, bundle: PolicyBundle) -> None:
        """Compile `bundle` and run it once on nothing; raises BundleInvalid with the place of an error."""
        self.bundle = bundle
        self.name = f"regorus/{metadata.version('gordon-to-regorus')}"
        _refuse_recursion(tuple(bundle.modules.items()))
        self._try()

    @property
    def revision(self) -> str:
        """The revision of the bundle it was given."""
        return self.bundle.revision

    async def decide(self, question: Question) -> Decision:
        """Evaluate. Under a millisecond or two of CPU, on the event loop's own thread."""
        answer = self.evaluate(question.encode())
        return parse_answer(answer, question, engine=self.name, revision=self.revision)

    def evaluate(self, question: bytes) -> bytes:
        """The bare answer to an encoded question; raises PolicyUnavailable on any interpreter error."""
        interpreter = self._interpreter()
        try:
            interpreter.set_input_json(question.decode())
            answer = interpreter.eval_rule_as_json(_RULE)
        except _STOPPING:
            raise
        except BaseException as error:  # a panic of the Rust side is no Exception
            _interpreters().pop(self.revision, None)
            raise PolicyUnavailable("evaluation", str(error).split("Stack backtrace")[0].strip()) from error
        if not isinstance(answer, str) or not answer.lstrip().startswith("{"):
            raise PolicyUnavailable("undefined", "the decision has no value")  # undefined comes as a text
        return answer.encode()

    async def health(self) -> EngineHealth:
        """Ready as long as the bundle compiles and runs on this thread."""
        try:
            self._try()
        except BundleInvalid:
            return EngineHealth(False, self.name, self.revision, "bundle")
        return EngineHealth(True, self.name, self.revision)

    async def close(self) -> None:
        """Nothing is held: an interpreter goes when its thread needs the place for another policy."""

    def _try(self) -> None:
        """Evaluate on nothing: some errors of a policy only show when it runs."""
        try:
            self.evaluate(b"{}")
        except PolicyUnavailable as error:
            if error.cause == "evaluation":
                raise BundleInvalid(str(error)) from error

    def _interpreter(self) -> regorus.Engine:
        """This thread's own: an interpreter used, or dropped, from another thread panics."""
        kept = _interpreters()
        if self.revision not in kept:
            kept[self.revision] = _compiled(self.bundle)
        kept.move_to_end(self.revision)
        while len(kept) > KEPT:
            kept.popitem(last=False)
        return kept[self.revision]


@lru_cache(maxsize=16)
def _refuse_recursion(modules: tuple[tuple[str, str], ...]) -> None:
    """Look at each set of modules once: the look costs more than compiling them."""
    refuse_recursion(_loaded(dict(modules), {}))


def _compiled(bundle: PolicyBundle) -> regorus.Engine:
    return _loaded(bundle.modules, bundle.data)


def _loaded(modules: Mapping[str, str], data: Mapping[str, Any]) -> regorus.Engine:
    interpreter = regorus.Engine()
    try:
        for path, source in modules.items():
            interpreter.add_policy(path, source)
        interpreter.add_data_json(json.dumps(data))
    except _STOPPING:
        raise
    except BaseException as error:
        raise BundleInvalid(str(error).split("Stack backtrace")[0].strip()) from error
    return interpreter
