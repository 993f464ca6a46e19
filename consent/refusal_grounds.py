"""The eleven grounds of refusal (PIPA 35-2(6), Decree 42-8(1)) and which reason states which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources

from consent.catalogue.strict_yaml import read


class Ground(StrEnum):
    """Why a request may be refused or a transfer stopped. Stored; never rename."""

    GUARDIAN_UNCONFIRMED = "guardian_unconfirmed"
    ACCESS_LIMITED = "access_limited"
    RIGHTS_OF_OTHERS = "rights_of_others"
    AGENT_UNCONFIRMED = "agent_unconfirmed"
    NOT_SPECIFIED = "not_specified"
    IDENTITY_UNCONFIRMED = "identity_unconfirmed"
    WRONGFUL_REQUEST = "wrongful_request"
    WRONG_RECIPIENT = "wrong_recipient"
    CLEAR_HARM = "clear_harm"
    EXCESSIVE_REPETITION = "excessive_repetition"
    REASONABLE_CAUSE = "reasonable_cause"


@dataclass(frozen=True, slots=True)
class GroundInLaw:
    """One ground: its number in the paragraph, its words by language, the reasons that state it."""

    ground: Ground
    number: int
    words: Mapping[str, str]
    reasons: tuple[str, ...]
    article: str
    verified: bool


@cache
def grounds() -> Mapping[Ground, GroundInLaw]:
    """Every ground, in the order of the Decree. Raises ValueError when the data names another set."""
    raw = read(resources.files("consent") / "refusal_grounds.yaml")
    found = {}
    for entry in raw["grounds"]:
        ground, number = Ground(entry["code"]), int(entry["number"])
        words = {"ko": str(entry["ko"]), "en": str(entry["en"])}
        article = f"{raw['article']}{number}"
        found[ground] = GroundInLaw(ground, number, words, tuple(entry["reasons"]), article, raw["verified"])
    if list(found) != list(Ground) or [one.number for one in found.values()] != list(range(1, 12)):
        raise ValueError("refusal_grounds.yaml must name the eleven grounds in their order")
    return found


@cache
def _by_reason() -> Mapping[str, Ground]:
    pairs = [(reason, one.ground) for one in grounds().values() for reason in one.reasons]
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a reason states one ground")
    return dict(pairs)


def ground_of(reason: str | None) -> Ground | None:
    """The ground that the reason code of policy or holder states; None for one that is no ground."""
    return _by_reason().get(reason or "")
