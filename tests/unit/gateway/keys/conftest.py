"""Settings on disk for the commands about keys."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from sqlalchemy import create_engine
from sqlmodel import SQLModel

from gateway.demo.participants import HOLDERS, registry
from gateway.keys import create_keys


@pytest.fixture
def settings_file(tmp_path: Path) -> Path:
    """The settings of a gateway with keys, a registry and an empty SQLite database."""
    create_keys(tmp_path / "keys")
    engine = create_engine(f"sqlite:///{tmp_path / 'mydata.db'}")
    SQLModel.metadata.create_all(engine)
    engine.dispose()
    participants = registry("http://127.0.0.1:1", dict.fromkeys(HOLDERS, "http://127.0.0.1:1"))
    (tmp_path / "registry.yaml").write_text(yaml.safe_dump(participants, allow_unicode=True))
    settings = {
        "profile": "demo",
        "issuer": "http://127.0.0.1:8080",
        "database": f"sqlite+aiosqlite:///{tmp_path / 'mydata.db'}",
        "keys": str(tmp_path / "keys"),
        "registry": str(tmp_path / "registry.yaml"),
    }
    (tmp_path / "gateway.yaml").write_text(yaml.safe_dump(settings))
    return tmp_path / "gateway.yaml"
