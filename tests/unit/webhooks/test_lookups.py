"""What a webhook waits for, AWS and watches: it ends in time, whatever they do."""

from __future__ import annotations

import threading
from contextlib import closing

import pytest

from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.errors import Denied
from lbcontroller.model.enums import TargetIpAddressType
from lbcontroller.model.fields import UNKNOWN
from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import TargetGroupFact
from lbcontroller.webhooks.bindings import Sought
from lbcontroller.webhooks.facts import LONGEST_WAIT_FOR_CLASSES, ClassLookup, TargetGroupLookup
from tests.support.ingress_objects import a_class, a_cluster_of, an_ingress

ARN = Arn("arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/web/0123")
FACT = TargetGroupFact(
    arn=ARN, target_type="ip", protocol="TCP", ip_address_type=TargetIpAddressType.IPV4, vpc_id=None
)
BY_NAME = Sought(arn="", name="web", role_arn="", external_id="")
BY_ARN = Sought(arn=ARN, name="", role_arn="role", external_id="id")


def test_what_aws_says_is_passed_on() -> None:
    asked: list[Sought] = []

    def read(sought: Sought) -> TargetGroupFact | None:
        asked.append(sought)
        return FACT if sought.name == "web" else None

    with closing(TargetGroupLookup(read)) as lookup:
        assert lookup(BY_NAME) == FACT
        assert lookup(BY_ARN) is None
    assert asked == [BY_NAME, BY_ARN]


def test_what_aws_refuses_to_say_is_unknown() -> None:
    def refuse(_sought: Sought) -> TargetGroupFact | None:
        raise Denied("elasticloadbalancing:DescribeTargetGroups", "not allowed")

    with closing(TargetGroupLookup(refuse)) as lookup:
        assert lookup(BY_NAME) is UNKNOWN


def test_what_aws_does_not_say_in_time_is_unknown() -> None:
    released = threading.Event()

    def wait(_sought: Sought) -> TargetGroupFact | None:
        released.wait()
        return FACT

    with closing(TargetGroupLookup(wait, longest=0.0)) as lookup:
        try:
            assert lookup(BY_NAME) is UNKNOWN
        finally:
            released.set()


def test_a_bug_is_not_taken_for_silence() -> None:
    def fail(_sought: Sought) -> TargetGroupFact | None:
        raise KeyError("TargetGroupArn")

    with closing(TargetGroupLookup(fail)) as lookup, pytest.raises(KeyError):
        lookup(BY_NAME)


def test_a_class_that_the_watch_tells_of_late_is_waited_for() -> None:
    waited: list[float] = []

    def known(_namespace: str) -> Snapshot:
        return a_cluster_of(a_class(), *([a_class("late")] if len(waited) > 1 else []))

    lookup = ClassLookup(known, "alb", pause=waited.append)

    assert "late" in lookup(an_ingress(ingressClassName="late"), an_ingress()).ingress_classes
    assert len(waited) == 2
    assert "alb" in lookup(an_ingress(), None).ingress_classes
    assert len(waited) == 2


def test_a_class_that_does_not_come_is_not_waited_for_long() -> None:
    waited: list[float] = []
    lookup = ClassLookup(lambda _namespace: a_cluster_of(), "alb", pause=waited.append)

    assert "late" not in lookup(an_ingress(ingressClassName="late"), None).ingress_classes
    assert sum(waited) == pytest.approx(LONGEST_WAIT_FOR_CLASSES)


def test_a_class_that_an_ingress_had_before_is_not_waited_for() -> None:
    waited: list[float] = []
    lookup = ClassLookup(lambda _namespace: a_cluster_of(), "alb", pause=waited.append)
    ingress = an_ingress(ingressClassName="gone")

    assert "gone" not in lookup(ingress, ingress).ingress_classes
    assert waited == []
