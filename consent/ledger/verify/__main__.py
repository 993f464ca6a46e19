"""`python -m verify` (or `python -m consent.ledger.verify`)."""

from __future__ import annotations

import sys

from .command import main

sys.exit(main())
