"""The policy evaluated in this process by regorus, on the very files OPA would load.

For pilots and tests; production runs OPA (design 3.7). A rule that does not end cannot be stopped here: load
only policies that passed `opa check`. Rules that call each other in a circle are refused when loaded.
"""

from __future__ import annotations

import asyncio
import json
import threading
import weakref
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


class _Owner:
    """Whose an interpreter is; held by one EmbeddedEngine only, in no circle."""


_Kept = dict[int, tuple[weakref.ref[_Owner], regorus.Engine]]
_threads = threading.local()


def _interpreters() -> _Kept:
    """This thread's interpreters. Only their own thread may use or drop them, whichever thread collects."""
    kept: _Kept | None = getattr(_threads, "kept", None)
    if kept is None:
        kept = _threads.kept = {}
    return kept


class EmbeddedEngine:
    """A `PolicyEngine` without a server. Evaluates on the calling thread; an interpreter per thread."""

    def __init__(self, bundle: PolicyBundle) -> None:
        """Compile `bundle` and run it once on nothing; raises BundleInvalid with the place of an error."""
        self.bundle = bundle
        self.name = f"regorus/{metadata.version('gordon-to-regorus')}"
        self._owner = _Owner()
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
            _interpreters().pop(id(self._owner), None)
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
        """Forget this thread's interpreter."""
        _interpreters().pop(id(self._owner), None)

    def _try(self) -> None:
        """Evaluate on nothing: some errors of a policy only show when it runs."""
        try:
            self.evaluate(b"{}")
        except PolicyUnavailable as error:
            if error.cause == "evaluation":
                raise BundleInvalid(str(error)) from error

    def _interpreter(self) -> regorus.Engine:
        """This thread's own: an interpreter used from another thread panics."""
        kept = _interpreters()
        found = kept.get(id(self._owner))
        if found is None or found[0]() is not self._owner:
            for place in [place for place, (owner, _) in kept.items() if owner() is None]:
                del kept[place]
            found = kept[id(self._owner)] = (weakref.ref(self._owner), _compiled(self.bundle))
        return found[1]


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
