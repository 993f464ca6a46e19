"""What commands that change signing keys share: the keys as the settings say, and the ledger's part."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from consent.journal import Journal
from consent.subjects import SubjectKeys
from gateway.commands.store import opened
from gateway.keys import KeysError, SigningKeys
from gateway.keys.opening import open_keys
from gateway.registry import load_registry
from gateway.rotation import tell, tellings
from gateway.settings import Settings


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


async def tell_ledger(of: Opened, now: int) -> None:
    """Enter what the ledger does not know of these keys yet. The keys stand by now, whatever this raises."""
    operator = load_registry(of.settings.registry, plain_http=of.settings.profile == "demo").operator
    untold = tellings(of.house.manifest)
    async with opened(of.settings) as database, database.transaction() as session:
        for entry, idem in untold:
            await tell(session, of.journal, entry, idem, party=operator.code, at=now)
