"""Why keys cannot be made or used."""

from __future__ import annotations


class KeysError(Exception):
    """Keys cannot be made or used. `code` is stable; the text names files and variables, never contents."""

    def __init__(self, code: str, message: str) -> None:
        """Refuse with `code`.

        keys_exist | keys_missing | keys_exposed | keys_unreadable | keys_unknown | keys_place_unusable.
        """
        super().__init__(message)
        self.code = code
