"""Whether a load balancer is set up by now."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from lbcontroller.aws.caller import AwsCaller
from lbcontroller.aws.errors import is_not_found
from lbcontroller.aws.load_balancer_wire import seen_again
from lbcontroller.aws.mirror import Mirror
from lbcontroller.aws.operations import DESCRIBE_LOAD_BALANCERS
from lbcontroller.errors import NotReady
from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import LoadBalancerState, ObservedLoadBalancer


def read_state(caller: AwsCaller, mirror: Mirror, arn: Arn, now: datetime) -> LoadBalancerState | None:
    """Read the state of a load balancer and note it; None when it is gone, which its stack is told.

    Raises:
        LbControllerError: as `AwsCaller.call` does.
    """
    try:
        answer = caller.call(DESCRIBE_LOAD_BALANCERS, LoadBalancerArns=[arn])["LoadBalancers"][0]
    except NotReady as error:
        if not is_not_found(error):
            raise
        mirror.lose(arn)
        return None
    state = LoadBalancerState(answer["State"]["Code"])
    present, stack = mirror.find(arn), mirror.stack_of(arn)
    if isinstance(present, ObservedLoadBalancer) and stack is not None:
        mirror.record(stack, seen_again(replace(present, state=state), present, now))
    return state
