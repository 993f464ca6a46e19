"""A Holder made from a spec: no code of its own, only the walk over lists, rows and pages."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

import msgspec

from connectors.contract import Account, Checkpoint, Event, Io, Json, Manifest, Page, PullRequest
from connectors.envelopes import Reader
from connectors.paging import Trail, header_next, next_url, opaque_cursor
from connectors.records import Records
from connectors.rows import PageBody, corrupt
from connectors.spec import MONTHS, AccountSpec, DatasetSpec, Endpoint, ListSpec, Spec
from connectors.templates import Scalar, Values

Row = Mapping[str, Json]
_HOLE = re.compile(r"\{(\w+)\}")


class DeclaredHolder:
    """Implements `connectors.contract.Holder` for a checked spec. Keeps no state between pulls."""

    def __init__(self, manifest: Manifest, spec: Spec) -> None:
        """The holder `manifest` describes, speaking the standard `spec` describes."""
        self.manifest = manifest
        self._spec = spec

    async def accounts(self, request: PullRequest, io: Io) -> list[Account]:
        """See `connectors.contract.ListsAccounts`."""
        named = self._spec.datasets[request.dataset].account_list
        listed = self._spec.lists.get(named or "")
        if listed is None or listed.account is None:
            return []
        walk = _Walk(self.manifest, self._spec, Values(self.manifest.org_code, request), io)
        return [_account(row, listed, listed.account) async for row in walk.rows(listed)]

    async def pull(self, request: PullRequest, io: Io) -> AsyncIterator[Event]:
        """See `connectors.contract.Holder`."""
        dataset = self._spec.datasets[request.dataset]
        walk = _Walk(self.manifest, self._spec, Values(self.manifest.org_code, request), io, request.accounts)
        records = Records(dataset, request, await walk.allowed(dataset))
        for index, each in enumerate(await walk.parents(dataset, request)):
            async for number, page in walk.pages(dataset, each):
                for record in records.of(page.rows, walk.values.fill_all(dataset.add, each)):
                    yield record
                yield Checkpoint({"each": index, "page": number, "next": page.next})


@dataclass(frozen=True, slots=True)
class _Read:
    rows: list[msgspec.Raw]
    next: str | None


class _Walk:
    """The requests of one pull, in order."""

    def __init__(
        self,
        manifest: Manifest,
        spec: Spec,
        values: Values,
        io: Io,
        accounts: frozenset[str] | None = None,
    ) -> None:
        self._origin = manifest.origin
        self._spec = spec
        self._io = io
        self._accounts = accounts
        self.values = values

    async def parents(self, dataset: DatasetSpec, request: PullRequest) -> list[Row]:
        """What the dataset is asked for: once, once a month, or once a row of a list."""
        if dataset.for_each is None:
            return [{}]
        if dataset.for_each == MONTHS:
            return list(_months(request))
        return await self._list(dataset.for_each)

    async def allowed(self, dataset: DatasetSpec) -> frozenset[str] | None:
        """The values `within` allows; None if it allows any."""
        if dataset.within is None:
            return None
        rows = await self._list(dataset.within.list)
        return frozenset(str(row.get(dataset.within.field)) for row in rows)

    async def _list(self, name: str) -> list[Row]:
        listed: ListSpec = self._spec.lists[name]
        return [
            row
            async for row in self.rows(listed)
            if _has(row, listed.only) and _chosen(row, listed, self._accounts)
        ]

    async def rows(self, listed: ListSpec) -> AsyncIterator[Row]:
        """Every row of a list, whatever it says of itself."""
        async for _, page in self.pages(listed, {}):
            for raw in page.rows:
                row = msgspec.json.decode(raw)
                if not isinstance(row, dict):
                    raise corrupt("a row of a list is not an object")
                yield row

    async def pages(self, endpoint: Endpoint, each: Row) -> AsyncIterator[tuple[int, _Read]]:
        """The pages of one request, each read whole before the next is asked for."""
        trail, number, cursor, url = Trail(), 0, None, None
        while True:
            page, body = await self._ask(endpoint, each, cursor, url)
            found = _rows(endpoint, body)
            onward = trail.step(self._next(endpoint, page, body))
            yield number, _Read(found, onward)
            if onward is None:
                return
            number += 1
            cursor, url = (onward, None) if endpoint.page and endpoint.page.cursor else (None, onward)

    async def _ask(
        self, endpoint: Endpoint, each: Row, cursor: str | None, url: str | None
    ) -> tuple[Page, PageBody]:
        headers = {name: str(value) for name, value in self.values.fill_all(self._spec.headers, each).items()}
        reader = Reader(self._spec, headers)
        if url is not None:
            return await self._io.get(url, headers=headers, check=reader), reader.body
        send = self.values.fill_all(endpoint.send, each)
        if cursor is None:
            send |= self.values.fill_all(endpoint.first, each)
        elif endpoint.page and endpoint.page.cursor:
            send[endpoint.page.send_as or endpoint.page.cursor] = cursor
        path = _HOLE.sub(lambda hole: _segment(each, hole[1]), endpoint.get or endpoint.post or "")
        if endpoint.post:
            page = await self._io.post(path, send, headers=headers, check=reader)
        else:
            params = {name: _text(value) for name, value in send.items()}
            page = await self._io.get(path, params, headers=headers, check=reader)
        return page, reader.body

    def _next(self, endpoint: Endpoint, page: Page, body: PageBody) -> str | None:
        paging = endpoint.page
        if paging is None:
            return None
        if paging.cursor:
            return opaque_cursor(body.value(paging.cursor))
        reference = header_next(page.headers.get("link")) if paging.header else body.value(paging.link or "")
        return next_url(self._origin, page.url, reference)


def _has(row: Row, wanted: Mapping[str, Scalar]) -> bool:
    return all(row.get(field) == value for field, value in wanted.items())


def _chosen(row: Row, listed: ListSpec, accounts: frozenset[str] | None) -> bool:
    if accounts is None or listed.account is None:
        return True
    return str(row.get(listed.account.key)) in accounts


def _account(row: Row, listed: ListSpec, spec: AccountSpec) -> Account:
    key, name = row.get(spec.key), row.get(spec.name) if spec.name else None
    if not isinstance(key, str | int) or isinstance(key, bool) or not str(key):
        raise corrupt("an account has no usable key")
    blocked = "closed" if spec.closed and _has(row, spec.closed) else None
    if not _has(row, listed.only):
        blocked = blocked or "left_out"
    return Account(str(key), name if isinstance(name, str) else "", blocked)


def _rows(endpoint: Endpoint, body: PageBody) -> list[msgspec.Raw]:
    """The rows of a page, as many as it says it has."""
    found = body.rows(endpoint.items)
    said = body.value(endpoint.count) if endpoint.count else None
    if endpoint.count and (isinstance(said, bool) or not isinstance(said, int)):
        raise corrupt("the page does not say how many rows it has")
    if found is None and said == 0:
        return []
    if found is None or (endpoint.count and len(found) != said):
        raise corrupt("the page does not have the rows it should have")
    return found


def _months(request: PullRequest) -> Iterator[Row]:
    year, month = request.since.year, request.since.month
    while (year, month) <= (request.until.year, request.until.month):
        yield {"month": f"{year:04d}{month:02d}"}
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)


def _segment(each: Row, name: str) -> str:
    value = str(each.get(name, ""))
    if not value or value in (".", ".."):
        raise corrupt("a row has no usable identifier")
    return quote(value, safe="")


def _text(value: Json) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
