"""What can go wrong between a question and a decision."""

from __future__ import annotations


class PolicyError(Exception):
    """Base of the policy's errors. `code` is stable; the message is private (log only)."""

    code = "policy_unavailable"


class PolicyUnavailable(PolicyError):
    """No trustworthy answer could be had: engine away, too slow, wrong revision, or a wrong answer.

    `cause` is a short stable word for logs and metrics: timeout, unreachable, revision, malformed, ...
    """

    def __init__(self, cause: str, detail: str = "") -> None:
        """Name what failed; `detail` is private."""
        super().__init__(f"{cause}: {detail}" if detail else cause)
        self.cause = cause


class QuestionInvalid(PolicyError):
    """The door asked something the schema does not allow; nothing was evaluated."""

    code = "policy_question_invalid"


class BundleInvalid(PolicyError):
    """The policy folder cannot be loaded; the message names the file."""

    code = "policy_bundle_invalid"


class ApprovalRefused(PolicyError):
    """A policy was not built or approved by who may; nothing was changed. The message is for the operator."""

    code = "policy_approval_refused"
