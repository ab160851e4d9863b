"""The overlay that makes moto 5.2 answer like AWS where a load balancer controller notices.

moto accepts what AWS refuses (one-subnet load balancers, duplicate names and ports, deletion of protected
load balancers), refuses what AWS accepts (changing a TLS listener, swapping priorities) and has no time in
it. A controller that is green on plain moto can be badly wrong, and a right one red. Every fix has a probe
in `tests/unit/local/aws` that fails on plain moto.

Where the API reference is silent, messages are the field's best knowledge: do not assert on them.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from moto.elb import urls
from moto.elbv2 import models
from moto.elbv2.models import elbv2_backends

from lbcontroller.local.aws.strict import (
    certificates,
    firewalls,
    network,
    security_groups,
    shield,
    tagging_api,
    token_pages,
)
from lbcontroller.local.aws.strict.backend import StrictBackend
from lbcontroller.local.aws.strict.capacity import CapacityCalls
from lbcontroller.local.aws.strict.listener_certificates import ListenerCertificateCalls
from lbcontroller.local.aws.strict.listeners import ListenerCalls
from lbcontroller.local.aws.strict.load_balancers import LoadBalancerCalls
from lbcontroller.local.aws.strict.resources import StrictTargetGroup
from lbcontroller.local.aws.strict.rules import RuleCalls
from lbcontroller.local.aws.strict.tags import TagCalls
from lbcontroller.local.aws.strict.target_groups import TargetGroupCalls
from lbcontroller.local.aws.strict.targets import TargetCalls
from lbcontroller.local.aws.strict.trust_stores import TrustStoreCalls


class StrictElbv2(
    LoadBalancerCalls,
    ListenerCalls,
    ListenerCertificateCalls,
    RuleCalls,
    TargetGroupCalls,
    TargetCalls,
    TagCalls,
    CapacityCalls,
    TrustStoreCalls,
):
    """All of ELBv2."""


_REPLACED: Final = (
    (urls, "ELBV2Response", StrictElbv2),
    (models, "FakeTargetGroup", StrictTargetGroup),
    (elbv2_backends, "backend", StrictBackend),
)


@cache
def install() -> None:
    """Put the overlay in place for the whole process, once; it cannot be taken out again."""
    for owner, name, replacement in _REPLACED:
        setattr(owner, name, replacement)
    elbv2_backends.clear()
    for topic in (security_groups, network, tagging_api, certificates, token_pages, firewalls, shield):
        topic.install()
