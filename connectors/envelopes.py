"""The check of every answer of a declared holder: transaction id echoed, body readable, result code good."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.contract import Page, Reason
from connectors.errors import HolderError
from connectors.rows import PageBody, corrupt
from connectors.spec import Spec


class Reader:
    """A `connectors.contract.Check` that keeps the body it read. One per request; called once an attempt."""

    def __init__(self, spec: Spec, sent: Mapping[str, str]) -> None:
        """Check against `spec` and the headers that were `sent`."""
        self._spec = spec
        self._sent = sent
        self._body: PageBody | None = None

    @property
    def body(self) -> PageBody:
        """What the last good answer held."""
        if self._body is None:
            raise corrupt("there was no answer")
        return self._body

    def __call__(self, status: int, page: Page) -> None:
        """Raise HolderError if the answer is not one the standard calls good; leave others to the status."""
        good = 200 <= status < 300
        try:
            body = PageBody(page.body)
        except HolderError:
            if good:
                raise
            return
        self._result(body, good=good)
        if not good:
            return
        for name in self._spec.echo:
            if page.headers.get(name.lower()) != self._sent[name]:
                raise corrupt("the answer belongs to another request", final=True)
        self._body = body

    def _result(self, body: PageBody, *, good: bool) -> None:
        envelope = self._spec.envelope
        if envelope is None:
            return
        code = body.value(envelope.code)
        if code is None and not good:
            return
        if code in envelope.ok:
            return
        reason = envelope.reasons.get(code) if isinstance(code, str) else None
        if reason is not None:
            raise HolderError(reason, f"the holder answered {code}")
        if good:
            raise HolderError(Reason.CORRUPT, "the answer has no result code of the standard")
