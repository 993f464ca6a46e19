"""Why consent refuses. Each error has a stable `code`, public `params`, and no personal value."""

from __future__ import annotations


class ConsentError(Exception):
    """Base of every refusal of this package; `code` is stable, `params` may be shown to anyone."""

    def __init__(self, code: str, **params: object) -> None:
        """Refuse with `code`; `params` fill its public text."""
        named = ", ".join(f"{name}={value}" for name, value in params.items())
        super().__init__(f"{code}: {named}" if named else code)
        self.code = code
        self.params = params


class CatalogueError(ConsentError):
    """A catalogue file cannot be used (`catalogue_invalid`) or does not know an id or a legal basis."""


class TermsError(ConsentError):
    """A request for data is not one this gateway can put before a citizen.

    At an OAuth door every code answers `invalid_authorization_details` (RFC 9396 5).
    """


class ChoiceError(ConsentError):
    """A citizen's choice does not fit what was offered: `choice_unknown`, `required_item_not_chosen`,
    `nothing_chosen`.
    """


class MoveError(ConsentError):
    """The consent cannot make this move: `consent_not_found`, `consent_move_illegal`, `consent_moved_on`."""


class ConsortiumError(ConsentError):
    """A consortium record is unusable, or an act lies outside it."""
