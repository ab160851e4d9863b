"""How the program waits where nothing is due yet: a test that runs the whole of it need not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from lbcontroller.aws.caller import REAL_TIME, Timing
from lbcontroller.kube.informer import Rhythm


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """The waits that queues do not decide about."""

    calls: Timing = REAL_TIME
    """Of calls to AWS: for our own limits, and before they are tried again."""
    watches: Rhythm = field(default_factory=Rhythm)
    """Of watches, before they begin again."""


REAL_WAITS: Final = Waits()
"""Waits are waited for."""
