"""Signing keys in a transit engine (OpenBao, HashiCorp Vault): they never leave it.

    POST   {url}/v1/{mount}/keys/{name}           make: {"type": "ecdsa-p256" | "rsa-3072" | "ed25519"}
    GET    {url}/v1/{mount}/keys/{name}           the public half
    POST   {url}/v1/{mount}/sign/{name}           sign: the JOSE form, one version of the key
    POST   {url}/v1/{mount}/keys/{name}/config    allow to delete, and
    DELETE {url}/v1/{mount}/keys/{name}           destroy what is revoked or gone

One key of ours is one key there, at version 1: rotation makes a new name, so that what a name signs never
changes. https only; no redirects; every call bounded.
"""

from __future__ import annotations

import secrets
import ssl
from base64 import b64decode, b64encode, urlsafe_b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from gateway.keyring import KeyringError, PublicKey, algorithm_of, kid_of
from gateway.keys.bounded import MAKING_SECONDS, Bounded
from gateway.keys.errors import KeysError
from gateway.keys.manifest import Entry

SECONDS = 3.0
MAX_BYTES = 64 * 1024
TYPES = {"ES256": "ecdsa-p256", "PS256": "rsa-3072", "EdDSA": "ed25519"}
_ASKED = {
    "ES256": {"hash_algorithm": "sha2-256", "marshaling_algorithm": "jws"},
    "PS256": {"hash_algorithm": "sha2-256", "signature_algorithm": "pss", "salt_length": "hash"},
    "EdDSA": {},
}


class VaultKey:
    """One key there: `gateway.keyring.Remote`."""

    def __init__(self, transit: VaultCustody, name: str, public: PublicKey) -> None:
        """Sign with the key `name`, whose public half is `public`."""
        self._transit = transit
        self._name = name
        self._public = public

    def public_key(self) -> PublicKey:
        """The public half, known since the key was made."""
        return self._public

    def sign(self, data: bytes) -> bytes:
        """The JOSE form of the signature. Raises KeyringError; see `gateway.keyring.Remote`."""
        return self._transit.sign(self._name, algorithm_of(self._public), data)


class VaultCustody:
    """Keys behind one mount of one server."""

    place = "vault"

    def __init__(
        self,
        url: str,
        token: Callable[[], str],
        tls: ssl.SSLContext,
        *,
        mount: str = "transit",
        refuse: Callable[[], bool] = lambda: False,
        seconds: float = SECONDS,
    ) -> None:
        """Call `url` with what `token()` gives, asked anew for each call: an agent may renew it in a file."""
        self._base = f"{url}/v1/{mount}"
        self._token = token
        self._seconds = seconds
        self._bounded = Bounded("vault", seconds, refuse=refuse)
        self._http = httpx.Client(
            verify=tls, timeout=seconds, follow_redirects=False, trust_env=False, max_redirects=0
        )

    def make(self, alg: str) -> tuple[VaultKey, str]:
        """A new key of a name nobody had; it cannot be exported."""
        name = f"mydata-{alg.lower()}-{secrets.token_hex(8)}"
        self._do("POST", f"/keys/{name}", {"type": TYPES[alg], "exportable": False}, MAKING_SECONDS)
        return VaultKey(self, name, self._public(name)), name

    def open(self, entry: Entry) -> VaultKey:
        """The key `entry` names, which must be there and be the one it holds the public half of."""
        if kid_of(self._public(entry.name)) != entry.kid:
            raise KeysError("keys_unreadable", f"vault: {entry.name} is another key than {entry.kid}")
        return VaultKey(self, entry.name, entry.public_key())

    def destroy(self, entry: Entry) -> None:
        """Delete the key there; one that is gone already is gone."""
        try:
            self._do("POST", f"/keys/{entry.name}/config", {"deletion_allowed": True})
            self._do("DELETE", f"/keys/{entry.name}")
        except KeysError as error:
            if error.code != "keys_missing":
                raise

    def close(self) -> None:
        """Close every connection."""
        self._http.close()

    def sign(self, name: str, alg: str, data: bytes) -> bytes:
        """Have `data` signed there. Raises KeyringError `signing_unavailable`."""
        asked = {"input": b64encode(data).decode(), "key_version": 1, **_ASKED[alg]}
        try:
            answer = self._bounded.call(lambda: self._exchange("POST", f"/sign/{name}", asked))
            text = str(answer["data"]["signature"]).rpartition(":")[2]
            return _either_base64(text)
        except (KeysError, KeyError, TypeError, ValueError) as error:
            raise KeyringError("signing_unavailable", "vault: the answer holds no signature") from error

    def _public(self, name: str) -> PublicKey:
        answer = self._do("GET", f"/keys/{name}")
        try:
            text = str(answer["data"]["keys"]["1"]["public_key"])
            if text.startswith("-----BEGIN"):
                return cast(PublicKey, load_pem_public_key(text.encode()))
            return Ed25519PublicKey.from_public_bytes(b64decode(text, validate=True))
        except (KeyError, TypeError, ValueError) as error:
            raise KeysError("keys_place_unusable", f"vault: {name} has no readable public key") from error

    def _do(
        self, method: str, path: str, body: dict[str, Any] | None = None, seconds: float | None = None
    ) -> Any:
        try:
            return self._bounded.call(lambda: self._exchange(method, path, body, seconds), seconds)
        except KeyringError as error:
            raise KeysError("keys_place_unusable", str(error)) from error

    def _exchange(
        self, method: str, path: str, body: dict[str, Any] | None, seconds: float | None = None
    ) -> Any:
        headers = {"X-Vault-Token": self._token(), "X-Vault-Request": "true"}
        wait = httpx.Timeout(seconds or self._seconds)
        try:
            with self._http.stream(
                method, self._base + path, json=body, headers=headers, timeout=wait
            ) as answer:
                read = bytearray()
                for piece in answer.iter_bytes():
                    read += piece
                    if len(read) > MAX_BYTES:
                        raise KeyringError("signing_unavailable", "the answer is too large")
            if answer.status_code == 404:
                raise KeysError("keys_missing", f"vault: there is no {path.split('/')[2]}")
            if answer.status_code not in (200, 204):
                raise KeyringError("signing_unavailable", f"status {answer.status_code}")
            return httpx.Response(200, content=bytes(read)).json() if read else None
        except (httpx.HTTPError, ValueError) as error:
            raise KeyringError("signing_unavailable", type(error).__name__) from error


def token_from(file: Path | None, given: str | None) -> Callable[[], str]:
    """Where the token comes from: a file read anew each time, else the variable it came in."""

    def read() -> str:
        if file is None:
            return given or ""
        try:
            return file.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise KeyringError("signing_unavailable", f"{file}: cannot be read") from error

    return read


def _either_base64(text: str) -> bytes:
    padded = text + "=" * (-len(text) % 4)
    return urlsafe_b64decode(padded.replace("+", "-").replace("/", "_").encode("ascii"))
