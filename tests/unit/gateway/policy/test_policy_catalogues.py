"""`--catalogue` and the setting `catalogues`: the same bytes, and a holder of no known sector is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from consent.catalogue import load as load_catalogue
from gateway.cli import main
from gateway.parts import holder_of
from gateway.policy.bundle import load, unpack
from gateway.policy.reference import with_sectors
from gateway.registry import HolderEntry, IdentityProvider, Operator, Registry, Words
from gateway.settings import SettingsError

EIGHT = Path(__file__).resolve().parents[4] / "consent/catalogue/roadmap/eight"


def test_a_bundle_packed_with_a_folder_is_the_policy_a_gateway_with_it_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is packed for OPA has the revision the gateway expects."""
    file = tmp_path / "mydata.tar.gz"
    assert main(["policy", "bundle", str(file), "--catalogue", str(EIGHT)]) == 0
    wanted = with_sectors(load(), load_catalogue(None, EIGHT))
    assert unpack(file.read_bytes()) == wanted
    assert wanted.revision in capsys.readouterr().out
    assert main(["policy", "revision"]) == 0
    assert capsys.readouterr().out.strip() == load().revision != wanted.revision


def test_a_holder_of_a_sector_without_a_standard_stops_the_start_by_name() -> None:
    """The finding names the holder and the sector; nothing was called."""
    words = Words(ko="날씨", en="Weather")
    holder = HolderEntry("weather-one", "weather", words, "http://127.0.0.1:9", "ZZAA000009")
    registry = Registry(
        Operator("sandbox", "gateway", words, "x@y.example"),
        IdentityProvider("http://127.0.0.1:8", "mydata", words),
        (holder,),
        (),
    )
    with pytest.raises(SettingsError, match=r"MYDATA\.R011 weather-one: there is no connector") as caught:
        holder_of(registry)
    assert len(caught.value.problems) == 1
