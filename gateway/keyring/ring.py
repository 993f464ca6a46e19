"""What signs: immutable keys whose names are their RFC 7638 thumbprints, and the ring they hang on.

    ring.sign(claims, typ)             ES256, what every resource and verifier accepts
    ring.signing("PS256").sign(...)    by the algorithm a consumer registered (FAPI 2.0 5.4.1)

A `Keyring` never changes after it is made; rotation swaps the one a `LiveKeyring` gives out, and
`one_ring()` holds a request to the ring it began with. `repr` shows names only. A key may lie in another
machine: then `slow` is true and signing blocks its thread, so doors go through `Signing.offload`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ParamSpec, Protocol, TypeVar

from gateway.keyring.jwk import ALGORITHMS, PublicKey, kid_of, public_jwk
from gateway.keyring.key import KeyringError, SigningKey

Given = ParamSpec("Given")
Result = TypeVar("Result")


class Signing(Protocol):
    """What consumers hold: signs with the keys of now, verifies with every key still published."""

    @property
    def ring(self) -> Keyring:
        """The ring to use for the work at hand. Immutable."""

    @property
    def newest(self) -> Keyring:
        """The ring that is published now."""

    def sign(self, claims: Mapping[str, Any], typ: str) -> str:
        """Sign with the default key; see `SigningKey.sign`."""

    def signing(self, alg: str) -> SigningKey:
        """The key that signs by `alg` now; KeyringError `signing_alg_unavailable` if there is none."""

    def public(self, kid: str) -> PublicKey | None:
        """The verifying key named `kid`, if it is still published."""

    async def offload(
        self, work: Callable[Given, Result], *args: Given.args, **kwargs: Given.kwargs
    ) -> Result:
        """`work(...)`, which may sign: in a thread (same context) when a key is slow, else here and now."""


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys that sign, one an algorithm, the default's first; and those only published. Immutable."""

    keys: tuple[SigningKey, ...]
    published: tuple[PublicKey, ...] = ()
    """Announced or retired keys: they verify, they do not sign."""
    past: tuple[Mapping[str, Any], ...] = ()
    """The JWKs of every key that ever signed or will, with `nbf`, and `revoked` for those taken out."""
    _by_kid: dict[str, PublicKey] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(
            self,
            "_by_kid",
            {kid_of(public): public for public in self.published}
            | {key.kid: key.public() for key in self.keys},
        )

    @property
    def ring(self) -> Keyring:
        """This very ring."""
        return self

    @property
    def newest(self) -> Keyring:
        """This very ring."""
        return self

    @property
    def current(self) -> SigningKey:
        """The key that signs unless another algorithm is asked for."""
        return self.keys[0]

    @property
    def slow(self) -> bool:
        """Whether a signature may wait for another device or machine."""
        return any(key.slow for key in self.keys)

    @property
    def algorithms(self) -> tuple[str, ...]:
        """What `signing` accepts now, in order of preference: what metadata may promise."""
        own = {key.alg for key in self.keys}
        return tuple(alg for alg in ALGORITHMS if alg in own or (alg == "Ed25519" and "EdDSA" in own))

    def sign(self, claims: Mapping[str, Any], typ: str) -> str:
        """Sign with the default key; see `SigningKey.sign`."""
        return self.current.sign(claims, typ)

    def signing(self, alg: str) -> SigningKey:
        """The key that signs by `alg` now; KeyringError `signing_alg_unavailable` if there is none."""
        for key in self.keys:
            if key.alg == alg:
                return key
            if key.alg == "EdDSA" and alg == "Ed25519":
                return replace(key, alg=alg)
        raise KeyringError("signing_alg_unavailable", "this gateway has no key for that algorithm")

    def public(self, kid: str) -> PublicKey | None:
        """The verifying key named `kid`, if it is still published."""
        return self._by_kid.get(kid)

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The public JWK set (RFC 7517 5): keys that sign, then those only published."""
        return {"keys": [*(key.jwk() for key in self.keys), *map(public_jwk, self.published)]}

    def historical(self) -> dict[str, list[Any]]:
        """Every key there ever was, as a JWK set: for receipts and bundles, which are verified for years."""
        return {"keys": list(self.past)} if self.past else {"keys": [*self.jwks()["keys"]]}

    async def offload(
        self, work: Callable[Given, Result], *args: Given.args, **kwargs: Given.kwargs
    ) -> Result:
        """`work(...)`, which may sign: in a thread (same context) when a key is slow, else here and now."""
        if not self.slow:
            return work(*args, **kwargs)
        return await asyncio.to_thread(work, *args, **kwargs)
