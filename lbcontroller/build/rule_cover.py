"""Whether a rule is for every request that another rule is for. It never says so wrongly; it may miss it.

Patterns are AWS's: `*` stands for any text, `?` for one character, and hosts are compared without case.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from lbcontroller.model.rule_conditions import Condition, HostCondition, PathCondition

CACHED_PATTERNS = 4096
"""Pairs of patterns that are remembered: rules of a listener are compared with each other at every build."""


def covers(wide: Sequence[Condition], narrow: Sequence[Condition]) -> bool:
    """Return whether every request that meets `narrow` meets `wide` too."""
    return all(
        any(_implied(condition, other) for other in narrow) or _is_always_met(condition) for condition in wide
    )


def _is_always_met(condition: Condition) -> bool:
    match condition:
        case HostCondition(values=values):
            return "*" in values
        case PathCondition(values=values):
            return "*" in values or "/*" in values
        case _:
            return False


def _implied(condition: Condition, by: Condition) -> bool:
    """Return whether meeting `by` means meeting `condition`."""
    if condition == by:
        return True
    match condition, by:
        case HostCondition(), HostCondition():
            return _all_match(
                [value.lower() for value in condition.values], [value.lower() for value in by.values]
            ) and set(by.regexes) <= set(condition.regexes)
        case PathCondition(), PathCondition():
            return _all_match(condition.values, by.values) and set(by.regexes) <= set(condition.regexes)
        case _:
            return False


def _all_match(wide: Iterable[str], narrow: Iterable[str]) -> bool:
    patterns = tuple(wide)
    return all(any(pattern_covers(pattern, value) for pattern in patterns) for value in narrow)


@lru_cache(maxsize=CACHED_PATTERNS)
def pattern_covers(wide: str, narrow: str) -> bool:
    """Return whether every text that fits the pattern `narrow` fits the pattern `wide`."""
    if "*" not in wide and "?" not in wide:
        return wide == narrow
    # A star of `narrow` may be any text, so only a star of `wide` takes it; likewise for single characters.
    fits = [[False] * (len(narrow) + 1) for _ in range(len(wide) + 1)]
    fits[0][0] = True
    for row, sign in enumerate(wide, start=1):
        fits[row][0] = sign == "*" and fits[row - 1][0]
        for column, character in enumerate(narrow, start=1):
            if sign == "*":
                fits[row][column] = fits[row - 1][column] or fits[row][column - 1]
            else:
                same = sign == character or (sign == "?" and character != "*")
                fits[row][column] = same and fits[row - 1][column - 1]
    return fits[len(wide)][len(narrow)]
