"""Pull every granted item, holders side by side, each with its own token for this person and this consent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from connectors.authorization import ConsentTerms, Gateway, HolderToken
from connectors.contract import Gap, Holder, Outcome, PullRequest, Reason
from connectors.errors import REFUSALS, HolderError
from connectors.runtime import Pulled, Runtime
from gateway.telemetry import Metrics


@dataclass(frozen=True, slots=True)
class Wanted:
    """One granted item: what to pull from whom. `accounts` are the references chosen; None: all."""

    holder: str
    dataset: str
    fields: tuple[str, ...]
    since: date
    until: date
    transaction_id: str
    accounts: tuple[str, ...] | None = None

    @property
    def name(self) -> str:
        """`HOLDER/DATASET`."""
        return f"{self.holder}/{self.dataset}"


@dataclass(frozen=True, slots=True)
class Order:
    """Everything one transfer pulls. `links` are the person's links, by holder; a holder may lack one.

    `refer` gives the reference of an account (holder, account as its records name it).
    """

    transfer_id: str
    consent_id: str
    consent_version: int
    consent_end: int
    wanted: tuple[Wanted, ...]
    links: Mapping[str, str] = field(repr=False)
    refer: Callable[[str, str], str] = field(default=lambda _holder, account: account, repr=False)


@dataclass(frozen=True, slots=True)
class Puller:
    """What pulling needs: who we are to holders, the runtime, the holders."""

    gateway: Gateway
    runtime: Runtime
    holders: Mapping[str, Holder]
    clock: Callable[[], datetime]
    metrics: Metrics

    async def pull(self, order: Order, cancelled: Callable[[], bool]) -> dict[str, Pulled]:
        """Pull all of `order`; by item name. A holder that fails gives a gap and delays nobody."""
        by_holder: dict[str, list[Wanted]] = {}
        for wanted in order.wanted:
            by_holder.setdefault(wanted.holder, []).append(wanted)
        async with asyncio.TaskGroup() as side_by_side:
            tasks = [
                side_by_side.create_task(self._holder(order, holder, items, cancelled))
                for holder, items in by_holder.items()
            ]
        pulled = [one for task in tasks for one in task.result()]
        for one in pulled:
            self.metrics.pulls.labels(one.holder, one.outcome.value).inc()
        return {f"{one.holder}/{one.dataset}": one for one in pulled}

    async def _holder(
        self, order: Order, holder_id: str, items: Sequence[Wanted], cancelled: Callable[[], bool]
    ) -> list[Pulled]:
        holder, link = self.holders.get(holder_id), order.links.get(holder_id)
        if holder is None or link is None:
            return [self._nothing(item, Reason.NO_LINK) for item in items]
        terms = ConsentTerms(
            order.consent_id, order.consent_version, order.consent_end, tuple(i.dataset for i in items)
        )
        token = HolderToken(self.gateway, holder.manifest, link, terms)
        pulled = []
        for item in items:
            request = PullRequest(
                dataset=item.dataset,
                fields=item.fields,
                since=item.since,
                until=item.until,
                transaction_id=item.transaction_id,
            )
            pulled.append(await self._item(order, holder, item, (request, token), cancelled))
        return pulled

    async def _item(
        self,
        order: Order,
        holder: Holder,
        item: Wanted,
        call: tuple[PullRequest, HolderToken],
        cancelled: Callable[[], bool],
    ) -> Pulled:
        """One item; where accounts were chosen, of those only, each one that is there no more a gap."""
        request, token = call
        if item.accounts is None:
            return await self.runtime.collect(holder, request, token, cancelled=cancelled)
        try:
            listed = await self.runtime.accounts(holder, request, token)
        except HolderError as error:
            gap = Gap(item.dataset, error.reason, "the accounts could not be listed")
            outcome = Outcome.REFUSED if error.reason in REFUSALS else Outcome.FAILED
            return self._none(item, outcome, gap)
        there = {order.refer(item.holder, one.key): one.key for one in listed if one.blocked is None}
        chosen = frozenset(key for ref, key in there.items() if ref in item.accounts)
        gone = len(set(item.accounts) - there.keys())
        gaps = (Gap(item.dataset, Reason.ACCOUNT_GONE, "a chosen account is there no more"),) * gone
        if not chosen:
            return self._none(item, Outcome.REFUSED, *gaps)
        request = replace(request, accounts=chosen)
        pulled = await self.runtime.collect(holder, request, token, cancelled=cancelled)
        complete = pulled.outcome in (Outcome.COMPLETE, Outcome.EMPTY) and gaps
        outcome = Outcome.PARTIAL if complete else pulled.outcome
        return replace(pulled, outcome=outcome, gaps=pulled.gaps + gaps)

    def _nothing(self, item: Wanted, reason: Reason) -> Pulled:
        return self._none(
            item, Outcome.REFUSED, Gap(item.dataset, reason, "the citizen is not linked at this holder")
        )

    def _none(self, item: Wanted, outcome: Outcome, *gaps: Gap) -> Pulled:
        now = self.clock()
        return Pulled(item.holder, item.dataset, outcome, (), gaps, 0, 0, 0, None, now, now)


def transaction_id(org_code: str, transfer_id: str, number: int) -> str:
    """`x-api-tran-id`, AN(25): organisation, role letter M, and what is left of the transfer's id."""
    tail = "".join(c for c in transfer_id.upper() if c.isascii() and c.isalnum())
    return f"{org_code[:10]:0<10}M{tail[-12:]:0>12}{number:02d}"
