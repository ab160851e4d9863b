"""Whether one request can meet the conditions of two rules.

"No" is proven, from hosts, paths and methods; what cannot be proven is "perhaps".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import product
from typing import Final

from lbcontroller.model.rule_conditions import Condition, HostCondition, MethodCondition, PathCondition

_WILDCARD: Final = re.compile(r"[*?]")
_MEANING: Final = {"*": ".*", "?": "."}
_REMEMBERED: Final = 4096
"""Pairs of patterns whose comparison is kept: those of a large group come again with every plan."""


def may_overlap(first: Sequence[Condition], second: Sequence[Condition]) -> bool:
    """Return whether there may be a request that meets all conditions of both rules."""
    return not any(_exclude(one, other) for one, other in product(first, second))


def _exclude(one: Condition, other: Condition) -> bool:
    match one, other:
        case HostCondition(), HostCondition():
            # Hosts are compared without regard to case (ELBv2 API reference, HostHeaderConditionConfig).
            hosts = tuple(host.lower() for host in one.values), tuple(host.lower() for host in other.values)
            return not (one.regexes or other.regexes) and _nothing_in_common(*hosts)
        case PathCondition(), PathCondition():
            return not (one.regexes or other.regexes) and _nothing_in_common(one.values, other.values)
        case MethodCondition(), MethodCondition():
            return set(one.values).isdisjoint(other.values)
        case _:
            return False


def _nothing_in_common(patterns: Sequence[str], others: Sequence[str]) -> bool:
    return not any(_may_match_the_same(pattern, other) for pattern, other in product(patterns, others))


@lru_cache(maxsize=_REMEMBERED)
def _may_match_the_same(pattern: str, other: str) -> bool:
    """Return whether some text may match both patterns, in which `*` is any text and `?` any character."""
    if not _WILDCARD.search(pattern):
        return _matches(pattern, other)
    if not _WILDCARD.search(other):
        return _matches(other, pattern)
    return _one_begins_with_the_other(_head(pattern), _head(other)) and _one_begins_with_the_other(
        _head(pattern[::-1]), _head(other[::-1])
    )


def _matches(text: str, pattern: str) -> bool:
    expression = "".join(_MEANING.get(char) or re.escape(char) for char in pattern)
    return re.fullmatch(expression, text, re.DOTALL) is not None


def _head(pattern: str) -> str:
    """Return what every text that matches begins with."""
    return _WILDCARD.split(pattern, maxsplit=1)[0]


def _one_begins_with_the_other(text: str, other: str) -> bool:
    return text.startswith(other) or other.startswith(text)
