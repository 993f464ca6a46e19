"""The container files parse and keep the rules of the house; they are not run here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.registry import load_registry
from gateway.settings import load_settings

DOCKER = Path(__file__).resolve().parents[2] / "docker"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The parsed compose file."""
    parsed: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))
    return parsed


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile as (instruction, argument), continued lines joined."""
    text = re.sub(r"\\\n", " ", (DOCKER / "Dockerfile").read_text(encoding="utf-8"))
    rows = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(word.upper(), rest) for word, _, rest in (row.partition(" ") for row in rows)]


def test_every_image_is_pinned(compose: dict[str, Any]) -> None:
    """No image floats: each has a version tag, none is latest."""
    images = [s["image"] for s in compose["services"].values()]
    images += [rest.split()[0] for word, rest in instructions() if word == "FROM"]
    for image in images:
        assert re.search(r":\d+\.\d+", image), image


def test_the_gateway_runs_without_privileges(compose: dict[str, Any]) -> None:
    """Not as root, on a read-only file system, without capabilities or new privileges."""
    assert [rest for word, rest in instructions() if word == "USER"] == ["10001"]
    for name in ("gateway", "migrate", "opa"):
        service = compose["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]


def test_only_the_gateway_is_reachable_and_only_from_this_host(compose: dict[str, Any]) -> None:
    """The one published port is bound to loopback; store and policy engine live on an internal network."""
    published = {n: s["ports"] for n, s in compose["services"].items() if s.get("ports")}

    assert published == {"gateway": ["127.0.0.1:8080:8080"]}
    assert compose["networks"]["back"] == {"internal": True}
    assert compose["services"]["postgres"]["networks"] == ["back"]
    assert compose["services"]["opa"]["networks"] == ["back"]


def test_no_secret_stands_in_the_files(compose: dict[str, Any]) -> None:
    """Passwords come from secret files, never from environment values."""
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            assert "PASSWORD" not in name or str(value).startswith("/run/secrets/")
            assert not re.search(r"://[^/@\s]+:[^/@\s]+@", str(value))


def test_dependencies_are_installed_with_hashes() -> None:
    """The image installs the same hashed lock as everybody else, and nothing by hand."""
    installs = [rest for word, rest in instructions() if word == "RUN" and "pip install" in rest]

    assert all("--require-hashes" in line or "--no-deps" in line for line in installs)
    assert not [rest for word, rest in instructions() if word in {"ADD", "ONBUILD"}]


def test_the_settings_of_the_container_are_accepted() -> None:
    """The files that the image mounts pass the same checks as an operator's own."""
    settings = load_settings(DOCKER / "gateway/gateway.yaml")

    assert settings.problems() == []
    assert load_registry(DOCKER / "gateway/registry.yaml", plain_http=False).operator.role == "processor"
