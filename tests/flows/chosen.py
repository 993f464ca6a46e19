"""Choosing on the consent page as the thirteenth person does, and what came of it: shared by flow tests."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from gateway.bundles.open import open_bundle
from gateway.demo.browser import Field, Page
from tests.world import Given, World

BANK = "hanbit-bank/finance.deposit-transactions"
BILLS = "nuri-telecom/telecom.bills"
METER = "haeoreum-energy/energy.electricity-usage"
WHO = "p13"


@dataclass(frozen=True)
class Asked:
    """A question on the page of the person with several accounts."""

    world: World
    given: Given
    page: Page

    def boxes(self, item: str) -> list[str]:
        """The boxes of single accounts of an item."""
        form = self.page.form("decision")
        values = [field.value for field in form.fields if field.name == "account"]
        return [one for one in values if one.startswith(f"{item}/") and not one.endswith("/all")]

    async def answer(self, **choose: Any) -> Page:
        """Agree with these controls set."""
        browser, form = self.given.citizen.browser, self.page.form("decision")
        return await browser.submit(self.page, form, {"decision": "agree", **choose})

    async def agreed(self, **choose: Any) -> Given:
        """The same, to tokens."""
        done = await self.answer(**choose)
        assert done.url.endswith("/done"), done.words[:600]
        link = next(link for link in done.links if "/my/consents/c-" in link)
        back = await self.given.citizen.return_to_company(done)
        tokens = await self.given.company.exchange(back)
        consent = link.split("/my/consents/")[1].split("/")[0]
        return Given(self.given.company, self.given.citizen, consent, tokens)


async def question(world: World, asked: list[dict[str, Any]] | None = None, language: str = "ko") -> Asked:
    """A fresh question before the person with several accounts."""
    company, citizen = await world.company(), await world.citizen(WHO, language)
    page = await world.question(company, citizen, asked)
    return Asked(world, Given(company, citizen, "", {}), page)


def everything(asked: Asked, *items: str) -> list[str]:
    """The boxes that say all accounts, of the items that have one."""
    values = {field.value for field in asked.page.form("decision").fields if field.name == "account"}
    return [f"{item}/all" for item in items if f"{item}/all" in values]


def account_boxes(page: Page) -> list[Field]:
    """The boxes of accounts on the narrowing page."""
    return [one for one in page.form("version").fields if one.name == "account"]


def others(page: Page, item: str) -> list[str]:
    """What is ticked there for the accounts of other items."""
    return [one.value for one in account_boxes(page) if one.checked and not one.value.startswith(f"{item}/")]


async def sent(
    world: World, given: Given, key: str = "the-first-transfer"
) -> tuple[dict[str, Any], dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """A transfer's status, its manifest, and its records by item."""
    transfer = await world.settled(given.company, await given.company.ask_transfer(key))
    assert transfer["state"] == "ready", transfer
    sealed = await given.company.download(transfer["bundle"].rsplit("/", 1)[1])
    jwks = (await world.http.get(given.company.metadata["jwks_uri"])).json()
    bundle = open_bundle(sealed, given.company.keys.sealing_private(), jwks, issuer=world.origin)
    rows = {
        name.removesuffix(".ndjson").replace(".", "/", 1): [json.loads(line) for line in body.splitlines()]
        for name, body in bundle.parts.items()
    }
    return transfer, bundle.manifest, rows


def source(manifest: dict[str, Any], item: str) -> dict[str, Any]:
    """What the manifest says of one item's source."""
    found: dict[str, Any] = next(s for s in manifest["sources"] if f"{s['holder']}/{s['dataset']}" == item)
    return found
