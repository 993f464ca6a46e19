"""The story: from a pushed request to a verified bundle, a withdrawal, and a ledger checked offline."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx

from connectors.sandbox.people import people
from gateway.bundles.open import Opened, open_bundle
from gateway.demo import company_endings
from gateway.demo.browser import Browser, Page
from gateway.demo.checks import Story
from gateway.demo.citizen import Citizen, Wishes
from gateway.demo.company import Company, CompanyError
from gateway.demo.participants import CLIENT, HOLDERS, details
from gateway.demo.world import World

PAID = "nuri-telecom/telecom.paid-transactions"
"""Asked for every week by a general recipient (일반수신자): the rules refuse it."""

WISHES = Wishes(
    items=(
        PAID,
        "haeoreum-energy/energy.electricity-usage",
        "dadam-market/retail.orders",
        "saebom-hospital/medical.observations",
    ),
)
NOT_TICKED = "nuri-telecom/telecom.contracts"
"""Offered, and left alone."""


@dataclass
class Cast:
    """Who acts, and what they hold so far."""

    world: World
    story: Story
    company: Company
    citizen: Citizen
    http: httpx.AsyncClient
    asked: list[dict[str, Any]]
    address: str = ""
    page: Page | None = None
    consent_id: str = ""
    transfer: dict[str, Any] = field(default_factory=dict)
    sealed: bytes = b""
    opened: Opened | None = None
    receipt: bytes = b""


def cast_of(
    world: World, story: Story, http: httpx.AsyncClient, visits: httpx.AsyncClient, person: str
) -> Cast:
    """The company and the citizen of `world`. `visits` is the citizen's own client, with cookies."""
    origin = world.gateway.origin
    today = world.plan.today
    asked = details(
        today.isoformat(),
        (today - timedelta(days=180)).isoformat(),
        (today + timedelta(days=180)).isoformat(),
    )
    company = Company(http, origin, CLIENT, world.company_keys, world.redirect_uri)
    citizen = Citizen(Browser(visits, world.origins), origin, person)
    story.facts["personal"] = _personal(world, person)
    return Cast(world, story, company, citizen, http, asked)


def _personal(world: World, handle: str) -> tuple[str, ...]:
    """What must turn up nowhere it does not belong: the citizen's name and numbers."""
    everybody = people(world.plan.seed, today=world.plan.today)
    person = next(one for one in everybody if one.handle == handle)
    accounts = (account.account_num for account in person.accounts)
    contracts = (contract.mgmt_id for contract in person.contracts)
    return (person.id, person.name, person.phone, person.resident_number, *accounts, *contracts)


def found(cast: Cast, data: bytes) -> str:
    """Which of the citizen's name and numbers stand in `data`, by place; empty when none does."""
    personal = cast.story.facts["personal"]
    return ", ".join(str(place) for place, one in enumerate(personal) if one.encode() in data)


async def discover_and_push(cast: Cast) -> None:
    """The company finds the server and pushes its request."""
    cast.story.step(
        "The company discovers the gateway and pushes its request (PAR, private_key_jwt, DPoP, PKCE)"
    )
    metadata = await cast.company.discover()
    cast.story.check("only pushed requests are accepted", metadata["require_pushed_authorization_requests"])
    cast.address = await cast.company.push(cast.asked)
    cast.story.check("the pushed request got a one-time address", "request_uri=" in cast.address)


async def sign_in_and_read(cast: Cast) -> None:
    """The citizen signs in and reads the consent page."""
    cast.story.step("The citizen signs in and reads the consent page")
    cast.page = await cast.citizen.sign_in(cast.address)
    boxes = cast.citizen.boxes(cast.page)
    cast.story.check("the consent page is shown", cast.page.status == 200, f"{len(boxes)} boxes")
    cast.story.check("no box came ticked", boxes and not any(boxes.values()))
    offered = (*WISHES.items, NOT_TICKED)
    missing = [f"item={name}" for name in offered if f"item={name}" not in boxes]
    cast.story.check("every optional item has its own box", not missing, ", ".join(missing))


async def answer(cast: Cast) -> None:
    """Some boxes ticked, others not; back to the company with a code; a token for one grant."""
    cast.story.step(
        "The citizen ticks some items, leaves others, agrees; the company gets a token bound to its key"
    )
    if cast.page is None:
        raise RuntimeError("there is no page to answer")
    done = await cast.citizen.answer(cast.page, "agree", WISHES)
    cast.story.check(
        "the answer is confirmed with a reference", done.status == 200 and done.url.endswith("/done")
    )
    cast.consent_id = next(link for link in done.links if "/my/consents/c-" in link).split("/my/consents/")[1]
    cast.consent_id = cast.consent_id.split("/")[0]
    tokens = await cast.company.exchange(await cast.citizen.return_to_company(done))
    granted = {
        f"{one['holder']}/{item['dataset']}": item["fields"]
        for one in tokens["authorization_details"]
        for item in one["items"]
    }
    cast.story.facts["consented"] = granted
    cast.story.check("the token is bound to the company's key", tokens.get("token_type") == "DPoP")
    cast.story.check("the token names one grant", bool(tokens.get("grant_id")))
    bank = granted.get("hanbit-bank/finance.deposit-transactions", [])
    narrowed = "trans_memo" not in bank and NOT_TICKED not in granted
    cast.story.check("what was not ticked is not granted", bank and narrowed)


async def transfer(cast: Cast) -> None:
    """Policy decides, five holders are pulled, the bundle is released."""
    cast.story.step("A transfer is asked for: policy decides, five holders are pulled side by side")
    status = await cast.company.ask_transfer("demo-transfer-0001")
    again = await cast.company.ask_transfer("demo-transfer-0001")
    cast.story.check("asking again with the same key is the same transfer", again["id"] == status["id"])
    decision = status["decision"]
    refused = {one["item"]: one for one in decision["withheld"]}
    cast.story.facts["decision"] = decision
    cast.story.check(
        "one item is withheld by rule",
        refused.get(PAID, {}).get("code") == "periodic_to_general_recipient",
        refused.get(PAID, {}).get("article", ""),
    )
    for _ in range(600):
        if status["state"] in {"ready", "failed", "cancelled"}:
            break
        await asyncio.sleep(0.05)
        status = await cast.company.transfer(status["id"])
    cast.transfer = status
    cast.story.check("the bundle is ready", status["state"] == "ready", status["reason"])
    sent = {one["item"].split("/")[0] for one in status["items"] if one["sent"]}
    cast.story.check("all five holders sent records", len(sent) == len(HOLDERS), ", ".join(sorted(sent)))


async def open_it(cast: Cast) -> None:
    """The company downloads the bundle, verifies and opens it."""
    cast.story.step("The company downloads the bundle, verifies and opens it")
    cast.sealed = await cast.company.download(cast.transfer["bundle"].rsplit("/", 1)[1])
    jwks = (await cast.http.get(cast.company.metadata["jwks_uri"])).json()
    key = cast.world.company_keys.sealing_private()
    cast.opened = open_bundle(cast.sealed, key, jwks, issuer=cast.world.gateway.origin)
    manifest = cast.opened.manifest
    cast.story.facts["manifest"] = manifest
    cast.story.check("the bundle verifies and opens", manifest["recipient"]["id"] == CLIENT)
    cast.story.check("it is stamped sandbox", manifest.get("stamp") == "sandbox")
    text = b"".join(cast.opened.parts.values())
    cast.story.check(
        "it holds records", manifest["risk"]["records"] > 0, f"{manifest['risk']['records']} records"
    )
    names = found(cast, text)
    cast.story.check("no name or number of the citizen is in it", not names, names)


async def look(cast: Cast) -> None:
    """The citizen sees what was asked, sent, missing and why, and takes the receipt."""
    cast.story.step("The citizen looks: asked, sent, missing and why; and keeps the receipt")
    page = await cast.citizen.look(cast.consent_id)
    cast.story.check("what was really sent is shown", page.status == 200 and "한빛은행" in page.text)
    cast.story.check("the withheld item shows its article", "42조의5" in page.text or "42-5" in page.text)
    response = await cast.citizen.browser.http.get(
        next(link for link in page.links if link.endswith("/receipt"))
    )
    cast.receipt = response.content.strip()
    cast.story.check(
        "the receipt is a signed document", response.status_code == 200 and cast.receipt.count(b".") == 2
    )


async def withdraw(cast: Cast) -> None:
    """The citizen withdraws; the token and the next transfer are refused with the reason."""
    cast.story.step("The citizen withdraws: the token, the next transfer and the refresh are refused")
    given, before = len(cast.citizen.browser.visited), 0
    page = await cast.citizen.withdraw(cast.consent_id, delete=True)
    before = len(cast.citizen.browser.visited) - given
    cast.story.check("the withdrawal is confirmed", page.status == 200, f"{before} page views")
    for name, call in (
        ("the old token", lambda: cast.company.transfer(cast.transfer["id"])),
        ("the next transfer", lambda: cast.company.ask_transfer("demo-transfer-0002")),
        ("the bundle", lambda: cast.company.download(cast.transfer["bundle"].rsplit("/", 1)[1])),
        ("a refresh", cast.company.refresh),
    ):
        cast.story.check(f"{name} is refused: the consent was withdrawn", *await _refusal(call))


async def delete(cast: Cast) -> None:
    """The company hears of the withdrawal, acknowledges it, and states what it deleted."""
    cast.story.step("The company acknowledges the withdrawal and certifies that it deleted")
    own = await company_endings.own_doors(cast.company)
    told = await company_endings.deletion_instruction(own, cast.consent_id)
    cast.story.check("the company is told to delete", told is not None)
    if told is not None:
        signed = company_endings.certificate(own, told)
        kept = await company_endings.certify(own, cast.consent_id, signed)
        cast.story.check("its signed certificate is kept", bool(kept["certified_at"]))
    await company_endings.acknowledge(own, cast.consent_id)
    page = await cast.citizen.look(cast.consent_id)
    said = any(link.endswith("/deletion-certificate") for link in page.links)
    cast.story.check("the citizen sees the company's statement", said)


async def _refusal(call: Callable[[], Awaitable[Any]]) -> tuple[bool, str]:
    try:
        await call()
    except CompanyError as error:
        return error.code == "consent_withdrawn", error.code
    return False, "it was answered"


STEPS: tuple[Callable[[Cast], Awaitable[None]], ...] = (
    discover_and_push,
    sign_in_and_read,
    answer,
    transfer,
    open_it,
    look,
    withdraw,
    delete,
)
