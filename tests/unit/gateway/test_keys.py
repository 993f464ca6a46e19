"""The gateway's own keys: made once, readable by one user, never shown."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import jwt
import pytest
from joserfc.jwk import ECKey

from gateway.commands import keys as command
from gateway.keys import Keys, KeysError, create_keys, load_keys


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder holding fresh keys."""
    create_keys(tmp_path / "keys")
    return tmp_path / "keys"


def test_keys_survive_a_restart(folder: Path) -> None:
    """Loading twice gives the same keys, so tokens and references stay valid over a restart."""
    first, second = load_keys(folder), load_keys(folder)
    assert first.signing.jwks() == second.signing.jwks()
    assert first.subject_kek == second.subject_kek
    assert len({first.subject_kek, first.pairwise, first.pseudonyms, first.identity}) == 4


def test_only_the_owner_reads(folder: Path) -> None:
    """The folder is 0700 and every file 0600."""
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_nothing_is_overwritten(folder: Path) -> None:
    """A second init refuses and leaves every byte as it was."""
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(KeysError) as refused:
        create_keys(folder)
    assert refused.value.code == "keys_exist"
    assert before == {path.name: path.read_bytes() for path in folder.iterdir()}


def test_repr_shows_no_secret(folder: Path) -> None:
    """Neither repr nor str of the keys contains a byte of a secret."""
    keys = load_keys(folder)
    for secret in (keys.subject_kek, keys.pairwise, keys.pseudonyms, keys.identity):
        assert repr(secret) not in repr(keys)
    assert "PrivateKey" not in repr(keys)


def test_kid_is_the_thumbprint_another_library_computes(folder: Path) -> None:
    """The key name equals joserfc's RFC 7638 thumbprint of the published key."""
    jwk = load_keys(folder).signing.jwks()["keys"][0]
    assert ECKey.import_key(jwk).thumbprint() == jwk["kid"]
    assert "d" not in jwk


def test_signature_verifies_in_another_library(folder: Path) -> None:
    """What the keyring signs, PyJWT accepts under the published key."""
    keys = load_keys(folder)
    token = keys.signing.sign({"sub": "a"}, "at+jwt")
    assert jwt.decode(token, jwt.PyJWK(keys.signing.jwks()["keys"][0]).key, ["ES256"]) == {"sub": "a"}
    assert jwt.get_unverified_header(token)["typ"] == "at+jwt"


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda path: path.unlink(), "keys_missing"),
        (lambda path: path.write_bytes(b"not a key"), "keys_unreadable"),
        (lambda path: path.chmod(0o644), "keys_exposed"),
    ],
)
def test_a_bad_file_is_named(folder: Path, spoil, code: str) -> None:
    """A missing, broken or exposed file is refused with a code and its path, never its contents."""
    spoil(folder / "signing.pem")
    with pytest.raises(KeysError, match=r"signing\.pem") as refused:
        load_keys(folder)
    assert refused.value.code == code


def test_a_key_of_the_wrong_kind_is_refused(folder: Path) -> None:
    """The ledger's Ed25519 key cannot stand in for the P-256 signing key."""
    (folder / "signing.pem").write_bytes((folder / "ledger.pem").read_bytes())
    with pytest.raises(KeysError, match=r"signing\.pem: is another key"):
        load_keys(folder)


def test_command_shows_public_parts_only(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`keys show` prints the JWKS and the log's key, and no private member."""
    assert _run("show", folder) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["jwks"] == load_keys(folder).signing.jwks()
    assert '"d"' not in json.dumps(shown)
    assert shown["ledger"].startswith("mydata.local/ledger/2026+")


def test_command_refuses_in_words(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`keys init` over existing keys exits 2 with a sentence and no traceback."""
    assert _run("init", folder) == 2
    assert "already there" in capsys.readouterr().err


def test_keys_are_frozen(folder: Path) -> None:
    """No door can swap a key behind another's back."""
    keys: Keys = load_keys(folder)
    with pytest.raises(AttributeError):
        keys.identity = b""  # type: ignore[misc]


def _run(verb: str, folder: Path) -> int:
    parser = argparse.ArgumentParser()
    command.register(parser.add_subparsers())
    arguments = parser.parse_args(["keys", verb, str(folder)])
    return int(arguments.run(arguments))
