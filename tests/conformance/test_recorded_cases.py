"""What the controller makes of the recorded manifests, compared with what LBC left, field by field.

Read `verdicts` for what it takes to pass, and deliberate.yaml for what differs on purpose.
"""

from __future__ import annotations

import pytest

from tests.conformance.lists import refusals
from tests.conformance.recorded import case_names, recorded_case
from tests.conformance.verdicts import is_refused, problems_with
from tests.support.yard import Yard


@pytest.mark.parametrize("name", case_names())
def test_a_case_ends_as_recorded_and_leaves_nothing_when_deleted(name: str, yard: Yard) -> None:
    problems = problems_with(recorded_case(name), yard)

    assert not problems, "\n".join(problems)


def test_every_refused_case_has_words_for_its_user_and_no_other_has() -> None:
    assert refusals().cases == [name for name in case_names() if is_refused(recorded_case(name))]
