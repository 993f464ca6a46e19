"""The authorization server: FAPI 2.0, one endpoint a file, no HTML."""

from __future__ import annotations

from gateway.oauth.bearer import AuthenticatedClient, AuthenticatedCompany, ResourceServer
from gateway.oauth.interactions import Pending, Settlement
from gateway.oauth.ledger import Record
from gateway.oauth.routes import routes
from gateway.oauth.server import GatewayAuthorizationServer
from gateway.oauth.tokens import Minter

__all__ = [
    "AuthenticatedClient",
    "AuthenticatedCompany",
    "GatewayAuthorizationServer",
    "Minter",
    "Pending",
    "Record",
    "ResourceServer",
    "Settlement",
    "routes",
]
