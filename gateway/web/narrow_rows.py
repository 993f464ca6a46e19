"""What a citizen takes back inside an item: accounts, kinds, amounts, cycle; and an earlier last day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from consent import repository_accounts
from consent.accounts import Offer
from consent.items import Item, Terms
from consent.subjects import SubjectError, SubjectId
from consent.text_rows import filter_lines
from consent.tightening import Less
from gateway.errors import Language, Problem
from gateway.web import phrases, row_choices
from gateway.web.choosing_view import Choosing, cycle_selects, end_select, filter_selects
from gateway.web.controls import Select, Switch
from gateway.web.forms import Form
from gateway.web.item_names import item_name
from gateway.web.site import Site
from gateway.web.words import words


@dataclass(frozen=True)
class RowChoices:
    """What can be taken back of `terms` on the day `today`.

    `labels` are masked names of chosen accounts by reference; `offers`, by item name, are accounts that could
    be chosen of items which send all.
    """

    site: Site
    terms: Terms
    today: date
    labels: Mapping[str, str] = field(default_factory=dict, repr=False)
    offers: Mapping[str, Offer] = field(default_factory=dict, repr=False)

    def boxes(self, item: Item) -> tuple[str, ...]:
        """What of the accounts of `item` has a box: those chosen, where there is more than one.

        Where all are sent, those that could be chosen instead, and after them ALL.
        """
        if item.accounts is not None:
            return item.accounts if len(item.accounts) > 1 else ()
        single = tuple(one.ref for one in self._offer(item).open)
        return (*single, row_choices.ALL) if single else ()

    def unclear(self, form: Form, kept: Mapping[str, tuple[str, ...]]) -> bool:
        """Whether all accounts of an item are ticked, and single ones of it besides."""
        ticked = set(form.all("account"))
        every = (i for i in self.terms.items if i.name in kept and f"{i.name}/{row_choices.ALL}" in ticked)
        return any(f"{i.name}/{ref}" in ticked for i in every for ref in self.boxes(i)[:-1])

    def read(self, form: Form, kept: Mapping[str, tuple[str, ...]]) -> Less:
        """What the form takes back of the items in `kept`. Problem `form_invalid` for what was not there."""
        offered = {f"{item.name}/{ref}" for item in self.terms.items for ref in self.boxes(item)}
        ticked = set(form.all("account"))
        if not ticked <= offered:
            raise Problem("form_invalid", detail="an account that was not on the page")
        accounts = {
            item.name: frozenset(ref for ref in self.boxes(item) if f"{item.name}/{ref}" in ticked)
            for item in self.terms.items
            if self.boxes(item) and item.name in kept and f"{item.name}/{row_choices.ALL}" not in ticked
        }
        catalogue = self.site.catalogue
        return Less(
            accounts=accounts,
            filters=row_choices.read_filters(form, self.terms.items, catalogue),
            cycles=row_choices.read_cycles(form, self.terms, catalogue),
            end=row_choices.read_end(form, self.terms, catalogue, now=self.today),
        )

    def accounts(self, item: Item, place: int, less: Less, spoken: Language) -> tuple[Switch, ...]:
        """The boxes of the accounts of `item`, ticked where they stay."""
        t, account = words(spoken), self.site.catalogue.dataset(item.dataset).account
        named = {} if account is None else {row_choices.ALL: t("choosing.all", account=account.name[spoken])}
        everything = {row_choices.ALL} if item.accounts is None else self.boxes(item)
        stays = less.accounts.get(item.name, frozenset(everything))
        return tuple(
            Switch(
                f"{item.name}/{ref}",
                f"item-{place}-account-{n}",
                named.get(ref) or self.label(ref),
                "",
                ref in stays,
            )
            for n, ref in enumerate(self.boxes(item), start=1)
        )

    def unlisted(self, item: Item, spoken: Language) -> str:
        """That single accounts of `item` cannot be chosen at the moment, and why; empty otherwise."""
        if self._offer(item).missing is None:
            return ""
        holder = self.site.holders[item.holder].name[spoken]
        return words(spoken)("choosing.not_listed_now", holder=holder)

    def selects(self, item: Item, place: int, less: Less, spoken: Language) -> tuple[Select, ...]:
        """Kind and amount of `item`."""
        site = self.site
        of = Choosing(spoken, site.catalogue, site.holders, {}, {}, less.filters, first="choosing.as_now")
        return filter_selects(item, f"item-{place}", of)

    def cycles(self, less: Less, spoken: Language) -> tuple[Select, ...]:
        """How often, by class."""
        return cycle_selects(self.terms, self.site.catalogue, less.cycles, spoken, first="choosing.as_now")

    def ends(self, less: Less, spoken: Language) -> Select | None:
        """The last day."""
        return end_select(self.terms, self.site.catalogue, less.end, spoken, now=self.today)

    def label(self, ref: str) -> str:
        """The masked name of an account; its reference's beginning where no name is kept any more."""
        offered = {one.ref: one.label for offer in self.offers.values() for one in offer.open}
        return self.labels.get(ref) or offered.get(ref, f"***{ref[:4]}")

    def going(self, after: Terms, spoken: Language) -> Iterator[str]:
        """What `after` takes back inside the items that stay, and of the time."""
        t = words(spoken)
        for item in self.terms.items:
            found = after.item(item.name)
            if found is None:
                continue
            name = item_name(self.site, item, spoken)
            if lost := set(item.accounts or ()) - set(found.accounts or ()):
                yield f"{name}: {self._named(lost)}"
            if item.accounts is None and found.accounts is not None:
                yield t("choosing.only_those", item=name, labels=self._named(found.accounts))
            if found.filters != item.filters and found.filters is not None:
                dataset = self.site.catalogue.dataset(item.dataset)
                rows = " ".join(filter_lines(found.filters, dataset, spoken))
                yield t("choosing.fewer", item=name, rows=rows)
            if found.frequency != item.frequency:
                before = phrases.frequency(item.frequency, spoken)
                later = phrases.frequency(found.frequency, spoken)
                yield t("choosing.rarer", item=name, before=before, after=later)
        if after.end != self.terms.end:
            yield t("choosing.sooner", date=phrases.day(after.end, spoken))

    def _offer(self, item: Item) -> Offer:
        return self.offers.get(item.name) or Offer()

    def _named(self, refs: Iterable[str]) -> str:
        return ", ".join(sorted(self.label(ref) for ref in refs))

    def staying(self, item: Item, spoken: Language) -> str:
        """Which rows of `item` are sent, in a few words; empty when all are."""
        dataset, parts = self.site.catalogue.dataset(item.dataset), []
        if item.accounts is not None and dataset.account is not None:
            labels = ", ".join(self.label(ref) for ref in item.accounts)
            account = dataset.account.name[spoken]
            parts.append(words(spoken)("choosing.chosen_accounts", account=account, labels=labels))
        if item.filters is not None:
            parts += filter_lines(item.filters, dataset, spoken)
        return " · ".join(parts)


async def labels_of(session: AsyncSession, site: Site, subject: SubjectId) -> dict[str, str]:
    """The masked names of the accounts a citizen chose; none once their key is gone."""
    try:
        key = await site.journal.keys.key(session, subject)
        return await repository_accounts.labels(session, subject, key)
    except SubjectError:
        return {}


def carried(form: Form) -> tuple[tuple[str, str], ...]:
    """What the confirmation carries on of these controls, as it was sent."""
    many = [(name, value) for name in row_choices.REPEATED for value in form.all(name)]
    return (*many, *((name, form.one(name)) for name in row_choices.SINGLE if form.one(name)))
