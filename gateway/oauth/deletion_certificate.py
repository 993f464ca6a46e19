"""A recipient's deletion certificate: a JWS by which a company states what it deleted, read strictly.

Its claims are fixed; one more, or one less, is refused. The signature is by one of the client's registered
keys (`gateway.oauth.jws.ALGORITHMS`). What is signed is the company's statement, not a proof of deletion.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from consent.deletion import Instruction
from consent.records import Consent
from gateway.errors import Problem
from gateway.oauth.checks import FUTURE_SECONDS
from gateway.oauth.clients import Client
from gateway.oauth.jws import ALGORITHMS, JwsError, parse

TYPE = "mydata-deletion+jwt"
LONGEST = 64 * 1024
"""The most characters of a certificate."""

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=160, pattern=r"^[!-~]+\Z")]
Moment = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799)]
METHODS = ("erased", "overwritten", "crypto_erased", "destroyed")


class Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An item that was not deleted, the legal ground in words, and until when it is kept."""

    item: Id
    ground: Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+\Z")]
    until: Moment


class Certificate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The claims of a certificate. `items` are HOLDER/DATASET; moments are epoch seconds."""

    iss: Id
    aud: str
    iat: Moment
    consent: Id
    instruction: Id
    deleted_at: Moment
    method: Literal["erased", "overwritten", "crypto_erased", "destroyed"]
    bundles: Annotated[tuple[Id, ...], msgspec.Meta(max_length=500)]
    items: Annotated[tuple[Id, ...], msgspec.Meta(max_length=100)]
    exceptions: Annotated[tuple[Kept, ...], msgspec.Meta(max_length=100)]


def read(
    text: str, client: Client, issuer: str, consent: Consent, told: Instruction, now: int
) -> Certificate:
    """The certificate in `text`, which `client` signed in answer to `told`.

    Raises Problem `deletion_certificate_invalid`, which says what is wrong with it.
    """
    try:
        jws = parse(text, longest=LONGEST)
        claims = msgspec.convert(jws.claims, Certificate)
    except (JwsError, msgspec.ValidationError) as error:
        raise _invalid(str(error)) from error
    named = {item.name for item in consent.asked.items}
    stated = {*claims.items, *(one.item for one in claims.exceptions)}
    checks = (
        (jws.header.get("alg") in ALGORITHMS, f"alg must be one of {' '.join(ALGORITHMS)}"),
        (jws.header.get("typ") == TYPE, f"typ must be {TYPE}"),
        (client.signed(jws), "no registered key made the signature"),
        (claims.iss == client.id, "iss must be the client_id"),
        (claims.aud == issuer, "aud must be the issuer identifier as a string"),
        (claims.consent == consent.id, "consent is another one"),
        (claims.instruction == told.id, "instruction is another one"),
        (told.asked_at - FUTURE_SECONDS <= claims.iat <= now + FUTURE_SECONDS, "iat lies before or ahead"),
        (consent.created_at <= claims.deleted_at <= claims.iat, "deleted_at lies before or ahead"),
        (stated <= named, "an item was never asked for under this consent"),
    )
    for holds, what in checks:
        if not holds:
            raise _invalid(what)
    return claims


def stated(text: str) -> Certificate:
    """What a certificate says that was verified when it came. Raises Problem as `read`."""
    try:
        return msgspec.convert(parse(text, longest=LONGEST).claims, Certificate)
    except (JwsError, msgspec.ValidationError) as error:
        raise _invalid(str(error)) from error


def _invalid(what: str) -> Problem:
    return Problem("deletion_certificate_invalid", params={"what": what})
