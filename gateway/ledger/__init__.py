"""What moves the log: sequencer, publisher, tile serving, export, a citizen's trail."""

from __future__ import annotations

from gateway.ledger.export import export
from gateway.ledger.log import Backlog, Inclusion, Log
from gateway.ledger.routes import routes
from gateway.ledger.trail import trail

__all__ = ["Backlog", "Inclusion", "Log", "export", "routes", "trail"]
