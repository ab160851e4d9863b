"""Which key a user may have meant."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

_COMMON: Final = re.compile(r"^(?:aws-)?(?:load-?balancer-)?")
"""What most keys begin with, well or badly spelt; compared with it, any two keys look alike."""


def nearest_key(given: str, known: Iterable[str]) -> str:
    """Return the known full key nearest to `given`, or an empty text when none is near."""
    by_distinct_part = {_distinct_part(key): key for key in known}
    near = get_close_matches(_distinct_part(given), by_distinct_part, n=1)
    return by_distinct_part[near[0]] if near else ""


def _distinct_part(key: str) -> str:
    return _COMMON.sub("", key.rpartition("/")[2].lower())
