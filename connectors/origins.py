"""Origin pinning: no request of a holder ever leaves the holder's own origin."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from connectors.contract import Reason
from connectors.errors import HolderError

_PORTS = {"http": 80, "https": 443}


def origin_of(url: str) -> tuple[str, str, int] | None:
    """Scheme, host, port of an absolute http(s) URL without user name; None for anything else."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname or "@" in parts.netloc:
        return None
    return parts.scheme, parts.hostname, port or _PORTS[parts.scheme]


def inside(origin: str, reference: str, base: str = "/") -> str:
    """Resolve `reference` against `base` (a path or URL of this holder); the absolute URL inside `origin`.

    Raises HolderError(FOREIGN_NEXT) when it leaves the origin or is no usable reference: the guard
    against a holder that points the gateway at somebody else, or at the inside of our own network.
    """
    if not reference or reference != reference.strip() or any(c in reference for c in '\\<>"\r\n\t'):
        raise HolderError(Reason.FOREIGN_NEXT, "a link of the holder is not a usable address")
    try:
        url = urljoin(urljoin(origin, base), reference)
    except ValueError:
        raise HolderError(Reason.FOREIGN_NEXT, "a link of the holder is not a usable address") from None
    if origin_of(url) is None or origin_of(url) != origin_of(origin):
        raise HolderError(Reason.FOREIGN_NEXT, "a link of the holder leads away from the holder")
    return url.partition("#")[0]
