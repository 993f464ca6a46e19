"""What a company does when a consent it received has ended: hear of it, acknowledge, delete, and say so.

With a token of its own (client_credentials), for the grant's is dead.
"""

from __future__ import annotations

from typing import Any

import jwt

from gateway.demo.company import Company, CompanyError, _public, _thumbprint

TYPE = "mydata-deletion+jwt"


async def own_doors(company: Company) -> Company:
    """The company as it calls its own doors (scope `company`)."""
    own = Company(
        company.http, company.issuer, company.client_id, company.keys, company.redirect_uri, company._now
    )
    await own.discover()
    own.tokens = await own._token(grant_type="client_credentials", scope="company")
    return own


async def ended(own: Company) -> list[str]:
    """The consents citizens have withdrawn that wait for this company, by id."""
    answer = await _asked(own, "GET", "/consents?state=withdrawing")
    return [one["id"] for one in answer["consents"]]


async def acknowledge(own: Company, consent_id: str) -> dict[str, Any]:
    """Say that the company has heard of the end; how the consent stands then."""
    return await _asked(own, "POST", f"/consents/{consent_id}/acknowledgement")


async def deletion_instruction(own: Company, consent_id: str) -> dict[str, Any] | None:
    """What the citizen instructs to delete; None when nothing."""
    try:
        return await _asked(own, "GET", f"/consents/{consent_id}/deletion-instruction")
    except CompanyError as error:
        if error.code == "deletion_not_instructed":
            return None
        raise


def certificate(own: Company, told: dict[str, Any], **claims: Any) -> str:
    """The signed statement that everything in `told` was erased now; `claims` say it otherwise."""
    now = int(own._now())
    body = {
        "iss": own.client_id,
        "aud": own.issuer,
        "iat": now,
        "consent": told["consent_id"],
        "instruction": told["id"],
        "deleted_at": now,
        "method": "erased",
        "bundles": told["bundles"],
        "items": told["items"],
        "exceptions": [],
        **claims,
    }
    headers = {"kid": _thumbprint(_public(own.keys.signing)), "typ": TYPE}
    return jwt.encode(body, own.keys.signing, algorithm="ES256", headers=headers)


async def certify(own: Company, consent_id: str, signed: str) -> dict[str, Any]:
    """Hand the certificate in."""
    place, kind = f"/consents/{consent_id}/deletion-certificate", {"Content-Type": "application/jwt"}
    return await _asked(own, "POST", place, headers=kind, content=signed)


async def _asked(own: Company, method: str, place: str, **more: Any) -> dict[str, Any]:
    return own._accept(await own.call(method, own.issuer + place, **more))
