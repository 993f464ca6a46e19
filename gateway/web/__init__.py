"""The citizen's pages: sign-in, the question of consent, what was really sent, withdrawal. No scripts."""

from __future__ import annotations

from gateway.web.routes import routes
from gateway.web.site import Site

__all__ = ["Site", "routes"]
