"""docs/law.md, written from the rows of the law: `python -m consent.law.paper > docs/law.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib import resources

from consent.catalogue import LegalBasis, SelfDownload, load
from consent.law.fair_use import Rule, fair_use
from consent.law.rows import Duty, Fact, SelfCheck, duties, facts, self_check, sources
from consent.refusal_grounds import GroundInLaw, grounds


def page() -> str:
    """The whole page; what is told of a law is told by its row and nowhere else."""
    words = resources.files("consent.law").joinpath("page.md").read_text(encoding="utf-8")
    catalogue = load()
    bases = [
        *(_basis(row.basis, row) for row in catalogue.legal),
        *(_basis("self-download", row) for row in catalogue.downloads),
    ]
    return words.format(
        duties=_lines(_duty(duty) for duty in duties()),
        sources="\n".join(f"* `{name}`: {text}" for name, text in sources().items()),
        bases=_lines(bases),
        facts=_lines(_fact(kind, fact) for kind, rows in _facts() for fact in rows),
        grounds=_lines(_ground(ground) for ground in grounds().values()),
        fair_use=_lines(_rule(rule) for rule in fair_use().rules),
        self_check=_lines(_check(line) for line in self_check()),
    )


def _facts() -> Iterable[tuple[str, tuple[Fact, ...]]]:
    every = facts()
    yield "recipient", every.recipient_kinds
    yield "age", every.ages
    yield "cycle", every.cycles
    yield "kept", every.retention
    yield "out of scope", every.exclusions


def _lines(rows: Iterable[str]) -> str:
    return "\n".join(rows)


def _basis(basis: str, row: LegalBasis | SelfDownload) -> str:
    what = f"| {row.sector} | {basis} | {row.article} | {row.effective_from} "
    return f"{what}| {_yes(row.verified)} | {row.source} |"


def _duty(duty: Duty) -> str:
    code, tests = _names(duty.code), _names(duty.tests)
    read = f"{duty.read}, {_yes(duty.verified)}"
    return f"| {duty.en} ({duty.ko}) | {duty.cite} | {duty.begins} | {read} | {code} | {tests} |"


def _fact(kind: str, fact: Fact) -> str:
    days = f"{fact.begins} to {fact.until}" if fact.until else f"{fact.begins}"
    value = "" if fact.value is None else str(fact.value)
    words = f"{fact.text['en']} ({fact.text['ko']})"
    what = f"| {kind}: {fact.id} | {fact.sector} | {words} | {value} "
    return f"{what}| {fact.article} | {days} | {_yes(fact.verified)} |"


def _ground(one: GroundInLaw) -> str:
    words = f"{one.words['en']} ({one.words['ko']})"
    reasons = _names(one.reasons) or "-"
    return f"| {one.article} | `{one.ground}` | {words} | {reasons} | {_yes(one.verified)} |"


def _rule(rule: Rule) -> str:
    limits = (rule.expiry, rule.range, rule.request, rule.life)
    windows = ", ".join(f"{window.times} in {window.days} d" for window in rule.windows)
    cells = " | ".join("-" if limit is None else f"{limit} d" for limit in limits)
    return f"| {rule.purpose} | {rule.fetch} | {rule.data} | {cells} | {windows} | {rule.source} |"


def _check(line: SelfCheck) -> str:
    own = f"yes: {_names(line.own_tests)}" if line.ours else "no"
    return f"| {line.line} | {line.en} ({line.ko}) | `{line.test}` | {own} | {line.why} |"


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _yes(verified: bool) -> str:
    return "yes" if verified else "no"


if __name__ == "__main__":
    sys.stdout.write(page())
