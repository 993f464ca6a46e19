"""What a person agreed to, as the portal shows it: scopes (지원-103), agreements (105), what was sent (106).

Lines are read, never made: one consent may name several holders, so an agreement has a list of them. Ended
consents stay in the list, for the person shall find them again; requests never answered with yes do not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from consent import repository_use
from consent.calendar import korean_day_of
from consent.catalogue import Catalogue
from consent.items import Item
from consent.records import Consent, Move, State
from consent.subjects import SubjectId
from consent.usage import ItemOutcome
from gateway.oauth import clients
from gateway.registry import Consortium
from gateway.support import repository
from gateway.support.repository import Place
from gateway.support.wire import dtime, wrong

WITHDRAWAL_TEXT = (
    "철회하면 바로 전송이 멈추고, 만들어 둔 자료는 지워요. 이미 보낸 정보는 회사가 지워야 없어지며, "
    "게이트웨이에서 삭제를 요청할 수 있어요. 다시 이용하려면 새로 동의해야 해요."
)
"""What is shown before a withdrawal (revoke_info, at most 300 characters)."""
STATUS = {
    State.ACTIVE: "01",
    State.PAUSED: "01",
    State.WITHDRAWING: "02",
    State.WITHDRAWN: "03",
    State.REVOKED: "03",
    State.INVALIDATED: "03",
    State.EXPIRED: "04",
}
"""01 in force, 02 being withdrawn, 03 withdrawn (or ended by a party), 04 its time is over."""
PLACE = re.compile(r"([0-9]{1,12})\.([A-Za-z0-9_-]{1,64})", re.ASCII)
Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Agreements:
    """Reads one person's agreements. `org_codes` by holder; `contracts` say who pays for what."""

    catalogue: Catalogue
    contracts: Sequence[Consortium]
    org_codes: Mapping[str, str]

    async def scopes(
        self, session: AsyncSession, subject: SubjectId, at: int, limit: int, before: Place | None
    ) -> tuple[list[Line], Place | None]:
        """지원-103: of each consent and holder what may be sent, and where the next page begins."""
        page, after = await _page(session, subject, limit, before)
        known, names = await repository.moments(session, page), await _names(session, page)
        lines = [
            self._scope(consent, holder, known, names, at)
            for consent in page
            for holder in consent.terms.holders
        ]
        return lines, after

    async def agreements(
        self, session: AsyncSession, subject: SubjectId, at: int, limit: int, before: Place | None
    ) -> tuple[list[Line], Place | None]:
        """지원-105: each agreement to provide to a third party, and where the next page begins."""
        page, after = await _page(session, subject, limit, before)
        known, names = await repository.moments(session, page), await _names(session, page)
        return [self._agreement(consent, known, names, at) for consent in page], after

    async def provided(
        self, session: AsyncSession, consent: Consent, limit: int, before: Place | None
    ) -> tuple[list[Line], Place | None]:
        """지원-106: what was really sent under one consent, newest first, and where the next page begins."""
        found = await repository_use.transfers_before(session, consent.id, limit=limit + 1, before=before)
        shown = found[:limit]
        sent = [one for one in await repository_use.of_transfers(session, [t for _, t in shown]) if one.sent]
        after = shown[-1] if len(found) > limit else None
        return [self._sent(outcome, self._paid(consent, outcome)) for outcome in sent], after

    def _scope(
        self,
        consent: Consent,
        holder: str,
        known: Mapping[tuple[str, Move], int],
        names: Mapping[str, str],
        at: int,
    ) -> Line:
        items = [item for item in consent.terms.items if item.holder == holder]
        return {
            "consent_num": consent.id,
            "status": STATUS[consent.standing(at)],
            "org_code": self.org_codes.get(holder, holder),
            "rcv_org_code": consent.client_id,
            "rcv_org_name": names.get(consent.client_id, consent.client_id),
            "consent_dtime": dtime(known[consent.id, Move.GIVE]),
            "is_scheduled": any(item.frequency_days is not None for item in items),
            **_cycle(items),
            "end_date": f"{consent.terms.end:%Y%m%d}",
            "purpose": self._purpose(consent)[:150],
            "period": consent.terms.retention,
            "scope": " ".join(sorted({item.dataset for item in items})),
        }

    def _agreement(
        self, consent: Consent, known: Mapping[tuple[str, Move], int], names: Mapping[str, str], at: int
    ) -> Line:
        ended = repository.ended_at(consent, known)
        name = names.get(consent.client_id, consent.client_id)
        return {
            "prov_consent_num": consent.id,
            "status": STATUS[consent.standing(at)],
            "is_once": all(item.frequency_days is None for item in consent.terms.items),
            **({} if ended is None else {"prov_revoke_dtime": dtime(ended)}),
            "revoke_info": WITHDRAWAL_TEXT,
            "prov_service_name": name,
            "prov_consent_name": self._words(consent),
            "prov_consent_dtime": dtime(known[consent.id, Move.GIVE]),
            "snd_org_list": [
                {"snd_org_code": self.org_codes.get(holder, holder)} for holder in consent.terms.holders
            ],
            "consent_rcv_name": name,
            "purpose": self._purpose(consent)[:1000],
            "period": f"{consent.terms.start:%Y%m%d}-{consent.terms.end:%Y%m%d}, {consent.terms.retention}",
        }

    def _paid(self, consent: Consent, outcome: ItemOutcome) -> bool | None:
        """Whether the recipient pays for what an outcome brought, as the contract says; None: it does not."""
        holder, day = outcome.item.partition("/")[0], korean_day_of(outcome.at).isoformat()
        of = [
            one.reward
            for one in self.contracts
            if consent.client_id in one.recipients and holder in one.holders and one.start <= day <= one.end
        ]
        return next((said for said in of if said is not None), None)

    def _sent(self, outcome: ItemOutcome, paid: bool | None) -> Line:
        holder, _, dataset = outcome.item.partition("/")
        return {
            "prov_dtime": dtime(outcome.at),
            "snd_org_code": self.org_codes.get(holder, holder),
            "prov_asset": f"{dataset}: {', '.join(outcome.sent)}"[:5000],
            "prov_cnt": outcome.records,
            "is_reward": paid,
            **({} if outcome.received_at is None else {"rcv_dtime": dtime(outcome.received_at)}),
        }

    def _purpose(self, consent: Consent) -> str:
        found = self.catalogue.purposes.get(consent.terms.purpose)
        return found.about["ko"] if found else consent.terms.purpose

    def _words(self, consent: Consent) -> str:
        found = self.catalogue.purposes.get(consent.terms.purpose)
        return found.name["ko"] if found else consent.terms.purpose


def place_of(text: str | None) -> Place | None:
    """Where to go on, as `next_page` said; None for the first page. Raises Problem `invalid_request`."""
    if text is None:
        return None
    found = PLACE.fullmatch(text)
    if found is None:
        raise wrong("next_page")
    return int(found[1]), found[2]


def _cycle(items: Sequence[Item]) -> Line:
    """The shortest cycle of the items, `1/d`, `1/nw` or `1/nd`; nothing when each is sent once."""
    days = [item.frequency_days for item in items if item.frequency_days is not None]
    if not days:
        return {}
    shortest = min(days)
    if shortest == 1:
        return {"cycle": "1/d"}
    return {"cycle": f"1/{shortest // 7}w" if shortest % 7 == 0 else f"1/{shortest}d"}


async def _page(
    session: AsyncSession, subject: SubjectId, limit: int, before: Place | None
) -> tuple[list[Consent], Place | None]:
    found = await repository.given_by(session, subject, limit=limit + 1, before=before)
    shown = found[:limit]
    return shown, (shown[-1].created_at, shown[-1].id) if len(found) > limit else None


async def _names(session: AsyncSession, page: Sequence[Consent]) -> Mapping[str, str]:
    """The recipients' names by id."""
    found = [await clients.find(session, id) for id in sorted({consent.client_id for consent in page})]
    return {client.id: client.name["ko"] for client in found if client is not None}
