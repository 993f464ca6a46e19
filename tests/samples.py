"""Where published sample files are, if this machine has them."""

from __future__ import annotations

import os
from pathlib import Path


def samples_dir() -> Path | None:
    """The folder of published samples: MYDATA_SAMPLES, else ../shared/samples beside this repository."""
    named = os.environ.get("MYDATA_SAMPLES")
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "samples"
    return folder if folder.is_dir() else None


def reference_dir() -> Path | None:
    """The folder of published lists: MYDATA_REFERENCE, else ../shared/reference beside this repository."""
    named = os.environ.get("MYDATA_REFERENCE")
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "reference"
    return folder if folder.is_dir() else None
