"""Asks a holder for a citizen's accounts while a question waits for its answer (request type 0).

The authorization names the question, not a consent: there is none yet. It ends with the question, a week from
now at the latest, and opens nothing but the list.
"""

from __future__ import annotations

from collections.abc import Sequence

from connectors.authorization import ConsentTerms, HolderToken
from connectors.contract import Account, PullRequest, Reason
from connectors.errors import HolderError
from consent.calendar import korean_day
from gateway.parts import Parts
from gateway.transfers.pull import transaction_id
from gateway.web.site import ListAccounts, Listing

LONGEST_SECONDS = 7 * 86_400 - 60


def listing(parts: Parts) -> ListAccounts:
    """The way of `gateway.web` to the holders' lists."""

    async def accounts(holder_id: str, link: str, listing: Listing) -> Sequence[Account]:
        holder = parts.holders.get(holder_id)
        if holder is None:
            raise HolderError(Reason.NO_LINK, "the holder is not registered")
        end = min(listing.end, int(parts.clock().timestamp()) + LONGEST_SECONDS)
        terms = ConsentTerms(listing.id, 1, end, (listing.dataset,), listing=True)
        token = HolderToken(parts.gateway, holder.manifest, link, terms)
        today = korean_day(parts.clock())
        tran = transaction_id(holder.manifest.org_code, listing.id, 0)
        request = PullRequest(listing.dataset, (), today, today, tran)
        return await parts.worker.puller.runtime.accounts(holder, request, token)

    return accounts
