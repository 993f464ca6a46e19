"""Keys from environment variables, for containers without a disk: read once, then taken out.

    MYDATA_KEY_SIGNING_ES256 (_PS256, _EDDSA)      the key that signs by this algorithm
    ..._NEXT, ..._PREVIOUS                         published only: announced, or retired
    MYDATA_KEY_LEDGER, _HOLDER_REQUESTS            PEM, or base64 of PEM
    MYDATA_KEY_SUBJECT_KEK, _PAIRWISE, _PSEUDONYMS, _IDENTITY    base64 of 32 bytes

Nothing here rotates by itself: a deployment moves _NEXT to the name, and the name to _PREVIOUS. What this
process started with can still be read in /proc by the same user: taking variables out keeps them from
programs we start, and from whatever prints the environment.
"""

from __future__ import annotations

import os
from base64 import b64decode
from collections.abc import MutableMapping

from gateway.keyring import Keyring, LiveKeyring, Local, PublicKey, SigningKey, algorithm_of
from gateway.keys.all import SECRET_BYTES, Keys
from gateway.keys.custody import MAKERS, parse_pem
from gateway.keys.errors import KeysError
from gateway.keys.folder import ed25519, p256
from gateway.keys.kek import Keks

PREFIX = "MYDATA_KEY_"
_taken: dict[str, str] = {}


def take(environ: MutableMapping[str, str] = os.environ) -> dict[str, str]:
    """Every key variable, taken out of `environ`; for the process's own, what was taken before as well."""
    found = {name: environ.pop(name) for name in list(environ) if name.startswith(PREFIX)}
    if environ is not os.environ:
        return found
    _taken.update(found)
    return dict(_taken)


def keys_from(values: dict[str, str]) -> Keys:
    """The keys in `values` (see `take`). Raises KeysError naming the variable, never what is in it."""
    unknown = set(values) - _known()
    if unknown:
        raise KeysError("keys_unreadable", f"{min(unknown)}: there is no such key")
    return Keys(
        signing=LiveKeyring(_ring(values)),
        ledger=ed25519(parse_pem(_text(values, "LEDGER"), PREFIX + "LEDGER"), PREFIX + "LEDGER"),
        holder_requests=SigningKey.of(
            p256(
                parse_pem(_text(values, "HOLDER_REQUESTS"), PREFIX + "HOLDER_REQUESTS"),
                PREFIX + "HOLDER_REQUESTS",
            )
        ),
        subject_kek=Keks((_secret(values, "SUBJECT_KEK"),)),
        pairwise=_secret(values, "PAIRWISE"),
        pseudonyms=_secret(values, "PSEUDONYMS"),
        identity=_secret(values, "IDENTITY"),
    )


def _ring(values: dict[str, str]) -> Keyring:
    keys: list[SigningKey] = []
    published: list[PublicKey] = []
    for alg in MAKERS:
        name = f"SIGNING_{alg.upper()}"
        if PREFIX + name in values or alg == "ES256":
            keys.append(SigningKey.of(_signing(values, name, alg)))
        for other in (f"{name}_NEXT", f"{name}_PREVIOUS"):
            if PREFIX + other in values:
                published.append(_signing(values, other, alg).public_key())
    return Keyring(tuple(keys), tuple(published))


def _signing(values: dict[str, str], name: str, alg: str) -> Local:
    key = parse_pem(_text(values, name), PREFIX + name)
    if algorithm_of(key.public_key()) != alg:
        raise KeysError("keys_unreadable", f"{PREFIX}{name}: is a key of another algorithm")
    return key


def _known() -> set[str]:
    signing = {f"SIGNING_{alg.upper()}{suffix}" for alg in MAKERS for suffix in ("", "_NEXT", "_PREVIOUS")}
    others = {"LEDGER", "HOLDER_REQUESTS", "SUBJECT_KEK", "PAIRWISE", "PSEUDONYMS", "IDENTITY"}
    return {PREFIX + name for name in signing | others} | {PREFIX + "VAULT_TOKEN", PREFIX + "PIN"}


def _text(values: dict[str, str], name: str) -> bytes:
    try:
        text = values[PREFIX + name].strip()
    except KeyError as error:
        raise KeysError("keys_missing", f"{PREFIX}{name}: is not set") from error
    return text.encode() if text.startswith("-----BEGIN") else _decoded(text, name)


def _secret(values: dict[str, str], name: str) -> bytes:
    if PREFIX + name not in values:
        raise KeysError("keys_missing", f"{PREFIX}{name}: is not set")
    content = _decoded(values[PREFIX + name].strip(), name)
    if len(content) != SECRET_BYTES:
        raise KeysError("keys_unreadable", f"{PREFIX}{name}: must hold exactly {SECRET_BYTES} bytes")
    return content


def _decoded(text: str, name: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError as error:
        raise KeysError("keys_unreadable", f"{PREFIX}{name}: is neither PEM nor base64") from error
