"""Receipts as the doors ask for them: which there are, and each made when asked for."""

from __future__ import annotations

from gateway.receipts.issuing import Receipts, hook
from gateway.receipts.listing import Listed, listed

__all__ = ["Listed", "Receipts", "hook", "listed"]
