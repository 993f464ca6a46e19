"""What a second request wants of an item that was agreed to before. Pure: it compares and decides nothing."""

from __future__ import annotations

from dataclasses import dataclass

from consent.items import Item
from consent.rows import tighter
from consent.tightening import days_between


@dataclass(frozen=True, slots=True)
class Change:
    """How an item asked now differs from what holds; every part is something more, but `slower`.

    `fields` are those that do not hold now, in the order asked.
    """

    new: bool = False
    fields: tuple[str, ...] = ()
    oftener: bool = False
    slower: bool = False
    further_back: bool = False
    later: bool = False
    rows: bool = False

    @property
    def more(self) -> bool:
        """Whether anything is asked that does not hold now, fields aside."""
        return self.new or self.oftener or self.further_back or self.later or self.rows


def change(asked: Item, before: Item | None) -> Change:
    """`asked` beside what holds of the same item; accounts are compared where they are chosen."""
    if before is None:
        return Change(new=True, fields=asked.fields)
    return Change(
        fields=tuple(name for name in asked.fields if name not in before.fields),
        oftener=days_between(asked) < days_between(before),
        slower=days_between(asked) > days_between(before),
        further_back=asked.history_from < before.history_from,
        later=before.history_to is not None
        and (asked.history_to is None or asked.history_to > before.history_to),
        rows=not tighter(asked.filters, before.filters),
    )
