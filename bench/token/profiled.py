"""Run a `mydata` command under cProfile: `python -m bench.token.profiled FILE serve ...`."""

from __future__ import annotations

import cProfile
import sys

from gateway.cli import main


def run() -> int:
    """Run the command; write the profile of its main thread when it has ended."""
    file, sys.argv[1:] = sys.argv[1], sys.argv[2:]
    profile = cProfile.Profile()
    try:
        return profile.runcall(main)
    finally:
        profile.dump_stats(file)


if __name__ == "__main__":
    sys.exit(run())
