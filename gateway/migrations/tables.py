"""Every table of the product, so that metadata is whole wherever it is compared or created."""

from __future__ import annotations

from sqlmodel import SQLModel

import consent.ledger_tables
import consent.subjects
import consent.tables
import gateway.oauth.tables
import gateway.policy.tables
import gateway.security.tables
import gateway.transfers.tables  # noqa: F401

metadata = SQLModel.metadata
