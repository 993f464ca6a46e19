"""The keys the settings name, wherever they lie."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping

from gateway.keys.all import Keys
from gateway.keys.custody import Custody
from gateway.keys.environment import PREFIX, keys_from, take
from gateway.keys.folder import load_keys
from gateway.keys.pkcs11 import Pkcs11Custody
from gateway.keys.vault import VaultCustody, token_from
from gateway.settings import Settings

HOUR_SECONDS = 3600


def open_keys(
    settings: Settings, *, now: int | None = None, refuse: Callable[[], bool] = lambda: False
) -> Keys:
    """The keys of this gateway as of `now`. Blocks; raises KeysError.

    `refuse` is asked before each call to a device or machine and MUST be true inside a database transaction.
    """
    given = take()
    if settings.key_store == "environment":
        return keys_from(given)
    return load_keys(
        settings.keys,
        places=places(settings, given, refuse),
        make_in=settings.key_store,
        overlap=settings.key_overlap_hours * HOUR_SECONDS,
        now=int(time.time()) if now is None else now,
    )


def places(settings: Settings, given: Mapping[str, str], refuse: Callable[[], bool]) -> dict[str, Custody]:
    """The places beside the folder that the settings describe, used for new keys or only for old ones."""
    found: dict[str, Custody] = {}
    if settings.pkcs11_module is not None:
        pin = given.get(f"{PREFIX}PIN", "")
        custody = Pkcs11Custody(settings.pkcs11_module, settings.pkcs11_token, pin, refuse=refuse)
        found[custody.place] = custody
    if settings.vault_url is not None:
        tls = ssl.create_default_context()
        if settings.ca is not None:
            tls.load_verify_locations(settings.ca)
        token = token_from(settings.vault_token_file, given.get(f"{PREFIX}VAULT_TOKEN"))
        vault = VaultCustody(settings.vault_url, token, tls, mount=settings.vault_mount, refuse=refuse)
        found[vault.place] = vault
    return found
