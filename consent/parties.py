"""Who stands in a request: the holder (정보제공자) and the client that would receive (정보수신자)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HolderInfo:
    """A holder as far as terms and pages need it; `name` by language."""

    id: str
    sector: str
    name: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ClientInfo:
    """A registered client. `purposes` are those its consortium allows; `holders` None means any.

    `name`, `legal_name`, `registration` and `contact` are what the citizen is shown (PIPA 17(2)1).
    """

    id: str
    purposes: frozenset[str]
    holders: frozenset[str] | None = None
    name: Mapping[str, str] | None = None
    legal_name: str = ""
    registration: str = ""
    contact: str = ""
