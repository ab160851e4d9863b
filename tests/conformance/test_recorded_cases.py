"""What the controller makes of the recorded manifests, compared with what LBC left, field by field.

Read `verdicts` for what it takes to pass, and deliberate.yaml for what differs on purpose.
"""

from __future__ import annotations

import pytest

from lbcontroller.local.apiserver.status import ApiError
from tests.conformance.lists import refusals, waiting
from tests.conformance.recorded import case_names, recorded_case
from tests.conformance.verdicts import is_refused, problems_with
from tests.support.yard import Yard

PASSING = [name for name in case_names() if name not in waiting()]


@pytest.mark.parametrize("name", PASSING)
def test_a_case_ends_as_recorded_and_leaves_nothing_when_deleted(name: str, yard: Yard) -> None:
    problems = problems_with(recorded_case(name), yard)

    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("name", sorted(waiting()))
def test_a_case_that_waits_for_its_feature_does_not_pass_yet(name: str, yard: Yard) -> None:
    try:
        problems = problems_with(recorded_case(name), yard)
    except ApiError as error:  # a kind that is not served yet
        problems = [str(error)]

    assert problems, f"{name} passes: take it off waiting.yaml"


def test_every_refused_case_has_words_for_its_user_and_no_other_has() -> None:
    stated = refusals()

    assert sorted([*stated.before_the_first_write, *stated.by_aws]) == [
        name for name in PASSING if is_refused(recorded_case(name))
    ]
