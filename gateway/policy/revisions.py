"""Every policy that was ever built or in force, so that any decision can be made again on its own revision.

Bundles are never deleted and never changed; approval is written once. `activate` appends: which revision was
in force when is history.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from consent.repository import insert_or_keep
from gateway.policy.bundle import PolicyBundle, unpack
from gateway.policy.errors import BundleInvalid
from gateway.policy.tables import PolicyActivationRow, PolicyBundleRow

SHIPPED = "shipped"
"""Who built a policy that came with the code or the operator's own folder: nobody signed it here."""

_BUNDLE: Any = PolicyBundleRow.__table__  # type: ignore[attr-defined]
_ACTIVATION: Any = PolicyActivationRow.__table__  # type: ignore[attr-defined]


async def keep(
    session: AsyncSession,
    bundle: PolicyBundle,
    *,
    at: int,
    built_by: str = SHIPPED,
    checked_by: str = "",
    signature: bytes | None = None,
) -> None:
    """Store `bundle`; one that is already there stays as it is, but takes a builder in place of none."""
    values = {"built_by": built_by, "built_at": at, "checked_by": checked_by, "built_signature": signature}
    made = insert_or_keep(session, _BUNDLE, "revision")
    await session.execute(made.values(revision=bundle.revision, archive=bundle.tarball(), **values))
    if signature is not None:
        unsigned = (_BUNDLE.c.revision == bundle.revision) & _BUNDLE.c.built_signature.is_(None)
        await session.execute(update(_BUNDLE).where(unsigned).values(**values))


async def approve(
    session: AsyncSession, revision: str, *, by: str, signature: bytes, for_opa: str, at: int
) -> bool:
    """Write the approval of a built revision; False when there is one already or nothing to approve."""
    open_one = (_BUNDLE.c.revision == revision) & _BUNDLE.c.approved_by.is_(None)
    done = await session.execute(
        update(_BUNDLE)
        .where(open_one, _BUNDLE.c.built_signature.is_not(None))
        .values(approved_by=by, approved_at=at, approved_signature=signature, opa_signature=for_opa)
        .returning(_BUNDLE.c.revision)
    )
    return done.one_or_none() is not None


async def activate(session: AsyncSession, revision: str, *, by: str, at: int) -> None:
    """Append that `revision` is in force from now on. The caller has checked that it may be."""
    await session.execute(insert(_ACTIVATION).values(revision=revision, activated_by=by, at=at))


async def active(session: AsyncSession) -> str | None:
    """The revision put in force last; None while nothing ever was."""
    query = select(_ACTIVATION.c.revision).order_by(_ACTIVATION.c.n.desc()).limit(1)
    found: str | None = (await session.execute(query)).scalar_one_or_none()
    return found


async def history(session: AsyncSession) -> Sequence[PolicyActivationRow]:
    """Every activation, the latest first."""
    query = select(PolicyActivationRow).order_by(_ACTIVATION.c.n.desc())
    return (await session.execute(query)).scalars().all()


async def row(session: AsyncSession, revision: str) -> PolicyBundleRow | None:
    """What is kept of a revision."""
    return await session.get(PolicyBundleRow, revision)


async def find(session: AsyncSession, beginning: str) -> PolicyBundleRow | None:
    """The one kept revision that begins so (with or without `sha256:`); None for none or several."""
    whole = beginning if beginning.startswith("sha256:") else f"sha256:{beginning}"
    query = select(PolicyBundleRow).where(_BUNDLE.c.revision.startswith(whole, autoescape=True)).limit(2)
    found = (await session.execute(query)).scalars().all()
    return found[0] if len(found) == 1 else None


async def all_rows(session: AsyncSession) -> Sequence[PolicyBundleRow]:
    """Every kept revision, the oldest first."""
    query = select(PolicyBundleRow).order_by(_BUNDLE.c.built_at, _BUNDLE.c.revision)
    return (await session.execute(query)).scalars().all()


def opened(kept: PolicyBundleRow) -> PolicyBundle:
    """The policy in a kept row; raises BundleInvalid unless its contents give the revision it is kept by."""
    bundle = unpack(kept.archive)
    if bundle.revision != kept.revision:
        raise BundleInvalid(f"{kept.revision}: the kept bytes are those of {bundle.revision}")
    return replace(bundle, signature=kept.opa_signature or "")
