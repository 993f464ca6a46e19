"""Run a `mydata` command, profiled from SIGUSR1 on: `python -m bench.token.profiled FILE serve ...`."""

from __future__ import annotations

import cProfile
import signal
import sys

from gateway.cli import main


def run() -> int:
    """Run the command; write the profile of its main thread, since the signal, when it has ended."""
    file, sys.argv[1:] = sys.argv[1], sys.argv[2:]
    profile = cProfile.Profile()
    signal.signal(signal.SIGUSR1, lambda *_: profile.enable())
    try:
        return main()
    finally:
        profile.disable()
        profile.dump_stats(file)


if __name__ == "__main__":
    sys.exit(run())
