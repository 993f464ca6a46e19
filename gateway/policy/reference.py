"""The law's rows as policy reads them: what of `mydata/reference` is written from the data of `consent`.

One fact is written once, in YAML, for pages and policy alike; a test holds the shipped data.json to it.
"""

from __future__ import annotations

from typing import Any

from consent.calendar import day_begins
from consent.law.fair_use import FairUse


def fair_use(table: FairUse) -> list[dict[str, Any]]:
    """`mydata.reference.fair_use`: one document a row, limits in days, moments in epoch seconds."""
    return [
        {
            "purpose": rule.purpose,
            "fetch": rule.fetch,
            "data": rule.data,
            "expiry_days": rule.expiry,
            "range_days": rule.range,
            "request_days": rule.request,
            "retention_days": rule.life,
            "windows": [{"days": window.days, "times": window.times} for window in rule.windows],
            "effective_on": rule.begins.isoformat(),
            "effective_from": day_begins(rule.begins),
            "article": None,
            "source": rule.source,
            "verified": "yes",
        }
        for rule in table.rules
    ]
