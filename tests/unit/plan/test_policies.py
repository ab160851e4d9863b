from __future__ import annotations

from dataclasses import fields

import pytest

from lbcontroller.model.references import Kind
from lbcontroller.model.resources import (
    Certificate,
    Listener,
    ListenerRule,
    LoadBalancer,
    LoadBalancerTarget,
    RequestedCertificate,
    SecurityGroup,
    TargetGroup,
    TargetGroupBinding,
)
from lbcontroller.plan.policies import MODES


@pytest.mark.parametrize(
    ("kind", "resource"),
    [
        (Kind.SECURITY_GROUP, SecurityGroup),
        (Kind.TARGET_GROUP, TargetGroup),
        (Kind.LOAD_BALANCER, LoadBalancer),
        (Kind.LISTENER, Listener),
        (Kind.LISTENER_RULE, ListenerRule),
        (Kind.LOAD_BALANCER_TARGET, LoadBalancerTarget),
        (Kind.CERTIFICATE, Certificate),
        (Kind.REQUESTED_CERTIFICATE, RequestedCertificate),
        (Kind.TARGET_GROUP_BINDING, TargetGroupBinding),
    ],
)
def test_every_field_has_a_mode(kind: Kind, resource: type) -> None:
    assert set(MODES[kind]) == {field.name for field in fields(resource)} - {"id"}
