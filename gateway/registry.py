"""Who takes part: the operator's role, the identity provider, the holders and the consortia.

One YAML file an operator keeps under review; read once at start. Nothing outside the origins named here is
ever called.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec
import yaml

from gateway.settings import SettingsError

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
Code = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{1,62}$")]


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A name in Korean and English."""

    ko: Name
    en: Name


class Operator(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the gateway's operator is in law: a policy fact, not a claim (design 3.8).

    `country` (ISO 3166) is where it is at home and keeps what it keeps; receipts say so (TS 27560).
    """

    role: Literal["sandbox", "designated_intermediary", "processor"]
    code: Code
    name: Words
    contact: Name
    country: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}$")] = "KR"


class IdentityProvider(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The upstream that proves who a citizen is; `acr_values` are the classes of sign-in it knows."""

    issuer: str
    client_id: Name
    name: Words
    acr_values: tuple[Name, ...] = ()


class HolderEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One holder (정보제공자) and the only origin it may be called at."""

    id: Code
    sector: Annotated[str, msgspec.Meta(pattern=r"^[a-z]{2,32}$")]
    name: Words
    origin: str
    org_code: Annotated[str, msgspec.Meta(pattern=r"^[A-Z0-9]{10}$")]


class Consortium(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A consortium (컨소시엄): which holders and recipients work together, on what contract, for what.

    `reward` says whether its recipients pay for what they receive; absent: the contract does not say.
    """

    id: Code
    contract: Name
    holders: tuple[Code, ...]
    recipients: tuple[Code, ...]
    sectors: tuple[str, ...]
    purposes: tuple[str, ...]
    start: str
    end: str
    reward: bool | None = None


class Registry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every participant this gateway knows."""

    operator: Operator
    identity: IdentityProvider
    holders: tuple[HolderEntry, ...]
    consortia: tuple[Consortium, ...]

    def holder(self, holder_id: str) -> HolderEntry | None:
        """The holder with this id, if registered."""
        return next((h for h in self.holders if h.id == holder_id), None)

    def problems(self, *, plain_http: bool) -> list[str]:
        """Why this registry is unsafe, one sentence a finding."""
        found = []
        origins = {"identity": self.identity.issuer, **{h.id: h.origin for h in self.holders}}
        for who, origin in origins.items():
            url = urlsplit(origin)
            local = url.hostname in {"localhost", "127.0.0.1", "::1"}
            if url.scheme != "https" and not (plain_http and local):
                found.append(f"MYDATA.R001 {who}: {origin} must be https outside the demo profile")
            if url.path or url.query or url.username:
                found.append(f"MYDATA.R002 {who}: {origin} must be an origin: scheme, host and port only")
        known = {h.id for h in self.holders}
        if len(known) != len(self.holders):
            found.append("MYDATA.R003 a holder id stands twice")
        found += [
            f"MYDATA.R004 {c.id}: unknown holder {h}"
            for c in self.consortia
            for h in c.holders
            if h not in known
        ]
        return found


def load_registry(file: Path, *, plain_http: bool) -> Registry:
    """Read and check the registry; raises SettingsError naming every finding."""
    try:
        read = yaml.safe_load(file.read_text(encoding="utf-8"))
        registry = msgspec.convert(read, Registry, strict=True)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, msgspec.ValidationError) as error:
        first = str(error).splitlines()[0]
        raise SettingsError([f"MYDATA.R010 {file}: cannot be read: {first}"]) from error
    if found := registry.problems(plain_http=plain_http):
        raise SettingsError(found)
    return registry
