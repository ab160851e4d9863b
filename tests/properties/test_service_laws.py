"""Laws of building Services, annotated at random, and of planning what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from hypothesis import HealthCheck, assume, given
from hypothesis import strategies as st

from lbcontroller.build.result import BuildResult
from lbcontroller.build.service import build_service_stack
from lbcontroller.cluster.service import Service
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.errors import InvalidConfig
from lbcontroller.model.inventory import ExistingLoadBalancer, Inventory
from lbcontroller.model.observed import ObservedListener, ObservedLoadBalancer
from lbcontroller.model.resources import Listener, LoadBalancer, Stack
from lbcontroller.plan.planner import plan
from lbcontroller.plan.policies import TagPolicy
from lbcontroller.settings import Settings
from tests.support.inventories import CLUSTER, an_inventory
from tests.support.laws import law
from tests.support.planned_aws import PlannedAws
from tests.support.random_services import BACKEND, annotated, services

SETTINGS = Settings.parse({"cluster-name": CLUSTER})
INVENTORY = an_inventory()
SERVICES = services(annotated())
HOSTILE = services(annotated(lambda _: st.text(max_size=40)))
LAW = law(
    # Half of the Services at random cannot be satisfied, which is as it should be.
    suppress_health_check=[HealthCheck.filter_too_much]
)
K = TypeVar("K")
V = TypeVar("V")


def outcome(
    service: Service, inventory: Inventory = INVENTORY, *, reverse: bool = False
) -> BuildResult | tuple[str, ...]:
    """Return what is built, or the problems; any other exception is a bug."""
    known = {service.meta.name: service, BACKEND.meta.name: BACKEND}
    snapshot = Snapshot(services=turned(known) if reverse else known)
    try:
        return build_service_stack(service, snapshot, inventory, SETTINGS)
    except InvalidConfig as error:
        return tuple(str(problem) for problem in error.problems)


def built(service: Service, inventory: Inventory = INVENTORY) -> Stack:
    """Return the stack of a Service that can be satisfied; others are no examples."""
    result = outcome(service, inventory)
    assume(isinstance(result, BuildResult))
    assert isinstance(result, BuildResult)
    return result.stack


def turned(mapping: Mapping[K, V]) -> dict[K, V]:
    return dict(reversed(tuple(mapping.items())))


def after(aws: PlannedAws) -> Inventory:
    """Return the facts for the next build: what a load balancer has is taken from it."""
    newest: ObservedLoadBalancer = aws.of(LoadBalancer)[-1]
    resource = newest.resource
    assert isinstance(resource.subnets, tuple)
    listeners: list[ObservedListener] = aws.of(Listener)
    existing = ExistingLoadBalancer(
        scheme=resource.scheme,
        subnets=tuple(mapping.subnet for mapping in resource.subnets),
        has_security_groups=bool(resource.security_groups),
        listeners={
            item.resource.port: item.resource.protocol
            for item in listeners
            if item.resource.load_balancer == newest.arn
        },
    )
    return replace(INVENTORY, existing=existing)


@LAW
@given(SERVICES)
def test_every_service_is_built_or_told_all_that_is_wrong(service: Service) -> None:
    result = outcome(service)
    if isinstance(result, tuple):
        assert result
        assert all(result)
    else:
        assert result.stack.resources


@LAW
@given(HOSTILE)
def test_hostile_texts_are_read_or_refused(service: Service) -> None:
    outcome(service)


@LAW
@given(SERVICES)
def test_no_order_of_what_is_given_has_an_influence(service: Service) -> None:
    meta = replace(service.meta, annotations=turned(service.meta.annotations))
    inventory = replace(
        INVENTORY, subnets=turned(INVENTORY.subnets), security_groups=turned(INVENTORY.security_groups)
    )
    assert outcome(replace(service, meta=meta), inventory, reverse=True) == outcome(service)


@LAW
@given(SERVICES)
def test_what_was_carried_out_needs_no_further_step(service: Service) -> None:
    aws = PlannedAws()
    aws.converge(built(service))

    again = built(service, after(aws))
    assert plan(again, aws.observed(), aws.policy()).is_settled


@LAW
@given(SERVICES, SERVICES)
def test_any_service_can_become_any_other_and_vanish(first: Service, second: Service) -> None:
    aws = PlannedAws()
    aws.converge(built(first))
    wanted = built(second, after(aws))

    aws.converge(wanted)
    assert plan(wanted, aws.observed(), aws.policy()).is_settled
    aws.converge(Stack(wanted.id))
    assert not aws.items


@LAW
@given(SERVICES, SERVICES)
def test_what_others_added_stays_as_it_is(first: Service, second: Service) -> None:
    aws = PlannedAws()
    aws.converge(built(first))
    front: ObservedLoadBalancer = aws.of(LoadBalancer)[0]
    tagged = {**dict(front.resource.tags), "owner": "somebody"}  # type: ignore[arg-type] # read
    aws.edit(front.arn, tags=tagged)
    foreign = aws.add_listener_by_hand(front.arn, aws.of(Listener)[0].resource, 9999)
    by_hand = aws.items[foreign]
    wanted = built(second, after(aws))
    assume(_stays(front, wanted))

    # It never settles when the foreign listener sends to a target group that is not wanted any more.
    for _ in range(4):
        aws.reconcile(wanted, tags=TagPolicy.KEEP_FOREIGN)
        aws.settle()

    assert aws.items[foreign] == by_hand
    assert aws.of(LoadBalancer)[0].resource.tags["owner"] == "somebody"


def _stays(front: ObservedLoadBalancer, wanted: Stack) -> bool:
    """Whether the load balancer is not replaced."""
    return all(
        resource.scheme is front.resource.scheme
        for resource in wanted.resources
        if isinstance(resource, LoadBalancer)
    )
