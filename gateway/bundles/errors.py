"""Why a bundle cannot be made. What an opener refuses is `gateway.bundles.open.BundleRejected`.

BundleError
├─ RulesError      field rules that no plan may be compiled from
└─ ManifestError   a manifest that would not be honest, or not fit
"""

from __future__ import annotations


class BundleError(Exception):
    """Base of every error of this package; `code` is stable; `params` are public, never a record's value."""

    def __init__(self, code: str, **params: object) -> None:
        """Refuse with `code`; `params` fill its public text."""
        named = ", ".join(f"{name}={value}" for name, value in params.items())
        super().__init__(f"{code}: {named}" if named else code)
        self.code = code
        self.params = params


class RulesError(BundleError):
    """Rules the linter refuses: see `gateway.bundles.fields.findings`."""


class ManifestError(BundleError):
    """What would be signed contradicts itself, mixes bases, or is too large (`manifest_*`)."""
