"""The same server over https as the conformance tests use."""

from __future__ import annotations

from tests.conformance.conftest import authority, demanding, stage

__all__ = ["authority", "demanding", "stage"]
