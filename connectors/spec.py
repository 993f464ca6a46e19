"""A connector as data: the YAML spec of a sector's wire standard, read and checked strictly.

    standard: kr-mydata/bank@2
    sector: finance
    headers: {x-api-tran-id: $tran}          # sent with every request
    echo: [x-api-tran-id]                    # MUST come back unchanged
    envelope: {code: rsp_code, ok: ["00000"], reasons: {"40305": denied}}
    lists:                                   # read first; their rows feed `for_each` and `within`
      accounts: {get: /bank/accounts, items: account_list, only: {is_consent: true}}
    datasets:
      finance.deposit-transactions:
        for_each: accounts
        post: /bank/accounts/deposit/transactions
        send: {account_num: $each.account_num, from_dtime: "$since|%Y%m%d%H%M%S", limit: 500}
        items: trans_list
        count: trans_cnt                     # rows the page says it has; a mismatch is corrupt
        page: {cursor: next_page}            # or {link: links.next}, or {header: true}
        add: {account_num: $each.account_num}
        key: [account_num, trans_no]
        at: {field: trans_dtime, format: "%Y%m%d%H%M%S", zone: "+09:00"}

Names are the names on the wire. Values starting with `$` are in `connectors.templates`.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
import yaml

from connectors.contract import Reason
from connectors.errors import SpecError
from connectors.templates import Scalar, template_problem

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
Path = Annotated[str, msgspec.Meta(pattern=r"^/[A-Za-z0-9/_.{}~-]*$")]
Zone = Annotated[str, msgspec.Meta(pattern=r"^[+-](0\d|1[0-4]):[0-5]\d$")]
MONTHS = "$months"


class Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The result code a standard puts into the body, even under HTTP 200."""

    code: Name
    ok: tuple[Name, ...]
    reasons: dict[str, Reason] = {}


class Paging(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the next page is: opaque `cursor` (sent back as `send_as`), body `link`, or Link `header`."""

    cursor: Name | None = None
    send_as: Name | None = None
    link: Name | None = None
    header: bool = False

    @property
    def ways(self) -> int:
        """How many of the three ways are named: MUST be one."""
        return (self.cursor is not None) + (self.link is not None) + self.header


class At(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The field that says when the thing happened, its strptime format, the zone it is written in."""

    field: Name
    format: Name
    zone: Zone = "+00:00"


class Within(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Keep only records whose `field` occurs in a list: what the person left out there is left out here."""

    list: Name
    field: Name


class Endpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One request and where its rows are. `only`: what a row MUST have to be used, else it is left out."""

    items: Name
    get: Path | None = None
    post: Path | None = None
    send: dict[str, Scalar] = {}
    first: dict[str, Scalar] = {}
    count: Name | None = None
    page: Paging | None = None
    only: dict[str, Scalar] = {}


class AccountSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which field of a list names an account, which its product, and what a closed one looks like.

    An account that `only` of the list leaves out is one the person left out at the holder.
    """

    key: Name
    name: Name | None = None
    closed: dict[str, Scalar] = {}


class ListSpec(Endpoint, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Rows that other requests refer to (accounts, contracts)."""

    account: AccountSpec | None = None


class DatasetSpec(Endpoint, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One dataset of the catalogue. `key` may end in `$ordinal`: the how-manieth of equal rows in this pull,
    for standards without an id; only right where pages never overlap."""

    key: tuple[Name, ...]
    for_each: Name | None = None
    add: dict[str, Scalar] = {}
    at: At | None = None
    version: Name | None = None
    within: Within | None = None
    accounts: Name | None = None

    @property
    def account_list(self) -> str | None:
        """The list whose rows are this dataset's accounts: the one named, or the one it is read by."""
        return self.accounts or (self.within.list if self.within else self.for_each)


class Spec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A sector's connector."""

    standard: Name
    sector: Name
    datasets: dict[str, DatasetSpec]
    lists: dict[str, ListSpec] = {}
    headers: dict[str, str] = {}
    echo: tuple[Name, ...] = ()
    envelope: Envelope | None = None


def load(text: str) -> Spec:
    """Read a spec; raises SpecError with one sentence a finding, each naming its place."""
    try:
        read = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise SpecError([f"not YAML: {str(error).splitlines()[0]}"]) from error
    if found := _shapes(read):
        raise SpecError(found)
    spec = msgspec.convert(read, Spec, strict=True)
    if found := _problems(spec):
        raise SpecError(found)
    return spec


def _shapes(read: object) -> list[str]:
    """What does not have the form of a spec; lists and datasets one by one, so that each is named."""
    parts = dict(read) if isinstance(read, dict) else {}
    found = []
    for group, form in (("lists", ListSpec), ("datasets", DatasetSpec)):
        named = parts.get(group)
        for name, part in named.items() if isinstance(named, dict) else ():
            found += _shape(f"{group}.{name}: ", part, form)
    return found or _shape("", read, Spec)


def _shape(place: str, part: object, form: type[msgspec.Struct]) -> list[str]:
    try:
        msgspec.convert(part, form, strict=True)
    except msgspec.ValidationError as error:
        return [f"{place}{error}"]
    return []


def _problems(spec: Spec) -> list[str]:
    found = [f"echo: {name} is not among the headers" for name in spec.echo if name not in spec.headers]
    found += [
        f"headers: {name} is the runtime's own" for name in spec.headers if name.lower() == "authorization"
    ]
    found += _templates("headers", spec.headers, names=frozenset())
    for name, listed in spec.lists.items():
        found += _endpoint(f"lists.{name}", listed, names=frozenset())
    for name, dataset in spec.datasets.items():
        found += _dataset(spec, name, dataset)
    return found


def _dataset(spec: Spec, name: str, dataset: DatasetSpec) -> list[str]:
    place = f"datasets.{name}"
    found = [] if name.startswith(f"{spec.sector}.") else [f"{place}: must start with {spec.sector}."]
    if dataset.for_each not in (None, MONTHS, *spec.lists):
        found.append(f"{place}.for_each: there is no list {dataset.for_each}")
    if dataset.within and dataset.within.list not in spec.lists:
        found.append(f"{place}.within: there is no list {dataset.within.list}")
    if dataset.accounts is not None and dataset.accounts not in spec.lists:
        found.append(f"{place}.accounts: there is no list {dataset.accounts}")
    if not dataset.key or "$ordinal" in dataset.key[:-1] or dataset.key == ("$ordinal",):
        found.append(f"{place}.key: names at least one field, $ordinal only at the end")
    names = frozenset({"each"}) if dataset.for_each else frozenset[str]()
    return found + _endpoint(place, dataset, names) + _templates(f"{place}.add", dataset.add, names)


def _endpoint(place: str, endpoint: Endpoint, names: frozenset[str]) -> list[str]:
    found = []
    if "{" in (endpoint.get or endpoint.post or "") and not names:
        found.append(f"{place}: a path with {{NAME}} needs for_each")
    if (endpoint.get is None) == (endpoint.post is None):
        found.append(f"{place}: names exactly one of get and post")
    if endpoint.page and endpoint.page.ways != 1:
        found.append(f"{place}.page: names exactly one of cursor, link and header")
    if endpoint.page and endpoint.post and not endpoint.page.cursor:
        found.append(f"{place}.page: a POST is paged by cursor")
    found += _templates(f"{place}.send", endpoint.send, names)
    return found + _templates(f"{place}.first", endpoint.first, names)


def _templates(place: str, values: dict[str, Scalar] | dict[str, str], names: frozenset[str]) -> list[str]:
    return [
        f"{place}.{name}: {problem}"
        for name, value in values.items()
        if (problem := template_problem(value, names)) is not None
    ]
