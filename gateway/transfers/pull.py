"""Pull every granted item, holders side by side, each with its own token for this person and this consent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from connectors.authorization import ConsentTerms, Gateway, HolderToken
from connectors.contract import Gap, Holder, Outcome, PullRequest, Reason
from connectors.runtime import Pulled, Runtime
from gateway.telemetry import Metrics


@dataclass(frozen=True, slots=True)
class Wanted:
    """One granted item: what to pull from whom."""

    holder: str
    dataset: str
    fields: tuple[str, ...]
    since: date
    until: date
    transaction_id: str

    @property
    def name(self) -> str:
        """`HOLDER/DATASET`."""
        return f"{self.holder}/{self.dataset}"


@dataclass(frozen=True, slots=True)
class Order:
    """Everything one transfer pulls. `links` are the person's links, by holder; a holder may lack one."""

    transfer_id: str
    consent_id: str
    consent_version: int
    consent_end: int
    wanted: tuple[Wanted, ...]
    links: Mapping[str, str] = field(repr=False)


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
            pulled.append(await self.runtime.collect(holder, request, token, cancelled=cancelled))
        return pulled

    def _nothing(self, item: Wanted, reason: Reason) -> Pulled:
        now = self.clock()
        gap = Gap(item.dataset, reason, "the citizen is not linked at this holder")
        return Pulled(item.holder, item.dataset, Outcome.REFUSED, (), (gap,), 0, 0, 0, None, now, now)


def transaction_id(org_code: str, transfer_id: str, number: int) -> str:
    """`x-api-tran-id`, AN(25): organisation, role letter M, and what is left of the transfer's id."""
    tail = "".join(c for c in transfer_id.upper() if c.isascii() and c.isalnum())
    return f"{org_code[:10]:0<10}M{tail[-12:]:0>12}{number:02d}"
