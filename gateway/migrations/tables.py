"""Every table of the product, so that metadata is whole wherever it is compared or created."""

from __future__ import annotations

from sqlmodel import SQLModel

from consent import (
    account_tables,
    ending_tables,
    invitations,
    ledger_tables,
    mandates,
    notices,
    rights_tables,
    subjects,
)
from consent import tables as consent_tables
from gateway.awareness import tables as awareness_tables
from gateway.oauth import openid_tables
from gateway.oauth import tables as oauth_tables
from gateway.policy import tables as policy_tables
from gateway.retention import tables as retention_tables
from gateway.security import ages
from gateway.security import tables as security_tables
from gateway.support import readiness
from gateway.transfers import calls
from gateway.transfers import tables as transfer_tables

OWNERS = (
    account_tables,
    invitations,
    mandates,
    ending_tables,
    ledger_tables,
    subjects,
    consent_tables,
    notices,
    rights_tables,
    oauth_tables,
    openid_tables,
    policy_tables,
    retention_tables,
    security_tables,
    ages,
    transfer_tables,
    calls,
    readiness,
    awareness_tables,
)
metadata = SQLModel.metadata
