"""docs/retention.md, written from the schedule: `python -m gateway.retention.paper > docs/retention.md`."""

from __future__ import annotations

import sys
from importlib import resources

from gateway.retention.schedule import Rule, schedule


def page() -> str:
    """The whole page; what is told of a table is told by its rule and nowhere else."""
    rules = schedule().values()
    ended = "\n".join(_ended(rule) for rule in rules if rule.job)
    kept = "\n".join(f"| `{rule.table}` | {rule.kept} | {rule.why} |" for rule in rules if rule.kept)
    laws = {rule.law.article: rule.law for rule in rules if rule.law}
    duties = "\n".join(
        f"| {law.article} | {law.source} | {'yes' if law.verified else 'no'} |" for law in laws.values()
    )
    words = resources.files("gateway.retention").joinpath("page.md").read_text(encoding="utf-8")
    return words.format(ended=ended, kept=kept, duties=duties)


def _ended(rule: Rule) -> str:
    law = rule.law.article if rule.law else ""
    span = "at once" if not rule.seconds else f"{rule.span}"
    return f"| `{rule.table}` | {rule.ends} | {span} | {rule.then} | {law} | {rule.why} |"


if __name__ == "__main__":
    sys.stdout.write(page())
