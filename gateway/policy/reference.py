"""The law's rows as policy reads them: what of `mydata/reference` is written from the data of `consent`.

One fact is written once, in YAML, for pages and policy alike; a test holds the shipped data.json to it.
"""

from __future__ import annotations

import json
from typing import Any

from consent.calendar import day_begins
from consent.catalogue import Catalogue, LegalBasis, SelfDownload
from consent.law.fair_use import FairUse
from gateway.policy.bundle import PolicyBundle, of

SECTORS = "mydata/reference/sectors/data.json"
YOUTH = "mydata/reference/youth/data.json"
DOWNLOADS = "mydata/reference/self_download/data.json"


def with_sectors(bundle: PolicyBundle, catalogue: Catalogue) -> PolicyBundle:
    """The policy with the rows of every sector and purpose of `catalogue` it does not know yet; else itself.

    What the policy says of one it knows is never changed from here. The revision names the new bytes.
    """
    reference = bundle.data.get("mydata", {}).get("reference", {})
    new = [sector for sector in catalogue.sectors if sector not in reference.get("sectors", {})]
    ages = {id: open_to for id, open_to in youth(catalogue).items() if id not in reference.get("youth", {})}
    if not new and not ages:
        return bundle
    sectors = {sector: _sector(catalogue, sector) for sector in new}
    own = {sector: [_dated(row) for row in catalogue.downloads if row.sector == sector] for sector in new}
    added = {
        path: json.dumps(rows, ensure_ascii=False, sort_keys=True).encode()
        for path, rows in ((SECTORS, sectors), (DOWNLOADS, own), (YOUTH, ages))
        if rows
    }
    return of({**bundle.files, **added})


def _sector(catalogue: Catalogue, sector: str) -> dict[str, Any]:
    reach = [one.history_max_days for one in catalogue.datasets.values() if one.sector == sector]
    rows = [row for row in catalogue.legal if row.sector == sector]
    return {"history_days": max(reach, default=0), "basis": [basis(row) for row in rows]}


def basis(row: LegalBasis) -> dict[str, Any]:
    """One row of `mydata.reference.sectors[...].basis`."""
    return {
        **_dated(row),
        "basis": row.basis,
        "recipients": list(row.recipients),
        "periodic": list(row.periodic),
        "operators": list(row.operators),
        "needs": list(row.needs),
    }


def _dated(row: LegalBasis | SelfDownload) -> dict[str, Any]:
    return {
        "article": row.article,
        "effective_on": row.effective_from.isoformat(),
        "effective_from": day_begins(row.effective_from),
        "source": row.source,
        "verified": "yes" if row.verified else "no",
    }


def youth(catalogue: Catalogue) -> dict[str, list[str]]:
    """`mydata.reference.youth`: by purpose the sectors somebody of 14 to 18 may agree to alone."""
    return {id: list(purpose.youth) for id, purpose in catalogue.purposes.items()}


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
