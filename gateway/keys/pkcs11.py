"""Signing keys in a PKCS #11 token (an HSM, or SoftHSM): made there, used there, never extractable.

Needs the extra `pkcs11` (python-pkcs11). Sessions are not for two threads at once, so a few are kept and lent
out; a session that fails is thrown away. Calls are bounded in time: a token that hangs costs nobody more.
"""

from __future__ import annotations

import hashlib
import queue
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from gateway.keyring import KeyringError, PublicKey, algorithm_of
from gateway.keys.bounded import MAKING_SECONDS, SIDE_BY_SIDE, Bounded
from gateway.keys.custody import RSA_BITS
from gateway.keys.errors import KeysError
from gateway.keys.manifest import Entry

SECONDS = 5.0
_ONE_THREAD = threading.Lock()
"""python-pkcs11 initialises a module without locking (PKCS #11 5.4), so one thread at a time may call it."""
_ED25519_OID = bytes.fromhex("06032b6570")


class TokenKey:
    """One key in the token: `gateway.keyring.Remote`."""

    def __init__(self, custody: Pkcs11Custody, label: str, public: PublicKey) -> None:
        """Sign with the private key labelled `label`, whose public half is `public`."""
        self._custody = custody
        self._label = label
        self._public = public

    def public_key(self) -> PublicKey:
        """The public half, known since the key was made."""
        return self._public

    def sign(self, data: bytes) -> bytes:
        """The JOSE form of the signature. Raises KeyringError; see `gateway.keyring.Remote`."""
        return self._custody.sign(self._label, algorithm_of(self._public), data)


class Pkcs11Custody:
    """Keys in one token of one module."""

    place = "pkcs11"

    def __init__(
        self,
        module: Path,
        token: str,
        pin: str,
        *,
        refuse: Callable[[], bool] = lambda: False,
        seconds: float = SECONDS,
    ) -> None:
        """Use the token labelled `token` of the library `module`, as its user. Raises KeysError."""
        try:
            import pkcs11
        except ImportError as error:
            raise KeysError("keys_place_unusable", "pkcs11: install mydata-gateway[pkcs11]") from error
        self._api: Any = pkcs11
        self._pin = pin
        self._bounded = Bounded("pkcs11", seconds, refuse=refuse)
        self._free: queue.LifoQueue[Any] = queue.LifoQueue(SIDE_BY_SIDE)
        try:
            self._token = pkcs11.lib(str(module)).get_token(token_label=token)
        except (pkcs11.PKCS11Error, RuntimeError, OSError) as error:
            message = f"pkcs11: no token {token} in {module} ({type(error).__name__})"
            raise KeysError("keys_place_unusable", message) from error

    def make(self, alg: str) -> tuple[TokenKey, str]:
        """A new key pair in the token under a label nobody had; not extractable, not even wrapped."""
        label = f"mydata-{alg.lower()}-{secrets.token_hex(8)}"
        public = self._do(lambda session: self._generate(session, alg, label), MAKING_SECONDS)
        return TokenKey(self, label, public), label

    def open(self, entry: Entry) -> TokenKey:
        """The key `entry` names, proved by a signature to be the one it holds the public half of."""
        key = TokenKey(self, entry.name, entry.public_key())
        challenge = secrets.token_bytes(32)
        try:
            made = key.sign(challenge)
        except KeyringError as error:
            raise KeysError("keys_place_unusable", str(error)) from error
        if not _verifies(entry.public_key(), made, challenge):
            raise KeysError("keys_unreadable", f"pkcs11: {entry.name} is another key than {entry.kid}")
        return key

    def destroy(self, entry: Entry) -> None:
        """Destroy both halves in the token; what is gone already is gone."""

        def gone(session: Any) -> None:
            for item in list(session.get_objects({self._api.Attribute.LABEL: entry.name})):
                item.destroy()

        self._do(gone)

    def sign(self, label: str, alg: str, data: bytes) -> bytes:
        """Have `data` signed. Raises KeyringError `signing_unavailable`."""
        work = partial(self._sign, label=label, alg=alg, data=data)
        return bytes(self._bounded.call(lambda: self._twice(work)))

    def _sign(self, session: Any, label: str, alg: str, data: bytes) -> bytes:
        api = self._api
        private = session.get_key(object_class=api.ObjectClass.PRIVATE_KEY, label=label)
        if alg == "ES256":
            digest = hashlib.sha256(data).digest()
            return bytes(private.sign(digest, mechanism=api.Mechanism.ECDSA))
        if alg == "PS256":
            pss = (api.Mechanism.SHA256, api.MGF.SHA256, 32)
            made = private.sign(data, mechanism=api.Mechanism.SHA256_RSA_PKCS_PSS, mechanism_param=pss)
            return bytes(made)
        return bytes(private.sign(data, mechanism=api.Mechanism.EDDSA))

    def _generate(self, session: Any, alg: str, label: str) -> PublicKey:
        api = self._api
        locked = {api.Attribute.SENSITIVE: True, api.Attribute.EXTRACTABLE: False}
        asked = {"store": True, "label": label, "id": label.encode(), "private_template": locked}
        if alg == "PS256":
            public, _ = session.generate_keypair(api.KeyType.RSA, RSA_BITS, **asked)
            n, e = (int.from_bytes(public[name], "big") for name in _rsa_members(api))
            return rsa.RSAPublicNumbers(e, n).public_key()
        kind = api.KeyType.EC if alg == "ES256" else api.KeyType.EC_EDWARDS
        curve = bytes.fromhex("06082a8648ce3d030107") if alg == "ES256" else _ED25519_OID
        domain = session.create_domain_parameters(kind, {api.Attribute.EC_PARAMS: curve}, local=True)
        mechanism = None if alg == "ES256" else api.Mechanism.EC_EDWARDS_KEY_PAIR_GEN
        public, _ = domain.generate_keypair(mechanism=mechanism, **asked)
        point = bytes(public[api.Attribute.EC_POINT])
        if alg == "ES256":
            return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point[-65:])
        return Ed25519PublicKey.from_public_bytes(point[-32:])

    def _do(self, work: Callable[[Any], Any], seconds: float | None = None) -> Any:
        try:
            return self._bounded.call(lambda: self._in_session(work), seconds)
        except KeyringError as error:
            raise KeysError("keys_place_unusable", str(error)) from error

    def _twice(self, work: Callable[[Any], Any]) -> Any:
        """Signing may be asked again: a session of before may have died with a restart of its module."""
        try:
            return self._in_session(work)
        except KeyringError:
            return self._in_session(work)

    def _in_session(self, work: Callable[[Any], Any]) -> Any:
        try:
            with _ONE_THREAD, self._session() as session:
                return work(session)
        except self._api.PKCS11Error as error:
            raise KeyringError("signing_unavailable", type(error).__name__) from error

    @contextmanager
    def _session(self) -> Iterator[Any]:
        try:
            session = self._free.get_nowait()
        except queue.Empty:
            session = self._open()
        yield session
        self._free.put_nowait(session)  # one that failed is not lent again

    def _open(self) -> Any:
        try:
            return self._token.open(rw=True, user_pin=self._pin)
        except self._api.UserAlreadyLoggedIn:
            return self._token.open(rw=True)


def _rsa_members(api: Any) -> tuple[Any, Any]:
    return api.Attribute.MODULUS, api.Attribute.PUBLIC_EXPONENT


def _verifies(public: PublicKey, signature: bytes, data: bytes) -> bool:
    try:
        if isinstance(public, ec.EllipticCurvePublicKey):
            halves = (int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
            public.verify(encode_dss_signature(*halves), data, ec.ECDSA(SHA256()))
        elif isinstance(public, rsa.RSAPublicKey):
            pss = padding.PSS(mgf=padding.MGF1(SHA256()), salt_length=SHA256.digest_size)
            public.verify(signature, data, pss, SHA256())
        else:
            public.verify(signature, data)
    except InvalidSignature:
        return False
    return True
