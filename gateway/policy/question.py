"""What a door asks the policy: one frozen, schema-checked `Question`.

The same shape as `policies/schemas/input.json`. Times are epoch seconds. It holds no name, address or
identifier of the citizen; it is still personal (what was asked of whom) and is kept sealed only.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
import rfc8785
from msgspec import Meta

from gateway.policy.errors import QuestionInvalid

MAX_BYTES = 64 * 1024
"""The most an encoded question may measure. Its nesting is bounded by its shape."""

Id = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}\Z")]
FieldId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,79}\Z")]
Sector = Annotated[str, Meta(pattern=r"^[a-z]{2,32}\Z")]
Frequency = Annotated[str, Meta(pattern=r"^(once|P[1-9][0-9]{0,2}D)\Z")]
Epoch = Annotated[int, Meta(ge=0, le=253402300799)]
Version = Annotated[int, Meta(ge=1, le=1_000_000)]
Country = Annotated[str, Meta(pattern=r"^[A-Z]{2}\Z")]
Kind = Literal["licensed_operator", "general", "specialised", "special", "contract"]


class Prior(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What already went to this recipient for this item: how many transfers, and when the last one."""

    count: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    last: Epoch | None = None
    recent: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    """How many of them in the last 30 days."""
    day: Annotated[int, Meta(ge=0, le=1_000_000)] | msgspec.UnsetType = msgspec.UNSET
    """How many of them in the last 24 hours; not told is none."""


class AskedItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One item of the transfer: fields of one dataset at one holder, and which of them are sensitive."""

    holder: Id
    sector: Sector
    dataset: Id
    fields: Annotated[tuple[FieldId, ...], Meta(min_length=1, max_length=128)]
    sensitive: Annotated[tuple[FieldId, ...], Meta(max_length=128)]
    frequency: Frequency
    interval_days: Annotated[int, Meta(ge=1, le=999)] | None
    history_from: Epoch
    prior: Prior


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is asked for, now. `asked_in_day`: this recipient's requests for this consent in 24 h.

    In a `self_download` the citizen is the recipient (`client.id` is `self`), and what their request names
    stands where a consent stands.
    """

    id: Id
    time: Epoch
    operation: Literal["transfer", "self_download"]
    items: Annotated[tuple[AskedItem, ...], Meta(min_length=1, max_length=64)]
    purpose: Id | None = None
    asked_in_day: Annotated[int, Meta(ge=0, le=1_000_000)] = 0


class Client(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The recipient as the registry knows it: `kinds` by sector are facts of law, never its own claim."""

    id: Id
    status: Literal["active", "suspended"]
    kinds: dict[str, Kind]
    country: Country


class ConsentedItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One item of the consent."""

    holder: Id
    dataset: Id
    fields: Annotated[tuple[FieldId, ...], Meta(min_length=1, max_length=128)]
    frequency: Frequency
    history_from: Epoch


class Consent(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The live consent, read in the same breath as the question is asked.

    `countries`: where to the citizen separately agreed that data may go (PIPA 28-8).
    """

    id: Id
    version: Version
    state: Annotated[str, Meta(pattern=r"^[a-z_]{1,32}\Z")]
    start: Epoch
    end: Epoch
    purpose: Id
    retention_days: Annotated[int, Meta(ge=0, le=36600)]
    items: Annotated[tuple[ConsentedItem, ...], Meta(max_length=64)]
    countries: Annotated[tuple[Country, ...], Meta(max_length=64)] = ()


class Token(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The consent version the caller's token was bound to."""

    consent_version: Version


class Consortium(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The consortium (컨소시엄) record of holder and recipient."""

    id: Id
    contract: Annotated[str, Meta(max_length=128)]
    holders: Annotated[tuple[Id, ...], Meta(max_length=1000)]
    recipients: Annotated[tuple[Id, ...], Meta(max_length=1000)]
    sectors: Annotated[tuple[Sector, ...], Meta(max_length=64)]
    purposes: Annotated[tuple[Id, ...], Meta(max_length=256)]
    start: Epoch
    end: Epoch


class Operator(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What this gateway is in law."""

    role: Literal["sandbox", "designated_intermediary", "processor"]


class Acting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who acts for the citizen: a guardian, or a delegate for some purposes; proven or not; until when.

    `stepped_up`: this person proved who they are once more for this very request.
    """

    role: Literal["guardian", "delegate"]
    verified: bool
    until: Epoch
    purposes: Annotated[tuple[Id, ...], Meta(max_length=64)] = ()
    stepped_up: bool = False


class Subject(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The citizen, as far as the policy may know: an age in full years, and who acts instead."""

    age: Annotated[int, Meta(ge=0, le=150)]
    acting: Acting | None = None


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything a decision rests on. What is not in here, the policy does not know."""

    request: Request
    client: Client
    consent: Consent
    token: Token
    consortium: Consortium | None
    operator: Operator
    subject: Subject

    def encode(self) -> bytes:
        """The canonical JSON (RFC 8785) of a question that fits the schema; else raises QuestionInvalid."""
        try:
            data: bytes = rfc8785.dumps(msgspec.to_builtins(self))
        except (rfc8785.CanonicalizationError, TypeError, ValueError, RecursionError) as error:
            raise QuestionInvalid(str(error)) from error
        parse(data)
        return data


_decoder = msgspec.json.Decoder(Question, strict=True)


def parse(data: bytes) -> Question:
    """The question in `data` (JSON); raises QuestionInvalid when it is too large or off its schema."""
    if len(data) > MAX_BYTES:
        raise QuestionInvalid(f"{len(data)} bytes, at most {MAX_BYTES}")
    try:
        return _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise QuestionInvalid(str(error)) from error


def interval_days(frequency: str) -> int | None:
    """`P7D` -> 7; `once` -> None. Raises QuestionInvalid for anything else."""
    if frequency == "once":
        return None
    if not (frequency.startswith("P") and frequency.endswith("D") and frequency[1:-1].isascii()):
        raise QuestionInvalid(f"frequency {frequency!r}")
    digits = frequency[1:-1]
    if not digits.isdigit() or len(digits) > 3 or digits.startswith("0"):
        raise QuestionInvalid(f"frequency {frequency!r}")
    return int(digits)
