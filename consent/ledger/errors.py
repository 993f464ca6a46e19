"""What the pure formats refuse.

LedgerFormatError     the one error: `code` is stable, the message never holds payload bytes
"""

from __future__ import annotations


class LedgerFormatError(ValueError):
    """Bytes or values that do not have the one form this log allows."""

    code = "ledger_format"
