"""A controller that takes over what LBC built: it changes nothing, and cleans up after itself later."""

from __future__ import annotations

import pytest

from tests.conformance import adoption, runs, world
from tests.conformance.compare import differences
from tests.conformance.lists import Aspect, deliberate_in, unexplained
from tests.conformance.recorded import case_names, recorded_case
from tests.support.yard import Yard

PUBLISHED = [name for name in case_names() if not recorded_case(name).nothing_published]


@pytest.mark.parametrize("name", PUBLISHED)
def test_what_lbc_left_is_taken_over_untouched_and_goes_with_its_objects(name: str, idle_yard: Yard) -> None:
    case, cluster = recorded_case(name), idle_yard.cluster
    adoption.put(case, cluster)
    put = runs.document_of(case, cluster)
    assert [str(difference) for difference in differences(runs.recorded_document(case), put)] == []

    adopted = adoption.adopt(idle_yard)
    problems = list(
        unexplained(list(differences(adoption.UNTOUCHED, adopted)), deliberate_in(name, Aspect.ADOPTION))
    )
    assert not problems, "\n".join(problems)

    left = runs.delete(case, idle_yard)
    if left["load_balancers"]:
        left = runs.lift_protection(case, idle_yard)
    made = world.made_objects(case, cluster)
    world.leave(case, cluster)
    assert (left, made) == (runs.NOTHING_LEFT, [])
