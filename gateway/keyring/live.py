"""The ring of now: swapped while doors are open, one and the same within a request."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from gateway.keyring.jwk import PublicKey
from gateway.keyring.key import SigningKey
from gateway.keyring.ring import Given, Keyring, Result

_held: ContextVar[dict[int, Keyring] | None] = ContextVar("mydata_keyring_held", default=None)


class LiveKeyring:
    """Gives out the newest ring, or the one the present request began with. `swap` is atomic."""

    def __init__(self, ring: Keyring) -> None:
        """Begin with `ring`."""
        self._newest = ring

    @property
    def newest(self) -> Keyring:
        """The ring as it was last swapped, whatever the present request uses."""
        return self._newest

    @property
    def ring(self) -> Keyring:
        """The ring of the present request (`one_ring`), else the newest."""
        held = _held.get()
        return self._newest if held is None else held.setdefault(id(self), self._newest)

    def swap(self, ring: Keyring) -> None:
        """Give out `ring` from now on. Requests that began before keep theirs."""
        self._newest = ring

    @property
    def keys(self) -> tuple[SigningKey, ...]:
        """The keys that sign."""
        return self.ring.keys

    @property
    def algorithms(self) -> tuple[str, ...]:
        """See `Keyring.algorithms`."""
        return self.ring.algorithms

    @property
    def current(self) -> SigningKey:
        """The key that signs unless another algorithm is asked for."""
        return self.ring.current

    def sign(self, claims: Mapping[str, Any], typ: str) -> str:
        """See `Keyring.sign`."""
        return self.ring.sign(claims, typ)

    def signing(self, alg: str) -> SigningKey:
        """See `Keyring.signing`."""
        return self.ring.signing(alg)

    def public(self, kid: str) -> PublicKey | None:
        """See `Keyring.public`; always by the newest ring, so a key taken out fails at once."""
        return self._newest.public(kid)

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """See `Keyring.jwks`."""
        return self._newest.jwks()

    async def offload(
        self, work: Callable[Given, Result], *args: Given.args, **kwargs: Given.kwargs
    ) -> Result:
        """See `Keyring.offload`."""
        return await self.ring.offload(work, *args, **kwargs)


@contextmanager
def one_ring() -> Iterator[None]:
    """Inside, a LiveKeyring signs with one and the same ring, the newest at its first use."""
    token = _held.set({})
    try:
        yield
    finally:
        _held.reset(token)
