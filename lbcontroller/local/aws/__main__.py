"""`python -m lbcontroller.local.aws`: the embedded AWS by itself, for other programs and for a look by hand.

It prints the variables that make an AWS SDK call it, as a shell takes them, and serves until it is ended.
"""

from __future__ import annotations

import shlex
import signal
import sys
import threading

from lbcontroller.local.aws import LocalAws
from lbcontroller.local.aws.world import World, seed


def main() -> int:
    """Serve an account with the network of one cluster."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with LocalAws() as aws:
        seed(aws, World())
        for name, value in aws.environment().items():
            sys.stdout.write(f"export {name}={shlex.quote(value)}\n")
        sys.stdout.flush()
        ended.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
