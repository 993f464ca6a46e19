"""A policy's way into force: built, approved by somebody else, activated; each step signed or entered.

Every function works in the caller's transaction and changes nothing when it refuses. The gateway itself
follows what is in force (following.py).
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.ext.asyncio import AsyncSession

from consent.events import Event
from consent.journal import Journal
from gateway.policy import opa_signature, revisions
from gateway.policy.bundle import PolicyBundle
from gateway.policy.errors import ApprovalRefused
from gateway.policy.signatures import (
    Signers,
    refuse_stranger,
    refuse_unless_approved,
    refuse_unless_built,
    sign,
)
from gateway.policy.tables import PolicyBundleRow


async def build(
    session: AsyncSession,
    bundle: PolicyBundle,
    signers: Signers,
    *,
    by: str,
    key: Ed25519PrivateKey,
    checked_by: str,
    at: int,
) -> None:
    """Keep `bundle`, signed by its builder; `checked_by`: the OPA that passed it. Twice is once."""
    refuse_stranger(signers, by, key)
    kept = await revisions.row(session, bundle.revision)
    if kept is not None and kept.built_signature is not None:
        if kept.built_by != by:
            raise ApprovalRefused(f"{bundle.revision}: was built by {kept.built_by} already")
        return
    signature = sign(key, "built", bundle.revision)
    await revisions.keep(session, bundle, at=at, built_by=by, checked_by=checked_by, signature=signature)


async def approve(
    session: AsyncSession,
    row: PolicyBundleRow,
    signers: Signers,
    *,
    by: str,
    key: Ed25519PrivateKey,
    at: int,
) -> None:
    """Sign as a second person. Raises ApprovalRefused for the builder, a stranger, or a second approval."""
    refuse_unless_built(row, signers)
    bundle = revisions.opened(row)
    refuse_stranger(signers, by, key)
    if by == row.built_by:
        raise ApprovalRefused(f"{by} built this revision; somebody else has to approve it")
    signature = sign(key, "approved", row.revision)
    for_opa = opa_signature.signed(bundle.members, key, by)
    if not await revisions.approve(session, row.revision, by=by, signature=signature, for_opa=for_opa, at=at):
        raise ApprovalRefused(f"{row.revision}: was approved already")


async def activate(
    session: AsyncSession,
    journal: Journal,
    row: PolicyBundleRow,
    signers: Signers,
    *,
    by: str,
    party: str,
    at: int,
) -> None:
    """Put an approved revision in force and enter it; `party` is the operator's code in the ledger."""
    refuse_unless_approved(row, signers)
    revisions.opened(row)
    replaced = await revisions.active(session)
    if replaced == row.revision:
        raise ApprovalRefused(f"{row.revision}: is in force already")
    await revisions.activate(session, row.revision, by=by, at=at)
    payload: dict[str, object] = {
        "revision": row.revision,
        "replaced": replaced,
        "built_by": row.built_by,
        "approved_by": row.approved_by,
        "activated_by": by,
    }
    await journal.append(
        session, Event.POLICY_BUNDLE_ACTIVATED, subject=None, party=party, payload=payload, at=at
    )
