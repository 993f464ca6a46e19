"""One frozen `Settings`, read from a file, `MYDATA_*` variables or arguments; unsafe ones are named by id."""

from __future__ import annotations

import ipaddress
import os
import re
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict


class SettingsError(Exception):
    """The settings cannot be read or are unsafe; `problems` has one sentence a finding."""

    def __init__(self, problems: list[str]) -> None:
        """Carry one sentence a finding."""
        super().__init__("\n".join(problems))
        self.problems = problems


class Settings(BaseSettings):
    """Everything an operator decides. Frozen: a running gateway never changes its mind."""

    model_config = SettingsConfigDict(env_prefix="MYDATA_", case_sensitive=False, frozen=True, extra="forbid")

    profile: Literal["demo", "production"] = "production"
    issuer: str = Field(description="The issuer identifier: the public https origin of this gateway.")
    database: str = Field(
        repr=False, description="sqlite+aiosqlite:///FILE or postgresql+asyncpg://USER@HOST/NAME"
    )
    keys: Path = Field(description="Directory of the gateway's keys, made by `mydata keys init`.")
    registry: Path = Field(
        description="YAML file naming identity provider, holders, consortia and operator role."
    )
    policy_engine: Literal["embedded", "opa"] = "embedded"
    opa_url: str = "http://127.0.0.1:8181"
    opa_socket: Path | None = Field(default=None, description="Unix socket of OPA, instead of opa_url.")
    opa_ca: Path | None = Field(default=None, description="PEM of the private authority of an https opa_url.")
    opa_binary: Path | None = Field(
        default=None, description="An OPA to start and watch beside the gateway, instead of opa_url."
    )
    policy_shadow_percent: int = Field(
        default=0, ge=0, le=100, description="Share of decisions the other engine makes again, to compare."
    )
    catalogues: tuple[Path, ...] = Field(
        default=(), description="Folders of further sectors, purposes, law rows and holders' standards."
    )
    policies: Path | None = Field(
        default=None, description="Folder of the policy; default: the one beside the code."
    )
    policy_signers: Path | None = Field(
        default=None,
        description="YAML file of who may build and approve a policy; absent: `policies` is the policy.",
    )
    policy_max_age_hours: int = Field(
        default=24, ge=1, le=168, description="How long a policy not seen in force any more goes on deciding."
    )
    pseudonym_epoch: int = Field(
        default=1, ge=1, description="Raise it to give every recipient new pseudonyms."
    )
    ca: Path | None = Field(
        default=None, description="PEM file of a private authority holders and IdP are trusted by."
    )
    ledger_state: Path | None = Field(
        default=None,
        description="Folder of the last signed checkpoint, outside database and its backups; default: keys.",
    )
    ledger_origin: str = "mydata.local/ledger/{year}"
    ledger_witnesses: Path | None = Field(
        default=None, description="C2SP tlog-policy file: the witnesses of the ledger and their quorum."
    )
    ledger_readers: Path | None = Field(
        default=None, description="YAML file of those who may read, search or open ledger entries over HTTP."
    )
    ledger_second_key: Path | None = Field(
        default=None, description="PEM file of an ML-DSA-44 key that also signs the published checkpoints."
    )
    trusted_proxies: tuple[str, ...] = Field(
        default=(), description="Addresses and networks whose forwarding and certificate headers count."
    )
    mtls_origin: str | None = Field(
        default=None,
        description="Public https origin where a trusted proxy asks clients for certificates (RFC 8705).",
    )
    client_certificate_header: str = "x-client-certificate"
    client_certificate_verified_header: str = "x-client-certificate-verified"
    dpop_nonce: Literal["off", "required"] = Field(
        default="off", description="Whether DPoP proofs must carry a nonce of ours (RFC 9449 8)."
    )
    key_store: Literal["file", "environment", "pkcs11", "vault"] = Field(
        default="file", description="Where signing keys lie and new ones are made (docs/keys.md)."
    )
    pkcs11_module: Path | None = Field(default=None, description="Library of the PKCS #11 token.")
    pkcs11_token: str = Field(default="mydata", description="Label of the token.")
    vault_url: str | None = Field(default=None, description="https origin of an OpenBao or Vault server.")
    vault_mount: str = Field(default="transit", description="Path of its transit engine.")
    vault_token_file: Path | None = Field(
        default=None, description="File of its token, read anew each time; absent: MYDATA_KEY_VAULT_TOKEN."
    )
    client_key_networks: tuple[str, ...] = Field(
        default=(), description="Networks of our own that `jwks_uri` of clients may lead to."
    )
    key_rotation_days: int = Field(
        default=90, ge=0, le=3650, description="How long a signing key signs; 0: none is followed by itself."
    )
    key_overlap_hours: int = Field(
        default=24, ge=1, le=8760, description="How long a retired signing key stays published."
    )
    holder_answer_days: int = Field(
        default=3,
        ge=1,
        le=90,
        description="How long a holder has to acknowledge an ending before it is silent.",
    )
    recipient_answer_days: int = Field(
        default=3, ge=1, le=90, description="The same for the company that received."
    )
    deletion_answer_days: int = Field(
        default=10, ge=1, le=90, description="How long a company has to certify that it deleted."
    )
    signature_anchors: Path | None = Field(
        default=None,
        description="Folder of PEM certificates of authorities citizens may sign under; absent: no signing.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    def problems(self) -> list[str]:
        """Why these settings are unsafe, one sentence a finding, each starting with a stable id."""
        found: list[str] = []
        url = urlsplit(self.issuer)
        local = url.hostname in {"localhost", "127.0.0.1", "::1"}
        if url.scheme != "https" and not (self.profile == "demo" and local):
            found.append(
                "MYDATA.S001 issuer must be https; plain http is for localhost in the demo profile only"
            )
        if url.query or url.fragment or self.issuer.endswith("/"):
            found.append("MYDATA.S002 issuer must have no query, no fragment and no trailing slash")
        if self.profile == "production" and self.policy_engine == "embedded":
            found.append("MYDATA.S003 production requires policy_engine: opa")
        if not self.database.startswith(("sqlite+aiosqlite://", "postgresql+asyncpg://")):
            found.append("MYDATA.S004 database must start with sqlite+aiosqlite:// or postgresql+asyncpg://")
        if self.key_store == "pkcs11" and self.pkcs11_module is None:
            found.append("MYDATA.S013 key_store: pkcs11 needs pkcs11_module")
        # A token goes there also when only older keys lie in it, or none any more.
        asked = self.key_store == "vault" or self.vault_url is not None
        if asked and not str(self.vault_url).startswith("https://"):
            found.append("MYDATA.S014 key_store: vault needs vault_url, which must be an https origin")
        if not all(map(_is_address, self.client_key_networks)):
            found.append("MYDATA.S008 client_key_networks must be addresses or networks, never a name or all")
        return found + ([] if self.mtls_origin is None else self._mtls_problems(self.mtls_origin))

    def _mtls_problems(self, origin: str) -> list[str]:
        found: list[str] = []
        url = urlsplit(origin)
        bare = url.scheme == "https" and url.hostname and f"{url.scheme}://{url.netloc}" == origin
        if not bare or "@" in url.netloc or origin == self.issuer:
            found.append("MYDATA.S005 mtls_origin must be an https origin of its own, other than issuer")
        if not self.trusted_proxies or not all(map(_is_address, self.trusted_proxies)):
            found.append(
                "MYDATA.S006 mtls_origin needs trusted_proxies, each an address or network, never a name or *"
            )
        names = [self.client_certificate_header.lower(), self.client_certificate_verified_header.lower()]
        if len(set(names)) != 2 or not all(re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", name) for name in names):
            found.append("MYDATA.S007 the two client certificate headers must be two different header names")
        return found


def load_settings(file: Path | None = None, **overrides: object) -> Settings:
    """Read settings from `file` (YAML), then `MYDATA_*`, then `overrides`; refuse unsafe ones.

    Raises SettingsError naming every finding; never a traceback of a parser.
    """
    values: dict[str, Any] = {}
    if file is not None:
        try:
            read = yaml.safe_load(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise SettingsError([f"MYDATA.S010 {file}: cannot be read: {_brief(error)}"]) from error
        if not isinstance(read, dict):
            raise SettingsError([f"MYDATA.S011 {file}: must be a mapping of setting to value"])
        values = {
            name: value for name, value in read.items() if f"MYDATA_{str(name).upper()}" not in os.environ
        }
    try:
        settings = Settings(**{**values, **overrides})
    except ValidationError as error:
        raise SettingsError(
            [f"MYDATA.S012 {'.'.join(map(str, e['loc'])) or 'settings'}: {_wrong(e)}" for e in error.errors()]
        ) from error
    if found := settings.problems():
        raise SettingsError(found)
    return settings


def _wrong(finding: Any) -> str:
    return "there is no such setting" if finding["type"] == "extra_forbidden" else str(finding["msg"])


def _is_address(text: str) -> bool:
    try:
        return ipaddress.ip_network(text).prefixlen > 0
    except ValueError:
        return False


def _brief(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
