"""The registry of participants: strict, and only origins may be called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.registry import load_registry
from gateway.settings import SettingsError

GOOD: dict[str, Any] = {
    "operator": {
        "role": "sandbox",
        "code": "mydata-gateway",
        "name": {"ko": "운영기관", "en": "Operator"},
        "contact": "privacy@mydata.example",
    },
    "identity": {
        "issuer": "https://id.example",
        "client_id": "gw",
        "name": {"ko": "본인확인", "en": "Identity"},
    },
    "holders": [
        {
            "id": "hanbit-bank",
            "sector": "finance",
            "name": {"ko": "한빛은행", "en": "Hanbit Bank"},
            "origin": "https://bank.example",
            "org_code": "HANBIT0001",
        }
    ],
    "consortia": [
        {
            "id": "consortium-1",
            "contract": "2026-01",
            "holders": ["hanbit-bank"],
            "recipients": ["deundeun-budget"],
            "sectors": ["finance"],
            "purposes": ["household-finance"],
            "start": "2026-01-01",
            "end": "2027-12-31",
        }
    ],
}


def write(tmp_path: Path, document: object) -> Path:
    """A registry file with this content."""
    file = tmp_path / "registry.yaml"
    file.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    return file


def test_a_good_registry_is_read(tmp_path: Path) -> None:
    """Participants are found by id; a stranger is not."""
    registry = load_registry(write(tmp_path, GOOD), plain_http=False)

    assert registry.holder("hanbit-bank") is not None
    assert registry.holder("stranger") is None


@pytest.mark.parametrize(
    ("path", "value", "finding"),
    [
        (("holders", 0, "origin"), "http://bank.example", "MYDATA.R001"),
        (("holders", 0, "origin"), "https://bank.example/path", "MYDATA.R002"),
        (("holders", 0, "origin"), "https://user@bank.example", "MYDATA.R002"),
        (("identity", "issuer"), "http://id.example", "MYDATA.R001"),
        (("consortia", 0, "holders"), ["nobody"], "MYDATA.R004"),
        (("holders", 0, "sector"), "Games of chance", "MYDATA.R010"),
        (("holders", 0, "extra"), "x", "MYDATA.R010"),
        (("operator", "role"), "owner", "MYDATA.R010"),
    ],
)
def test_an_unsafe_registry_is_refused(
    tmp_path: Path, path: tuple[str | int, ...], value: object, finding: str
) -> None:
    """Plain http, addresses that are no origins, unknown members and unknown holders are named."""
    document: Any = yaml.safe_load(yaml.safe_dump(GOOD))
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(SettingsError) as caught:
        load_registry(write(tmp_path, document), plain_http=False)

    assert any(line.startswith(finding) for line in caught.value.problems)


def test_a_holder_may_not_stand_twice(tmp_path: Path) -> None:
    """Two holders with one id are refused."""
    document = {**GOOD, "holders": GOOD["holders"] * 2}
    with pytest.raises(SettingsError, match=r"MYDATA\.R003"):
        load_registry(write(tmp_path, document), plain_http=False)
