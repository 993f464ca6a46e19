"""Keys from variables: read once, taken out, published by name; a wrong one is named and never shown."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

import pytest
import yaml

from gateway.keys import KeysError
from gateway.keys.custody import new_key, pem
from gateway.keys.environment import keys_from, take
from gateway.oauth.jws import parse, verify

PREFIX = "MYDATA_KEY_"


def variables(**more: str) -> dict[str, str]:
    """Everything a gateway needs, and what else is given."""
    secret = {name: b64encode(os.urandom(32)).decode() for name in ("SUBJECT_KEK", "PAIRWISE")}
    secret |= {name: b64encode(os.urandom(32)).decode() for name in ("PSEUDONYMS", "IDENTITY")}
    given = {
        "SIGNING_ES256": pem(new_key("ES256")).decode(),
        "HOLDER_REQUESTS": b64encode(pem(new_key("ES256"))).decode(),
        "LEDGER": pem(new_key("EdDSA")).decode(),
        **secret,
        **more,
    }
    return {PREFIX + name: value for name, value in given.items()}


def test_they_are_taken_out() -> None:
    """What was read is no longer in the environment; the rest stays."""
    environ = {**variables(), "HOME": "/nowhere"}
    found = take(environ)
    assert environ == {"HOME": "/nowhere"}
    assert found.keys() == variables().keys()


def test_every_algorithm_and_what_is_only_published() -> None:
    """One signing key an algorithm; the next and the previous one verify and do not sign."""
    following, before = new_key("ES256"), new_key("EdDSA")
    given = variables(
        SIGNING_PS256=pem(new_key("PS256")).decode(),
        SIGNING_EDDSA=pem(new_key("EdDSA")).decode(),
        SIGNING_ES256_NEXT=pem(following).decode(),
        SIGNING_EDDSA_PREVIOUS=b64encode(pem(before)).decode(),
    )
    keys = keys_from(given)
    assert keys.signing.algorithms == ("ES256", "PS256", "EdDSA", "Ed25519")
    assert len(keys.signing.jwks()["keys"]) == 5
    for alg in keys.signing.algorithms:
        jws = parse(keys.signing.signing(alg).sign({}, "JWT"))
        public = keys.signing.public(jws.header["kid"])
        assert public is not None
        assert verify(jws, public)
    assert keys.house is None


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("LEDGER", None, "keys_missing"),
        ("SIGNING_ES256", None, "keys_missing"),
        ("PAIRWISE", None, "keys_missing"),
        ("SUBJECT_KEK", "c2hvcnQ=", "keys_unreadable"),
        ("IDENTITY", "not base64!", "keys_unreadable"),
        ("SIGNING_ES256", "bm90IGEga2V5", "keys_unreadable"),
        ("SIGNING_PS256", pem(new_key("ES256")).decode(), "keys_unreadable"),
        ("HOLDER_REQUESTS", pem(new_key("EdDSA")).decode(), "keys_unreadable"),
        ("LEDGER", pem(new_key("ES256")).decode(), "keys_unreadable"),
        ("SIGNING_RS256", pem(new_key("ES256")).decode(), "keys_unreadable"),
    ],
)
def test_a_wrong_variable_is_named(name: str, value: str | None, code: str) -> None:
    """The text names the variable and repeats nothing of what is in it."""
    given = {**variables(), PREFIX + name: value or ""}
    if value is None:
        del given[PREFIX + name]
    with pytest.raises(KeysError, match=PREFIX + name) as refused:
        keys_from(given)
    assert refused.value.code == code
    assert value is None or value not in str(refused.value)


def test_repr_shows_no_secret() -> None:
    """Neither the keys nor what wraps citizens' keys show a byte."""
    given = variables()
    shown = repr(keys_from(given)) + repr(keys_from(given).subject_kek)
    assert all(value[:20] not in shown for value in given.values())


CHILD = """
import json, os, sys
from gateway.settings import load_settings
from gateway.keys.opening import open_keys
from pathlib import Path

settings = load_settings(Path(sys.argv[1]))
first, second = open_keys(settings), open_keys(settings)
left = [name for name in os.environ if name.startswith("MYDATA_KEY_")]
same = first.signing.jwks() == second.signing.jwks(), first.subject_kek == second.subject_kek
print(json.dumps([*same, left]))
"""


def test_a_process_reads_them_once_and_keeps_them(tmp_path: Path) -> None:
    """The check before the start and the start itself see the same keys; programs we start see none."""
    settings = {
        "profile": "demo",
        "issuer": "http://127.0.0.1:8080",
        "database": "sqlite+aiosqlite:///x.db",
        "keys": str(tmp_path),
        "registry": "r.yaml",
        "key_store": "environment",
    }
    (tmp_path / "gateway.yaml").write_text(yaml.safe_dump(settings))
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path / "gateway.yaml")],
        env={**os.environ, **variables()},
        check=True,
        capture_output=True,
        text=True,
    )
    assert json.loads(done.stdout) == [True, True, []]


@pytest.mark.parametrize("name", ["MYDATA_KEY_PIN", "MYDATA_KEY_VAULT_TOKEN"])
def test_what_opens_other_places_is_taken_out_too(name: str) -> None:
    """The PIN of a token and the token of an engine are secrets like keys."""
    environ = {name: "secret", "OTHER": "stays"}
    assert take(environ) == {name: "secret"}
    assert environ == {"OTHER": "stays"}
