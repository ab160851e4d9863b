"""Which of many runs are part of every test run, and which are left to the night."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from _pytest.mark import ParameterSet


def sampled(values: Iterable[object], *, one_of: int) -> list[ParameterSet]:
    """Return the values as parameters; but for one of so many they are marked as nightly."""
    return [
        pytest.param(value, id=str(value), marks=[pytest.mark.nightly] if number % one_of else [])
        for number, value in enumerate(values)
    ]
