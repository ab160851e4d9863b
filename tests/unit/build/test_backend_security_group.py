from __future__ import annotations

from lbcontroller.build.backend_security_group import build_backend_security_group
from lbcontroller.model.fields import UNMANAGED
from lbcontroller.model.identity import SHARED_STACK, identify
from lbcontroller.model.ids import VpcId
from lbcontroller.model.resources import SecurityGroup
from lbcontroller.settings import Settings

SETTINGS = Settings.parse({"cluster-name": "demo-cluster", "default-tags": "team=platform"})
VPC = VpcId("vpc-main")


def test_the_shared_group_is_the_one_that_lbc_would_find() -> None:
    stack = build_backend_security_group(SETTINGS, VPC, wanted=True)

    (group,) = stack.resources
    assert isinstance(group, SecurityGroup)
    assert stack.id == SHARED_STACK
    assert group.name == "k8s-traffic-democluster-36d0873f31"
    assert group.description == "[k8s] Shared Backend SecurityGroup for LoadBalancer"
    assert group.vpc_id == VPC
    assert group.tags == {
        "elbv2.k8s.aws/cluster": "demo-cluster",
        "elbv2.k8s.aws/resource": "backend-sg",
        "team": "platform",
    }


def test_its_tags_identify_it() -> None:
    (group,) = build_backend_security_group(SETTINGS, VPC, wanted=True).resources
    assert isinstance(group, SecurityGroup)
    assert isinstance(group.tags, dict)

    tracked = identify("demo-cluster", group.tags)

    assert tracked is not None
    assert (tracked.stack, tracked.resource) == (SHARED_STACK, group.id.name)


def test_rules_that_somebody_adds_to_it_are_left_alone() -> None:
    (group,) = build_backend_security_group(SETTINGS, VPC, wanted=True).resources
    assert isinstance(group, SecurityGroup)

    assert group.ingress is UNMANAGED


def test_nothing_is_wanted_when_nobody_uses_it() -> None:
    assert build_backend_security_group(SETTINGS, VPC, wanted=False).resources == ()
