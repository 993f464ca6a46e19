"""Why a holder gave nothing, as one error with a stable code."""

from __future__ import annotations

from connectors.contract import Reason

PASSING = frozenset({Reason.HOLDER_DOWN, Reason.THROTTLED, Reason.TIMEOUT, Reason.CORRUPT})
"""Reasons that may heal when the same request is sent again."""

REFUSALS = frozenset({Reason.DENIED, Reason.REVOKED, Reason.NO_LINK, Reason.UNKNOWN_DATASET})
"""Reasons by which the holder decided, rather than failed."""


class HolderError(Exception):
    """A holder refused, failed, or broke its contract.

    `code` is stable and names an entry of the gateway's problem catalogue (`holder_...`). `detail` says
    what was seen in words of our own: it MUST NOT hold a URL, a token, a cursor or anything the holder
    sent. `retry_after` is in seconds, as the holder asked, already bounded.
    """

    def __init__(
        self, reason: Reason, detail: str = "", *, retry_after: float | None = None, final: bool = False
    ) -> None:
        """Fail with `reason`; `final` forbids sending the same request again."""
        super().__init__(f"{reason.value}: {detail}" if detail else reason.value)
        self.reason = reason
        self.detail = detail
        self.retry_after = retry_after
        self.final = final

    @property
    def code(self) -> str:
        """The stable code: `holder_` and the reason, said once."""
        return self.reason.value if self.reason is Reason.HOLDER_DOWN else f"holder_{self.reason.value}"

    @property
    def may_pass(self) -> bool:
        """Whether sending the same request again can help."""
        return self.reason in PASSING and not self.final


class SpecError(Exception):
    """A connector spec or a registry entry is wrong; `problems` has one sentence a finding."""

    code = "holder_spec_invalid"

    def __init__(self, problems: list[str]) -> None:
        """Carry one sentence a finding, each starting with the place in the file."""
        super().__init__("\n".join(problems))
        self.problems = problems
