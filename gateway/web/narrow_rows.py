"""What a citizen takes back inside an item: accounts, kinds, amounts, cycle; and an earlier last day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from consent import repository_accounts
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
    """What can be taken back of `terms` on the day `today`; `labels` are masked names by reference."""

    site: Site
    terms: Terms
    today: date
    labels: Mapping[str, str] = field(default_factory=dict, repr=False)

    def boxes(self, item: Item) -> tuple[str, ...]:
        """The accounts of `item` with a box each: those chosen, where there is more than one."""
        return item.accounts if item.accounts is not None and len(item.accounts) > 1 else ()

    def read(self, form: Form, kept: Mapping[str, tuple[str, ...]]) -> Less:
        """What the form takes back of the items in `kept`. Problem `form_invalid` for what was not there."""
        offered = {f"{item.name}/{ref}" for item in self.terms.items for ref in self.boxes(item)}
        ticked = set(form.all("account"))
        if not ticked <= offered:
            raise Problem("form_invalid", detail="an account that was not on the page")
        accounts = {
            item.name: frozenset(ref for ref in self.boxes(item) if f"{item.name}/{ref}" in ticked)
            for item in self.terms.items
            if self.boxes(item) and item.name in kept
        }
        catalogue = self.site.catalogue
        return Less(
            accounts=accounts,
            filters=row_choices.read_filters(form, self.terms.items, catalogue),
            cycles=row_choices.read_cycles(form, self.terms, catalogue),
            end=row_choices.read_end(form, self.terms, catalogue, now=self.today),
        )

    def accounts(self, item: Item, place: int, less: Less) -> tuple[Switch, ...]:
        """The boxes of the accounts of `item`, ticked where they stay."""
        stays = less.accounts.get(item.name, frozenset(self.boxes(item)))
        return tuple(
            Switch(f"{item.name}/{ref}", f"item-{place}-account-{n}", self.label(ref), "", ref in stays)
            for n, ref in enumerate(self.boxes(item), start=1)
        )

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
        return self.labels.get(ref, f"***{ref[:4]}")

    def going(self, after: Terms, spoken: Language) -> Iterator[str]:
        """What `after` takes back inside the items that stay, and of the time."""
        t = words(spoken)
        for item in self.terms.items:
            found = after.item(item.name)
            if found is None:
                continue
            name = item_name(self.site, item, spoken)
            if lost := set(item.accounts or ()) - set(found.accounts or ()):
                labels = ", ".join(sorted(self.label(ref) for ref in lost))
                yield f"{name}: {labels}"
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
