"""What a read changes in the mirror: whole or in part, and while others write or read."""

from __future__ import annotations

from typing import Any

import pytest

from lbcontroller.aws.mirror import Mirror
from lbcontroller.aws.mirror_index import Entry
from lbcontroller.model.enums import TargetHealthState
from lbcontroller.model.identity import StackId
from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import InAws, ObservedLoadBalancer, Target, TargetHealth
from tests.support.mirrors import (
    LB,
    LISTENER,
    RULE,
    TG,
    a_listener,
    a_load_balancer,
    a_rule_of_the_listener,
    a_target_group,
    filled,
    read_targets,
    users,
)
from tests.support.nlb_stacks import STACK


def bulk(mirror: Mirror, *observed: InAws, meanwhile: Any = lambda: None) -> frozenset[StackId]:
    with mirror.reading() as reading:
        meanwhile()
        return mirror.replace_all(reading, {item.arn: Entry(stack=STACK, observed=item) for item in observed})


def partly_read(mirror: Mirror, *observed: InAws) -> None:
    with mirror.reading() as reading:
        found = {item.arn: Entry(stack=STACK, observed=item) for item in observed}
        mirror.replace_all(reading, found, whole=False)


def test_a_bulk_read_tells_which_stacks_changed() -> None:
    mirror = filled()
    same = (a_load_balancer(), a_listener(), a_target_group())

    assert bulk(mirror, *same) == frozenset()
    assert bulk(mirror, a_load_balancer(name="other"), *same[1:]) == {STACK}
    assert bulk(mirror, *same[:2]) == {STACK}
    assert mirror.find(TG) is None


@pytest.mark.parametrize("vanished", [True, False])
def test_what_is_written_during_a_bulk_read_is_newer_than_the_read(vanished: bool) -> None:
    mirror = filled()
    same = (a_load_balancer(), a_listener(), a_target_group())

    if vanished:
        bulk(mirror, *same, meanwhile=lambda: mirror.forget(TG))
        assert mirror.find(TG) is None
    else:
        bulk(mirror, *same, meanwhile=lambda: mirror.amend(LB, attributes={"key": "new"}))
        balancer = mirror.find(LB)
        assert isinstance(balancer, ObservedLoadBalancer)
        assert balancer.resource.attributes == {"key": "new"}


def test_what_is_made_during_a_bulk_read_is_kept() -> None:
    mirror = filled()
    made = a_load_balancer(Arn("made"))

    bulk(
        mirror,
        a_load_balancer(),
        a_listener(),
        a_target_group(),
        meanwhile=lambda: mirror.record(STACK, made),
    )

    assert mirror.find(made.arn) == made


def test_of_two_reads_at_the_same_time_the_one_that_ends_later_does_not_bring_back_older_facts() -> None:
    mirror = filled()
    newer = a_load_balancer(name="newer")

    bulk(
        mirror,
        a_load_balancer(name="older"),
        a_listener(),
        a_target_group(),
        meanwhile=lambda: bulk(mirror, newer, a_target_group()),
    )

    assert mirror.find(LB) == newer
    assert mirror.find(LISTENER) is None


def test_a_read_that_is_over_takes_no_notice_of_later_writes() -> None:
    mirror = filled()
    with mirror.reading() as over:
        pass
    mirror.amend(LB, name="later")
    mirror.amend_targets(TG, {})

    assert over.written == set()
    assert over.targets_written == set()


def test_targets_read_while_some_were_registered_do_not_win() -> None:
    mirror = filled()
    healthy = TargetHealth(state=TargetHealthState.HEALTHY)
    draining = TargetHealth(state=TargetHealthState.DRAINING)
    one = Target(id="10.0.0.1", port=80)
    assert read_targets(mirror, {one: healthy})

    taken = read_targets(mirror, {one: healthy}, meanwhile=lambda: mirror.amend_targets(TG, {one: draining}))

    assert not taken
    assert mirror.targets(TG) == {one: draining}


def test_a_stack_of_a_partial_read_is_complete_once_it_was_read_by_itself() -> None:
    mirror = Mirror()
    partly_read(mirror, a_load_balancer(), a_target_group())
    assert mirror.is_partly_read(STACK)

    with mirror.reading() as reading:
        found = {LISTENER: Entry(stack=STACK, observed=a_listener())}
        changed = mirror.take_over(reading, STACK, found, instead_of=())

    assert changed
    assert not mirror.is_partly_read(STACK)
    assert users(mirror) == {LB}
    partly_read(mirror, a_load_balancer(), a_listener(), a_target_group())
    assert not mirror.is_partly_read(STACK)


def test_a_stack_of_a_partial_read_was_doubted_once_it_was_doubted() -> None:
    mirror = Mirror()
    partly_read(mirror, a_load_balancer(), a_target_group())
    assert not mirror.was_doubted(STACK)

    mirror.doubt(STACK)

    assert mirror.was_doubted(STACK)
    assert mirror.is_partly_read(STACK)
    partly_read(mirror, a_load_balancer(), a_target_group())
    assert mirror.was_doubted(STACK)


def test_what_a_stack_by_itself_does_not_have_any_more_is_gone() -> None:
    mirror = filled()

    with mirror.reading() as reading:
        changed = mirror.take_over(reading, STACK, {}, instead_of=[LISTENER])

    assert changed
    assert mirror.find(LISTENER) is None
    assert mirror.find(LB) == a_load_balancer()


def test_what_we_made_ourselves_is_known_completely() -> None:
    mirror = filled()

    partly_read(mirror, a_load_balancer(), a_listener(), a_target_group())

    assert not mirror.is_partly_read(STACK)


def test_a_rule_that_moved_on_does_not_go_with_a_bulk_read_that_is_older() -> None:
    mirror = filled()
    mirror.record(STACK, a_rule_of_the_listener())

    changed = bulk(mirror, a_load_balancer(), a_target_group(), meanwhile=lambda: mirror.forget(LISTENER))

    assert changed == frozenset()
    assert mirror.find(RULE) is None
