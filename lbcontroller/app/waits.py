"""How the program waits where nothing is due yet: a test that runs the whole of it need not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from lbcontroller.aws.caller import Timing
from lbcontroller.controller.worker import others_wait
from lbcontroller.kube.informer import Rhythm


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """The waits that queues do not decide about."""

    calls: Timing = field(default_factory=lambda: Timing(may_linger=lambda: not others_wait()))
    """Of calls to AWS: for our own limits, and before they are tried again."""
    watches: Rhythm = field(default_factory=Rhythm)
    """Of watches, before they begin again."""


REAL_WAITS: Final = Waits()
"""Waits are waited for."""
