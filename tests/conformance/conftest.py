from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.yards import Yards
from tests.support.yard import Yard


@pytest.fixture(scope="module")
def yards(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yards]:
    """One cluster for the cases of a module, made anew after a case that left something behind."""
    folder: Path = tmp_path_factory.mktemp("yards")
    with Yards(folder) as pool:
        yield pool


@pytest.fixture
def yard(yards: Yards) -> Yard:
    """A cluster in its first state, with a running controller."""
    return yards.clean()


@pytest.fixture
def idle_yard(yards: Yards) -> Yard:
    """A cluster in its first state whose controller does not run until it is started."""
    yard = yards.clean()
    yard.stop_controller()
    return yard
