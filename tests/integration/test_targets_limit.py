"""The most targets that one target group may have."""

from __future__ import annotations

import pytest

from lbcontroller.local.aws.life_cycle import Draining, Timing
from tests.support.own_target_groups import a_target_group, an_app, bind, targets, warnings
from tests.support.yard import Yard

pytestmark = pytest.mark.parametrize(
    "yard",
    [{"max-targets-per-target-group": "3", "targetgroupbinding-requeue-duration": "1s"}],
    indirect=True,
)


def test_what_is_over_the_limit_is_told_and_registered_as_soon_as_there_is_room(yard: Yard) -> None:
    yard.cluster.aws.life_cycle.restart(Timing(draining=Draining.SKIPPED))
    arn = a_target_group(yard)
    yard.apply(an_app(replicas=4))
    bind(yard, targetGroupARN=arn)
    yard.kubernetes.wait_for(lambda: bool(warnings(yard)))

    assert len(targets(yard, arn)) == 3
    assert warnings(yard) == [
        "1 of 4 targets are not registered: a target group may have 3 (--max-targets-per-target-group)"
    ]

    yard.patch("deployment", "app", {"spec": {"replicas": 3}})
    yard.kubernetes.wait_for(lambda: len(yard.pod_ips("app")) == 3)
    yard.settle()
    assert set(targets(yard, arn)) == yard.pod_ips("app")
