"""The keys the settings name, wherever they lie."""

from __future__ import annotations

import time
from collections.abc import Callable

from gateway.keys.all import Keys
from gateway.keys.custody import Custody
from gateway.keys.environment import keys_from, take
from gateway.keys.folder import load_keys
from gateway.settings import Settings

HOUR_SECONDS = 3600


def open_keys(
    settings: Settings, *, now: int | None = None, refuse: Callable[[], bool] = lambda: False
) -> Keys:
    """The keys of this gateway as of `now`. Blocks; raises KeysError.

    `refuse` is asked before each call to another machine and MUST be true inside a database transaction.
    """
    if settings.key_store == "environment":
        return keys_from(take())
    return load_keys(
        settings.keys,
        places=places(settings, refuse),
        make_in=settings.key_store,
        overlap=settings.key_overlap_hours * HOUR_SECONDS,
        now=int(time.time()) if now is None else now,
    )


def places(settings: Settings, refuse: Callable[[], bool]) -> dict[str, Custody]:
    """The places beside the folder that the settings describe."""
    _ = settings, refuse
    return {}
