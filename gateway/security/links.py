"""The links by which holders know a citizen, sealed under the citizen's own key."""

from __future__ import annotations

from consent.subjects import SubjectId, SubjectKey


def seal_link(key: SubjectKey, subject: SubjectId, holder: str, link: str) -> bytes:
    """The stored form of `link`; opens only for this citizen and this holder."""
    return key.seal(link.encode(), _context(subject, holder))


def open_link(key: SubjectKey, subject: SubjectId, holder: str, sealed: bytes) -> str:
    """The link again; SubjectError `subject_unreadable` for bytes sealed for anybody else."""
    return key.unseal(sealed, _context(subject, holder)).decode()


def _context(subject: SubjectId, holder: str) -> str:
    return f"holder-link/{subject}/{holder}"
