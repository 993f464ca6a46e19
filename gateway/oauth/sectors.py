"""Whether a client belongs to the sector it names: the sector says so itself (OpenID Registration 5).

Two clients of one sector know a citizen by the same `sub`, so who could claim a sector could recognise its
citizens. The address must list every redirect URI of the client; it is read when the client is registered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.oauth.client_document import ClientDocumentError
from gateway.oauth.client_keys_fetch import ClientKeysUnreadable, Fetcher


async def check_sector(fetcher: Fetcher, values: Mapping[str, Any]) -> None:
    """Ask the sector of a checked document, if it names one. MUST NOT be called inside a transaction.

    Raises ClientDocumentError: not readable, not a list, or a redirect URI is missing in it.
    """
    uri = values.get("sector_identifier_uri")
    if uri is None:
        return
    try:
        listed, _ = await fetcher.read(uri)
    except ClientKeysUnreadable as error:
        raise _invalid(f"sector_identifier_uri cannot be read: {error}") from error
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        raise _invalid("sector_identifier_uri must give a JSON array of redirect URIs")
    if missing := sorted(set(values["redirect_uris"]) - set(listed)):
        raise _invalid(f"sector_identifier_uri does not list {missing[0]}")


def _invalid(what: str) -> ClientDocumentError:
    return ClientDocumentError("client_document_invalid", what)
