"""The citizen of the demo: signs in, reads, ticks some boxes and not others, looks again, withdraws."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.demo.browser import Browser, Left, Page


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the citizen ticks. Everything else stays as the page shows it: unticked."""

    items: tuple[str, ...]
    fields: tuple[str, ...] = ()


class Citizen:
    """One person with a browser at the gateway and the sandbox identity provider."""

    def __init__(self, browser: Browser, gateway: str, person: str) -> None:
        """Be the sandbox person whose handle is `person`."""
        self.browser, self.gateway, self.person = browser, gateway, person

    async def sign_in(self, address: str) -> Page:
        """Follow `address`; on the way choose who to be at the identity provider. Ends where it led."""
        page = await self.browser.open(address)
        start = next(link for link in page.links if "/sign-in/start" in link)
        provider = await self.browser.open(start)
        return await self.browser.submit(provider, provider.form("person"), {"person": self.person})

    def boxes(self, page: Page) -> dict[str, bool]:
        """Every box of the consent page and whether it came ticked."""
        form = page.form("decision")
        return {f"{f.name}={f.value}": f.checked for f in form.fields if f.kind == "checkbox"}

    async def answer(self, page: Page, decision: str, wishes: Wishes) -> Page:
        """Send the page's form with the wished boxes ticked."""
        form = page.form("decision")
        choose: dict[str, str | list[str] | None] = {
            "decision": decision,
            "item": list(wishes.items),
            "field": list(wishes.fields),
        }
        return await self.browser.submit(page, form, choose)

    async def return_to_company(self, done: Page) -> dict[str, str]:
        """Take the link back; the answer the browser carries to the company."""
        link = next(link for link in done.links if "/authorize/resume/" in link)
        try:
            page = await self.browser.open(link)
        except Left as left:
            return left.query
        raise RuntimeError(f"the way back ended at {page.status} {page.words[:200]}")

    async def look(self, consent_id: str) -> Page:
        """The page of one consent: requested, sent, missing and why."""
        return await self.browser.open(f"{self.gateway}/my/consents/{consent_id}")

    async def withdraw(self, consent_id: str, *, delete: bool = False) -> Page:
        """From the consent's page: the consequence, one confirmation, done; `delete` ticks that, too."""
        page = await self.look(consent_id)
        address = next(link for link in page.links if link.endswith("/withdraw"))
        asked = await self.browser.open(address)
        choice: dict[str, str | list[str] | None] = {
            "decision": "withdraw",
            "delete": "yes" if delete else None,
        }
        return await self.browser.submit(asked, asked.form("decision"), choice)
