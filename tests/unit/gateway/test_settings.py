"""Settings are read once, refused when unsafe, and every finding is one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.settings import SettingsError, load_settings

GOOD = {
    "profile": "production",
    "issuer": "https://mydata.example.kr",
    "database": "postgresql+asyncpg://mydata@db/mydata",
    "keys": "/var/lib/mydata/keys",
    "registry": "/etc/mydata/registry.yaml",
    "policy_engine": "opa",
}


def refused(**changes: object) -> list[str]:
    """The findings for the good settings with `changes`."""
    with pytest.raises(SettingsError) as caught:
        load_settings(None, **{**GOOD, **changes})
    return caught.value.problems


def test_good_settings_are_accepted() -> None:
    """Settings with https and OPA are what production needs."""
    assert load_settings(None, **GOOD).policy_engine == "opa"


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"issuer": "http://mydata.example.kr"}, "MYDATA.S001"),
        ({"issuer": "http://mydata.example.kr", "profile": "demo"}, "MYDATA.S001"),
        ({"issuer": "https://mydata.example.kr/"}, "MYDATA.S002"),
        ({"issuer": "https://mydata.example.kr?a=b"}, "MYDATA.S002"),
        ({"policy_engine": "embedded"}, "MYDATA.S003"),
        ({"database": "mysql://db"}, "MYDATA.S004"),
        ({"mtls_origin": "http://mtls.example.kr", "trusted_proxies": ["10.0.0.7"]}, "MYDATA.S005"),
        ({"mtls_origin": "https://mtls.example.kr/x", "trusted_proxies": ["10.0.0.7"]}, "MYDATA.S005"),
        ({"mtls_origin": "https://mtls.example.kr"}, "MYDATA.S006"),
        ({"mtls_origin": "https://mtls.example.kr", "trusted_proxies": ["*"]}, "MYDATA.S006"),
        ({"mtls_origin": "https://mtls.example.kr", "trusted_proxies": ["0.0.0.0/0"]}, "MYDATA.S006"),
        ({"mtls_origin": "https://mtls.example.kr", "client_certificate_header": "a b"}, "MYDATA.S007"),
        ({"key_store": "vault"}, "MYDATA.S014"),
        ({"key_store": "vault", "vault_url": "http://vault.example.kr"}, "MYDATA.S014"),
        ({"vault_url": "http://vault.example.kr"}, "MYDATA.S014"),
        ({"policy_engine": "none"}, "MYDATA.S012 policy_engine"),
        ({"isuer": "typo"}, "MYDATA.S012 isuer"),
    ],
)
def test_unsafe_settings_are_named(changes: dict[str, object], finding: str) -> None:
    """Each unsafe or unknown setting gives a finding that starts with its stable id."""
    assert any(line.startswith(finding) for line in refused(**changes))


@pytest.mark.parametrize(
    ("content", "finding"),
    [
        (b"issuer: [", "MYDATA.S010"),
        (b"\xff\xfe\x00", "MYDATA.S010"),
        (b"- a list", "MYDATA.S011"),
        (b"", "MYDATA.S011"),
    ],
)
def test_an_unreadable_file_is_named(tmp_path: Path, content: bytes, finding: str) -> None:
    """A settings file that is not a YAML mapping is named with its path, without a parser's traceback."""
    file = tmp_path / "gateway.yaml"
    file.write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        load_settings(file)

    assert caught.value.problems[0].startswith(finding)
    assert str(file) in caught.value.problems[0]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A settings file that is not there is named."""
    with pytest.raises(SettingsError, match=r"MYDATA\.S010"):
        load_settings(tmp_path / "none.yaml")


def test_plain_http_is_for_localhost_in_the_demo_profile_only() -> None:
    """The demo may run on http://127.0.0.1."""
    settings = load_settings(None, **{**GOOD, "profile": "demo", "issuer": "http://127.0.0.1:8080"})

    assert settings.problems() == []


def test_the_environment_overrides_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """MYDATA_* wins over the file, so a container can be set without editing it."""
    file = tmp_path / "gateway.yaml"
    file.write_text("\n".join(f"{k}: {v}" for k, v in GOOD.items()))
    monkeypatch.setenv("MYDATA_OPA_URL", "http://opa:8181")
    monkeypatch.setenv("MYDATA_DATABASE", "postgresql+asyncpg://mydata@other/mydata")
    settings = load_settings(file)

    assert settings.opa_url == "http://opa:8181"
    assert settings.database == "postgresql+asyncpg://mydata@other/mydata"
