from __future__ import annotations

from dataclasses import replace

import pytest

from lbcontroller.model.enums import TargetHealthState
from lbcontroller.model.observed import Target, TargetHealth
from lbcontroller.plan.targets import TargetChanges, identifier, in_the_way, plan_targets

A = Target(id="10.0.0.1", port=80)
B = Target(id="10.0.0.2", port=80)


def health(state: TargetHealthState) -> TargetHealth:
    return TargetHealth(state=state)


def test_targets_come_and_go_in_order() -> None:
    wanted = frozenset({Target(id="b", port=1), Target(id="a", port=2), Target(id="a", port=1)})
    assert plan_targets(wanted, {A: health(TargetHealthState.HEALTHY)}) == TargetChanges(
        register=(Target(id="a", port=1), Target(id="a", port=2), Target(id="b", port=1)), deregister=(A,)
    )


@pytest.mark.parametrize("state", sorted(set(TargetHealthState) - {TargetHealthState.DRAINING}))
def test_a_registered_target_is_registered_whatever_its_health(state: TargetHealthState) -> None:
    assert plan_targets(frozenset({A}), {A: health(state)}) == TargetChanges()
    assert plan_targets(frozenset(), {A: health(state)}) == TargetChanges(deregister=(A,))


def test_a_draining_target_is_taken_back_when_it_is_wanted_and_left_alone_when_not() -> None:
    draining = health(TargetHealthState.DRAINING)
    assert plan_targets(frozenset({A}), {A: draining, B: draining}) == TargetChanges(register=(A,))


def test_the_zone_is_not_part_of_a_targets_identity() -> None:
    outside = Target(id="192.0.2.1", port=80, zone="all")
    inside = Target(id="192.0.2.1", port=80)
    assert plan_targets(frozenset({inside}), {outside: health(TargetHealthState.HEALTHY)}) == TargetChanges()
    assert plan_targets(frozenset(), {outside: health(TargetHealthState.HEALTHY)}).deregister == (outside,)
    assert plan_targets(frozenset({inside, outside}), {}).register == (inside,)


def test_a_changed_quic_server_id_is_another_target() -> None:
    old, new = replace(A, quic_server_id="0x01"), replace(A, quic_server_id="0x02")
    changes = plan_targets(frozenset({new}), {old: health(TargetHealthState.HEALTHY)})
    assert changes == TargetChanges(register=(new,), deregister=(old,))
    assert plan_targets(frozenset({new}), {new: health(TargetHealthState.HEALTHY)}) == TargetChanges()


def test_targets_are_written_down_with_their_quic_server_id() -> None:
    assert identifier(A) == "10.0.0.1:80"
    assert identifier(replace(A, quic_server_id="0x01")) == "10.0.0.1:80:0x01"


def test_what_leaves_first_is_on_the_address_and_port_of_what_comes() -> None:
    old, new = replace(A, quic_server_id="0x01"), replace(A, quic_server_id="0x02")
    assert in_the_way((new,), (old, B, replace(old, port=81))) == (old,)
