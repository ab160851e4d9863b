"""AWS answers what exists when it is asked for the same once more, even on behalf of another stack."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lbcontroller.errors import Refused
from lbcontroller.local.aws import LocalAws
from lbcontroller.local.aws.life_cycle import Timing
from lbcontroller.model.identity import StackId, TagFamily, Tracked, tracking_tags
from lbcontroller.model.resources import LoadBalancer, Stack, TargetGroup
from tests.support.aws_access import AwsUnderTest
from tests.support.manual_clock import ManualClock
from tests.support.nlb_stacks import CLUSTER, STACK, NlbService

OTHER = StackId(TagFamily.SERVICE, "shop/other")


@pytest.mark.parametrize("kind", [LoadBalancer, TargetGroup])
def test_what_another_stack_is_just_making_is_not_taken_from_it(
    local_aws: LocalAws, kind: type[LoadBalancer | TargetGroup]
) -> None:
    account = AwsUnderTest(local_aws)
    local_aws.life_cycle.timing = Timing(now=ManualClock(), provisioning_seconds=120)
    whole = account.here(NlbService(name="shared-front", own_group=False).stack())
    [resource] = [item for item in whole.resources if isinstance(item, kind)]
    tags = tracking_tags(CLUSTER, Tracked(OTHER, resource.id.name))
    account.reconcile(Stack(STACK, (resource,)))

    with pytest.raises(Refused, match="do not say that it belongs here"):
        account.reconcile(Stack(OTHER, (replace(resource, tags=tags),)))

    assert account.observer.observe(OTHER) == ()
    assert len(account.observer.observe(STACK)) == 1
