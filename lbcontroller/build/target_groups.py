"""Target groups as AWS resources."""

from __future__ import annotations

from lbcontroller.build.result import BuildContext
from lbcontroller.build.tags import resource_tags
from lbcontroller.config.target_group import TargetGroupConfig
from lbcontroller.model.references import Kind, ResourceId
from lbcontroller.model.resources import TargetGroup


def build_target_group(config: TargetGroupConfig, context: BuildContext) -> TargetGroup:
    """Return the target group of one port of a Service.

    Raises:
        InvalidConfig: for tags that cannot be set.
    """
    resource_id = ResourceId(Kind.TARGET_GROUP, config.resource_name)
    return TargetGroup(
        id=resource_id,
        name=config.name,
        target_type=config.target_type,
        protocol=config.protocol,
        protocol_version=config.protocol_version,
        port=config.port,
        vpc_id=context.inventory.vpc_id,
        ip_address_type=config.ip_address_type,
        health_check=config.health_check,
        attributes=config.attributes,
        tags=resource_tags(context, resource_id, config.tags),
        default_attributes=config.default_attributes,
        control_port=config.control_port,
    )
