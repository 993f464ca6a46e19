"""What a verifier brings along and does not take from the log: keys, policy, how old is too old."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from .note import LOG, ML_DSA, Head, Key, named, open_note
from .policy import Policy
from .report import Finding, Report


@dataclass(frozen=True)
class Trust:
    """The log's keys (Ed25519 first), the policy if there is one, the greatest age in seconds."""

    keys: tuple[Key, ...]
    policy: Policy | None = None
    max_age: int | None = None
    now: Callable[[], float] = time.time

    @classmethod
    def of(cls, keys: list[str], policy: bytes | None = None, max_age: int | None = None) -> Trust:
        """Read keys and policy; raises Finding `key_unreadable`, `policy_unreadable`."""
        read = [Key(keys[0]), *(Key(text, (LOG, ML_DSA)) for text in keys[1:])]
        asked = Policy.read(policy) if policy is not None else None
        if asked and asked.logs:
            called = named(asked.logs, read[0].name)  # the policy may name the shard of another year
            own = {key.raw: key for key in called if key.name == read[0].name}
            if read[0].raw not in own:
                raise Finding("policy_unreadable", "--policy", "it does not name the log of --key")
            have = {key.raw for key in read}
            read += [key for raw, key in own.items() if raw not in have]
        if any(key.name != read[0].name for key in read):
            raise Finding("key_unreadable", "--key", "keys of two logs")
        return cls(tuple(read), asked, max_age)

    def open(self, note: bytes, where: str, *, whole: bool) -> Head:
        """The checkpoint in `note`, of whichever year's shard, signed by the log and by nobody unknown."""
        witnesses = list(self.policy.witnesses.values()) if self.policy else []
        origin = note.partition(b"\n")[0].decode(errors="replace")
        return open_note(note, named(self.keys, origin), where, witnesses, whole=whole)

    def judge(self, head: Head, report: Report) -> None:
        """Whether enough witnesses cosigned, lately enough: Finding `quorum_missing`, `checkpoint_stale`."""
        report.cosigned = {name: at for (name, _), at in head.times.items()}
        if self.policy is None:
            return
        now = self.now()
        if not self.policy.met(head, None, now):
            raise Finding("quorum_missing", "checkpoint", "fewer witnesses cosigned than the policy asks for")
        if self.policy.quorum != "none":
            report.did("quorum")
        if self.max_age is not None:
            if not self.policy.met(head, now - self.max_age, now):
                raise Finding(
                    "checkpoint_stale", "checkpoint", f"no quorum cosigned it within {self.max_age} s"
                )
            report.did("freshness")
