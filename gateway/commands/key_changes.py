"""What commands that change signing keys share: the keys as the settings say, and the ledger's part."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from consent.events import Event
from consent.journal import Journal
from consent.subjects import SubjectKeys
from gateway.commands.store import opened
from gateway.keys import KeysError, SigningKeys
from gateway.keys.kek import Keks
from gateway.keys.opening import open_keys
from gateway.registry import load_registry
from gateway.rotation import tell, tellings
from gateway.settings import Settings

AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Opened:
    """The signing keys of these settings, and who writes in the ledger."""

    settings: Settings
    house: SigningKeys
    journal: Journal


def open_house(settings: Settings) -> Opened:
    """Read the keys. Raises KeysError; `keys_place_unusable` where keys are not changed by commands."""
    keys = open_keys(settings)
    if keys.house is None:
        raise KeysError("keys_place_unusable", "keys in variables are changed where the variables are set")
    return Opened(settings, keys.house, Journal(SubjectKeys(keys.subject_kek), socket.gethostname()))


async def rewrap(settings: Settings, keks: Keks, now: int) -> int:
    """Wrap every citizen's key under the first KEK, a few a transaction; how many were under another."""
    keys = SubjectKeys(keks)
    operator = load_registry(settings.registry, plain_http=settings.profile == "demo").operator
    journal, total, after = Journal(keys, socket.gethostname()), 0, ""
    async with opened(settings) as database:
        while True:
            async with database.transaction() as session:
                last, changed = await keys.rewrap(session, after, AT_ONCE)
            total += changed
            if last is None:
                break
            after = last
        if total:
            event, payload = Event.KEY_SUBJECTS_REWRAPPED, {"citizens": total}
            async with database.transaction() as session:
                await journal.append(
                    session, event, subject=None, party=operator.code, payload=payload, at=now
                )
    return total


async def tell_ledger(of: Opened, now: int) -> None:
    """Enter what the ledger does not know of these keys yet. The keys stand by now, whatever this raises."""
    operator = load_registry(of.settings.registry, plain_http=of.settings.profile == "demo").operator
    untold = tellings(of.house.manifest)
    async with opened(of.settings) as database, database.transaction() as session:
        for entry, idem in untold:
            await tell(session, of.journal, entry, idem, party=operator.code, at=now)
