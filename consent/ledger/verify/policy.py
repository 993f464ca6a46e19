"""Who must have cosigned a checkpoint, and how lately: a C2SP tlog-policy file.

log <vkey> [<url>]                                     the log's keys; all of its name must have signed
witness <name> <vkey> [<url>]
group <name> <k>|any|all <name>...                     k of these, each used in one group only
quorum <name>|none
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .note import COSIGNER, LOG, ML_DSA, Head, Key
from .report import Finding

MAX_BYTES = 262_144
AHEAD_SECONDS = 300
"""A cosignature from further in the future than this counts for nothing."""


@dataclass
class Policy:
    """The file, read. `urls` has the address of each witness that has one, by its name in the file."""

    logs: list[Key] = field(default_factory=list)
    witnesses: dict[str, Key] = field(default_factory=dict)
    groups: dict[str, tuple[int, tuple[str, ...]]] = field(default_factory=dict)
    urls: dict[str, str] = field(default_factory=dict)
    quorum: str = ""

    @classmethod
    def read(cls, data: bytes) -> Policy:
        """Read a policy; raises Finding `policy_unreadable` naming the line."""
        policy = cls()
        if len(data) > MAX_BYTES or re.search(rb"[^\t\n\x20-\x7e\x80-\xff]", data):
            raise Finding("policy_unreadable", "--policy", "not a text of allowed characters")
        used: set[str] = set()
        for number, line in enumerate(data.decode("utf-8", errors="surrogateescape").split("\n"), 1):
            words = re.split(r"[ \t]+", line.strip(" \t"))
            if words[0] and not words[0].startswith("#"):
                policy._line(words, used, f"--policy line {number}")
        if not policy.quorum:
            raise Finding("policy_unreadable", "--policy", "it names no quorum")
        return policy

    def met(self, head: Head, since: float | None = None, now: float | None = None) -> bool:
        """Whether the quorum cosigned `head`; with `since`, only cosignatures made since then count."""
        late = None if now is None else now + AHEAD_SECONDS
        fresh = {
            key
            for key, at in head.times.items()
            if (since is None or at >= since) and (late is None or at <= late)
        }
        return self.quorum == "none" or self._said(self.quorum, fresh)

    def _said(self, name: str, fresh: set[tuple[str, bytes]]) -> bool:
        if name in self.witnesses:
            key = self.witnesses[name]
            return (key.name, key.id) in fresh
        threshold, members = self.groups[name]
        return sum(self._said(member, fresh) for member in members) >= threshold

    def _line(self, words: list[str], used: set[str], where: str) -> None:
        kind, count = words[0], len(words)
        if kind == "log" and count in (2, 3):
            self.logs.append(self._fresh(Key(words[1], (LOG, ML_DSA), where), where))
        elif kind == "witness" and count in (3, 4):
            self._named(words[1], where)
            self.witnesses[words[1]] = self._fresh(Key(words[2], (COSIGNER, ML_DSA), where), where)
            if count == 4:
                self.urls[words[1]] = words[3]
        elif kind == "group" and count >= 4:
            self._named(words[1], where)
            self.groups[words[1]] = self._group(words[2], tuple(words[3:]), used, where)
        elif kind == "quorum" and count == 2 and not self.quorum and self._defined(words[1]):
            self.quorum = words[1]
        else:
            raise Finding("policy_unreadable", where, "not a line of log, witness, group or the one quorum")

    def _group(
        self, wanted: str, members: tuple[str, ...], used: set[str], where: str
    ) -> tuple[int, tuple[str, ...]]:
        known = all(name != "none" and self._defined(name) for name in members)
        if not known or used.intersection(members) or len(set(members)) != len(members):
            raise Finding("policy_unreadable", where, "a member is unknown or used twice")
        used.update(members)
        named = {"any": 1, "all": len(members)}
        threshold = named.get(wanted) or (int(wanted) if re.fullmatch("[1-9][0-9]{0,4}", wanted) else 0)
        if not 1 <= threshold <= len(members):
            raise Finding("policy_unreadable", where, "more are asked for than there are members")
        return threshold, members

    def _defined(self, name: str) -> bool:
        return name == "none" or name in self.witnesses or name in self.groups

    def _named(self, name: str, where: str) -> None:
        if self._defined(name):
            raise Finding("policy_unreadable", where, "a name is defined twice")

    def _fresh(self, key: Key, where: str) -> Key:
        if any(key.raw == other.raw for other in (*self.logs, *self.witnesses.values())):
            raise Finding("policy_unreadable", where, "a key stands twice")
        return key
