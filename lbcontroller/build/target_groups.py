"""Target groups as AWS resources."""

from __future__ import annotations

from lbcontroller.build.names import TargetGroupNameParts, target_group_name
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
    backend, check = config.backend, config.health_check
    resource_id = ResourceId(Kind.TARGET_GROUP, backend.resource_name)
    return TargetGroup(
        id=resource_id,
        name=target_group_name(
            TargetGroupNameParts(
                cluster=context.settings.cluster_name,
                namespace=backend.service.namespace,
                service=backend.service.name,
                uid=backend.uid,
                base_uid=backend.weighted_for,
                port=config.port,
                service_port=backend.port,
                target_type=config.target_type,
                protocol=config.protocol,
                health_check_protocol=check.protocol,
                health_check_interval=check.interval_seconds,
            )
        ),
        target_type=config.target_type,
        protocol=config.protocol,
        protocol_version=None,
        port=config.port,
        vpc_id=context.inventory.vpc_id,
        ip_address_type=config.ip_address_type,
        health_check=check,
        attributes=config.attributes,
        tags=resource_tags(context, resource_id, config.tags),
        default_attributes=config.default_attributes,
    )
