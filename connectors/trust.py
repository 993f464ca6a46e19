"""The certification authorities this machine trusts, read from its disk once in a process."""

from __future__ import annotations

import ssl
from functools import cache


@cache
def machine_trust() -> ssl.SSLContext:
    """The context of the machine's own list, shared: it MUST NOT be changed. Reading the list costs 25 ms."""
    return ssl.create_default_context()
