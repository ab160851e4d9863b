"""On how many examples a law is tried: on some in each run of the tests, on all by `make test-laws`."""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import Final

from hypothesis import HealthCheck, settings

THOROUGH: Final = os.environ.get("LAWS") == "thorough"
DEFAULT_EXAMPLES: Final = 100
_PART: Final = 10
"""One in how many of the examples is tried in every run."""


def law(examples: int = DEFAULT_EXAMPLES, *, suppress_health_check: Collection[HealthCheck] = ()) -> settings:
    """Return the settings of a law that takes so many examples to be believed."""
    return settings(
        max_examples=examples if THOROUGH else examples // _PART,
        deadline=None,
        suppress_health_check=suppress_health_check,
    )
