"""What the pages are given: plain values, every text already in the citizen's language."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.web.controls import AccountsView, Select
from gateway.web.controls import Switch as Switch


@dataclass(frozen=True)
class Party:
    """Who asks: the name people know, the legal name, the registration and how to reach them."""

    name: str
    legal_name: str
    registration: str
    contact: str


@dataclass(frozen=True)
class ItemView:
    """One dataset of one holder as asked: what, from when, how often, on what ground."""

    box: Switch
    holder: str
    dataset: str
    chosen_singly: bool
    sensitive: str | None
    frequency: str
    too_often: str | None
    history: str
    switches: tuple[Switch, ...]
    unavailable: str | None = None
    withheld: str | None = None
    error: str | None = None
    cycle_class: str = ""
    accounts: AccountsView | None = None
    selects: tuple[Select, ...] = ()
    filters: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


@dataclass(frozen=True)
class UnavailableHolder:
    """A holder that cannot be reached now, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class TextBlock:
    """One part of the text that is kept, word for word."""

    heading: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class BeforeView:
    """The consent a request adds to or replaces: since when, what of it stays, what of it would end."""

    about: str
    stays: tuple[str, ...]
    ends: tuple[str, ...]
    until: str
    longer: tuple[str, ...] = ()
    ticked: bool = False
    """Whether the page began with what was chosen before ticked."""


@dataclass(frozen=True)
class RecognitionView:
    """That the client wishes to recognise the citizen, and what more it would like to be told of them."""

    lines: tuple[str, ...]
    boxes: tuple[Switch, ...]


@dataclass(frozen=True)
class ConsentView:
    """The question put to the citizen."""

    interaction: str
    shown: str
    who: Party
    what: str
    how_long: str
    often: str
    purpose: str
    why: str
    start: str
    end: str
    retention: str
    required: tuple[ItemView, ...]
    optional: tuple[ItemView, ...]
    withheld: tuple[ItemView, ...]
    unavailable: tuple[UnavailableHolder, ...]
    text: tuple[TextBlock, ...]
    answer_by: str
    errors: tuple[tuple[str, str], ...] = ()
    notice: str | None = None
    before: BeforeView | None = None
    recognise: RecognitionView | None = None
    place: str = ""
    later: bool = True
    youth: bool = False
    cycles: tuple[Select, ...] = ()
    ends: Select | None = None


@dataclass(frozen=True)
class NumbersView:
    """One table of published numbers: what each counts, and the number in words."""

    title: str
    lines: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Asking:
    """The questions nobody needs to answer, and the ticket to answer them once."""

    ticket: str
    questions: tuple[Select, ...]


@dataclass(frozen=True)
class DoneView:
    """What the citizen decided, and the way back to the service while it is still open."""

    agreed: bool
    who: Party
    resume: str | None
    reference: str = ""
    when: str = ""
    until: str = ""
    items: tuple[str, ...] = ()
    receipt: str | None = None
    consent: str | None = None
    asking: Asking | None = None


@dataclass(frozen=True)
class ConsentCard:
    """One consent in the list. `withdraw` is where to end it, None once it has ended; `answer` is where to
    answer a request that waits, else None.
    """

    href: str
    who: str
    purpose: str
    state: str
    state_kind: str
    given: str
    until: str
    last_sent: str
    withdraw: str | None
    answer: str | None = None
    resume: str | None = None
    renew: str | None = None


@dataclass(frozen=True)
class Missing:
    """Something that was asked and did not leave. `fields` is empty when it is the whole item."""

    fields: str
    reason: str
    article: str


@dataclass(frozen=True)
class Outcome:
    """One item of one consent: asked and agreed, really sent, and why anything is missing."""

    holder: str
    dataset: str
    agreed: str
    sent: str
    missing: tuple[Missing, ...]
    rows: str = ""


@dataclass(frozen=True)
class Happened:
    """One thing that happened to a consent, and a line for each thing it changed."""

    when: str
    what: str
    changes: tuple[str, ...] = ()


@dataclass(frozen=True)
class EndingView:
    """Who ended a consent and why, what each party said to it, and what became of the wish to delete.

    `delete` is where to instruct the company to delete; None once that was done.
    """

    how: str
    why: str | None
    parties: tuple[str, ...]
    deletion: tuple[str, ...]
    delete: str | None
    certificate: str | None


@dataclass(frozen=True)
class DetailView:
    """One consent: what was asked, agreed, sent and missing, and a page of its history, newest first."""

    card: ConsentCard
    who: Party
    reference: str
    start: str
    retention: str
    outcomes: tuple[Outcome, ...]
    history: tuple[Happened, ...]
    receipt: str | None
    waiting: bool
    older: str | None = None
    newest: str | None = None
    recognised: str | None = None
    ending: EndingView | None = None


@dataclass(frozen=True)
class PauseView:
    """What stops for a while, or goes on, before the one confirmation. `idle`: it was paused unused."""

    who: Party
    version: int
    items: tuple[str, ...]
    until: str
    idle: bool
    back: str


@dataclass(frozen=True)
class RenewalView:
    """One consent that runs out: until when it holds, until when it would. `shown` marks version and text."""

    id: str
    shown: str
    who: Party
    purpose: str
    items: tuple[str, ...]
    until: str
    longer: str
    text: tuple[TextBlock, ...]


@dataclass(frozen=True)
class WithdrawView:
    """What ends and what was sent already, before the one confirmation."""

    who: Party
    items: tuple[str, ...]
    retention: str
    back: str
    sent: tuple[str, ...] = ()
