"""Terms in one import: the values, reading them from a request, narrowing them to a citizen's choice.

One value travels from the pushed request to the sealed bundle.
"""

from __future__ import annotations

from consent.choices import Choices, field_switches, has_switch, narrow, restrict
from consent.details import parse_details
from consent.errors import ChoiceError, TermsError
from consent.items import DETAILS_TYPE, Item, Terms, to_details
from consent.parties import ClientInfo, HolderInfo

__all__ = [
    "DETAILS_TYPE",
    "ChoiceError",
    "Choices",
    "ClientInfo",
    "HolderInfo",
    "Item",
    "Terms",
    "TermsError",
    "field_switches",
    "has_switch",
    "narrow",
    "parse_details",
    "restrict",
    "to_details",
]
