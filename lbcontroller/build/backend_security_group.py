"""The security group that all load balancers of the cluster share as the source of backend traffic."""

from __future__ import annotations

from typing import Final

from lbcontroller.build.names import backend_security_group_name
from lbcontroller.build.tags import shared_resource_tags
from lbcontroller.model.fields import UNMANAGED
from lbcontroller.model.identity import BACKEND_SECURITY_GROUP_RESOURCE, SHARED_STACK
from lbcontroller.model.ids import VpcId
from lbcontroller.model.references import Kind, ResourceId
from lbcontroller.model.resources import SecurityGroup, Stack
from lbcontroller.settings import Settings

BACKEND_SECURITY_GROUP_ID: Final = ResourceId(Kind.SECURITY_GROUP, BACKEND_SECURITY_GROUP_RESOURCE)
_DESCRIPTION: Final = "[k8s] Shared Backend SecurityGroup for LoadBalancer"
"""What LBC writes: AWS never changes the description of a group, so either controller meets the other's."""


def build_backend_security_group(settings: Settings, vpc_id: VpcId, *, wanted: bool) -> Stack:
    """Return the stack of the shared group, which is empty when nobody wants the group.

    The group has no rules: it only stands as the source in rules of other groups. What somebody adds is left
    alone.
    """
    if not wanted:
        return Stack(SHARED_STACK)
    return Stack(
        SHARED_STACK,
        (
            SecurityGroup(
                id=BACKEND_SECURITY_GROUP_ID,
                name=backend_security_group_name(settings.cluster_name),
                description=_DESCRIPTION,
                vpc_id=vpc_id,
                ingress=UNMANAGED,
                tags=shared_resource_tags(settings, BACKEND_SECURITY_GROUP_RESOURCE),
            ),
        ),
    )
