"""Nothing personal and nothing secret where it does not belong: canaries let through, then hunted.

A real gateway process at log level debug does the whole story and refuses a dozen things, some as holders
misbehave. Then its log, its errors, its metrics, the addresses it asked holders for, the exported ledger and
every byte of the database are searched for every canary in every spelling.
"""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote_plus

import pytest
import pytest_asyncio

from connectors.sandbox.faults import Fault
from gateway.bundles.open import open_bundle
from gateway.demo.citizen import Wishes
from gateway.demo.story import WISHES
from gateway.demo.world import mydata
from tests.faults.process import ProcessWorld, open_process_world
from tests.flows.messages import code_form, push, token
from tests.flows.overheard import Overheard

pytestmark = pytest.mark.asyncio(loop_scope="module")

MEMO = "hanbit-bank/finance.deposit-transactions/trans_memo"


@dataclass
class Hunt:
    """What the run left to search, and what must not be found."""

    canaries: dict[str, str]
    errors: list[str]
    urls: list[str]
    log: bytes
    metrics: bytes
    ledger: bytes
    store: bytes
    columns: dict[str, list[bytes]]

    def found(self, where: bytes, *, but: frozenset[str] = frozenset()) -> list[str]:
        """The names of the canaries that stand there in any spelling."""
        return [
            name
            for name, value in self.canaries.items()
            if name not in but and any(spelt in where for spelt in spellings(value))
        ]


def spellings(value: str) -> Iterator[bytes]:
    """How a value may look in text, JSON, an address, base64 or hex."""
    plain = value.encode()
    yield plain
    yield json.dumps(value)[1:-1].encode()
    yield quote(value).encode()
    yield plain.hex().encode()
    encoded = base64.urlsafe_b64encode(plain).rstrip(b"=")
    yield encoded[: len(plain) * 8 // 6]
    yield plain.decode().encode("utf-16-le")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hunt(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hunt]:
    """One whole run, then the game."""
    folder, heard = tmp_path_factory.mktemp("canaries"), Overheard()
    async with open_process_world(folder, around=heard.around, log_level="debug") as world:
        canaries, errors = await run(world)
        person = world.sandbox.people[0]
        canaries |= {
            "name": person.name,
            "connecting information": person.id,
            "phone": person.phone,
            "phone digits": "".join(c for c in person.phone if c.isdigit()),
            "resident number": person.resident_number,
            "address": person.address,
            "birth date": person.born.isoformat(),
            "account": person.accounts[0].account_num,
        }
        memos = {row.trans_memo for row in person.accounts[0].transactions if len(row.trans_memo) >= 8}
        canaries |= {f"memo {n}": memo for n, memo in enumerate(sorted(memos))}
        canaries |= {f"holder token {n}": one for n, one in enumerate(sorted(heard.tokens))}
        canaries |= {f"link {n}": one for n, one in enumerate(sorted(heard.links))}
        canaries |= {f"statement {n}": one for n, one in enumerate(sorted(heard.statements))}
        assert len(heard.links) == 5
        assert len(heard.tokens) >= 6
        assert person.accounts[0].account_num.encode() in heard.answered
        metrics = (await world.http.get(f"{world.origin}/metrics")).content
        await mydata("ledger", "export", str(folder / "export"), "--config", str(folder / "gateway.yaml"))
        await world.kill()
        yield Hunt(
            canaries,
            errors,
            heard.urls,
            world.said().encode(),
            metrics,
            b"".join(file.read_bytes() for file in (folder / "export").rglob("*") if file.is_file()),
            b"".join(file.read_bytes() for file in folder.glob("mydata.db*")),
            columns(folder / "mydata.db"),
        )


def columns(file: Path) -> dict[str, list[bytes]]:
    """Every value of every column of the store."""
    with sqlite3.connect(file) as store:
        store.row_factory = sqlite3.Row
        tables = [row[0] for row in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found: dict[str, list[bytes]] = {}
        for table in tables:
            for row in store.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - names from the store itself
                for name in row.keys():  # noqa: SIM118 - a Row iterates over its values
                    value = row[name]
                    data = value if isinstance(value, bytes) else str(value).encode()
                    found.setdefault(f"{table}.{name}", []).append(data)
    return found


async def run(world: ProcessWorld) -> tuple[dict[str, str], list[str]]:
    """The whole story with a memo agreed to, then every kind of refusal; secrets used, errors answered."""
    company, citizen = await world.company(), await world.citizen()
    done = await citizen.answer(
        await world.question(company, citizen), "agree", Wishes(items=WISHES.items, fields=(MEMO,))
    )
    answer = await citizen.return_to_company(done)
    assertion = company._assertion()
    answered = await token(company, **{**code_form(company, answer), **assertion})
    company.tokens = answered.json()
    transfer = await world.settled(company, await company.ask_transfer("canaries-fly"))
    sealed = await company.download(transfer["bundle"].rsplit("/", 1)[1])
    jwks = (await world.http.get(company.metadata["jwks_uri"])).json()
    opened = open_bundle(sealed, company.keys.sealing_private(), jwks)
    assert b"trans_memo" in opened.parts["hanbit-bank.finance.deposit-transactions.ndjson"]
    canaries = {
        "access token": company.tokens["access_token"],
        "refresh token": company.tokens["refresh_token"],
        "code": answer["code"],
        "client assertion": assertion["client_assertion"],
        "verifier": company._verifier,
        "session": next(c.value for c in citizen.browser.http.cookies.jar if c.name == "mydata") or "",
    }
    errors = await refusals(world, company, answer, assertion)
    errors += await with_bad_holders(world)
    consent = next(link for link in done.links if "/my/consents/c-" in link).split("/my/consents/")[1]
    await citizen.withdraw(consent.split("/")[0])
    errors.append((await company.call("GET", transfer["bundle"])).text)
    return canaries, errors


async def refusals(
    world: ProcessWorld, company: Any, answer: dict[str, str], assertion: dict[str, str]
) -> list[str]:
    """What the doors say to requests that are full of secrets and personal values, all of them wrong."""
    person = world.sandbox.people[0]
    refresh = {"grant_type": "refresh_token", "refresh_token": company.tokens["refresh_token"]}
    personal = world.asked()
    personal[0]["holder"] = person.name
    responses = [
        await token(company, **{**code_form(company, answer), **assertion}),
        await token(company, **{**refresh, "authorization_details": json.dumps([{"x": person.name}])}),
        await push(company, client_assertion=assertion["client_assertion"]),
        await push(company, state=person.resident_number * 80),
        await push(company, redirect_uri=f"https://x.example/?{person.phone}"),
        await company.call(
            "POST",
            f"{world.origin}/transfers",
            headers={"Idempotency-Key": person.phone},
            content=person.name.encode(),
        ),
        await company.call("POST", f"{world.origin}/transfers?name={quote(person.name)}"),
        await company.call("GET", f"{world.origin}/transfers/{quote(person.resident_number)}"),
        await company.call("GET", f"{world.origin}/bundles/{quote(person.id)}"),
        await world.http.get(
            f"{world.origin}/authorize?code={answer['code']}&client_id={quote(person.name)}"
        ),
        await world.http.get(f"{world.origin}/sign-in/return?code={answer['code']}&state={person.phone}"),
        await world.http.get(f"{world.origin}/{quote(person.name)}/{company.tokens['access_token']}"),
        await world.http.post(f"{world.origin}/token", content=b"\xff\xfe" + person.name.encode()),
    ]
    assert all(r.status_code >= 400 for r in responses), [r.status_code for r in responses]
    return [r.text for r in responses]


async def with_bad_holders(world: ProcessWorld) -> list[str]:
    """A second transfer from holders that answer nonsense full of personal data; what the doors say of it."""
    for holder, fault in zip(
        world.faults.values(),
        (Fault.MALFORMED, Fault.TRUNCATED, Fault.MALFORMED, Fault.CUT, Fault.ANOTHERS_ANSWER),
        strict=True,
    ):
        holder.add(fault, path="/v1")
        holder.add(fault, path="/espi")
        holder.add(fault, path="/fhir")
    given = await world.given()
    transfer = await world.settled(given.company, await given.company.ask_transfer("bad-holders"))
    assert any(one["outcome"] in {"failed", "partial"} for one in transfer["items"])
    for faults in world.faults.values():
        faults.clear()
    status = await given.company.call("GET", f"{world.origin}/transfers/{transfer['id']}")
    return [status.text, (await given.citizen.look(given.consent_id)).text]


async def test_the_hunt_can_find(hunt: Hunt) -> None:
    """There are canaries of every kind, and each would be found in each spelling."""
    assert {
        "name",
        "account",
        "access token",
        "refresh token",
        "code",
        "link 0",
        "memo 0",
    } <= hunt.canaries.keys()
    assert all(len(value) >= 2 for value in hunt.canaries.values())
    for name, value in hunt.canaries.items():
        for spelt in spellings(value):
            assert name in hunt.found(b"xx" + spelt + b"yy"), name
    assert b'"level": "debug"' in hunt.log
    assert b"POST /transfers" in hunt.log
    assert all(b"deundeun-budget" in place for place in (hunt.store, hunt.ledger))
    assert {b"deundeun-budget"} == set(hunt.columns["transfer.client_id"])


async def test_the_log_is_clean(hunt: Hunt) -> None:
    """Not one canary in anything the process wrote, at level debug."""
    assert hunt.found(hunt.log) == []


async def test_the_errors_are_clean(hunt: Hunt) -> None:
    """Not one canary comes back in an error body or a status."""
    for error in hunt.errors:
        assert hunt.found(error.encode()) == [], error[:500]


async def test_the_metrics_are_clean(hunt: Hunt) -> None:
    """No label carries a value of a request."""
    assert hunt.found(hunt.metrics) == []


async def test_the_addresses_are_clean(hunt: Hunt) -> None:
    """Addresses asked of holders and identity provider name nobody and carry no token."""
    assert len(hunt.urls) > 20
    for url in hunt.urls:
        assert hunt.found(url.encode()) == [], url
        assert hunt.found(unquote_plus(url).encode()) == [], url


async def test_the_exported_ledger_is_clean(hunt: Hunt) -> None:
    """What a regulator takes away names nobody."""
    assert len(hunt.ledger) > 1000
    assert hunt.found(hunt.ledger) == []


async def test_every_column_is_clean(hunt: Hunt) -> None:
    """No column of any table holds a canary in clear; sealed bundles need no exception."""
    dirty = {
        column: found for column, values in hunt.columns.items() if (found := hunt.found(b"\0".join(values)))
    }
    assert dirty == {}


async def test_every_byte_of_the_store_is_clean(hunt: Hunt) -> None:
    """Nor does any page of the files, freed ones and the write-ahead log included."""
    assert hunt.found(hunt.store) == []
