"""The list of tests that do not run on a real API server names tests that there are."""

from __future__ import annotations

import re

import pytest

from tests.support.committed import ROOT
from tests.support.real_cluster.exceptions import CANNOT_RUN, why_not


@pytest.mark.parametrize("entry", CANNOT_RUN)
def test_an_entry_names_a_test_that_there_is(entry: str) -> None:
    file, _, test = entry.partition("::")
    function = test.partition("[")[0]

    assert (ROOT / file).exists()
    if function:
        assert re.search(rf"^def {function}\(", (ROOT / file).read_text("utf-8"), re.MULTILINE)


def test_an_entry_is_for_all_that_is_in_it_and_nothing_else() -> None:
    assert why_not("tests/integration/local/test_http.py::test_a") is not None
    assert why_not("tests/integration/test_old_api_server.py::test_a[1]") is not None
    assert why_not("tests/integration/test_service_life.py::test_a") is None
    assert why_not("tests/integration/locally/test_a.py::test_a") is None
