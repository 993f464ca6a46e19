"""CPU time of other processes: user and system, all their threads, in nanoseconds. Linux only."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path

_TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def spent(pids: Iterable[int]) -> int:
    """utime + stime of `pids` and of their ended, waited-for children.

    A living process is read by its CPU clock (`clock_getcpuclockid(3)`), which has no ticks: a database
    with twenty backends would lose a tick in each.
    """
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ended_children = (int(fields[13]) + int(fields[14])) * _TICK_NS
        total += time.clock_gettime_ns((~pid << 3) | 2) + ended_children
    return total


def family(pid: int) -> list[int]:
    """`pid` and its children (the backends of a database server)."""
    found = [pid]
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
            except OSError:
                continue
            if int(parent) == pid:
                found.append(int(entry.name))
    return found


def pin(pids: Iterable[int], cpu: int) -> None:
    """Keep the processes, and what they will start, on one core; no effect on a machine with one."""
    cores = sorted(os.sched_getaffinity(0) | {cpu}) if os.cpu_count() == 1 else [cpu]
    for pid in pids:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), cores)
