"""Target groups: how ELBv2 spells them, and the calls that make, change and delete them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from lbcontroller.aws.attribute_defaults import beyond, target_group_defaults
from lbcontroller.aws.attributes import AttributeWriter
from lbcontroller.aws.caller import AwsCaller
from lbcontroller.aws.errors import is_duplicate, is_not_found
from lbcontroller.aws.identity import Identification
from lbcontroller.aws.mirror import Mirror
from lbcontroller.aws.operations import (
    CREATE_TARGET_GROUP,
    DELETE_TARGET_GROUP,
    DESCRIBE_TARGET_GROUPS,
    MODIFY_TARGET_GROUP,
)
from lbcontroller.aws.presence import require
from lbcontroller.aws.tagging import change_tags, read_tags
from lbcontroller.aws.wire import Changes, known, tag_list, without_nones
from lbcontroller.errors import InvalidConfig, NotReady
from lbcontroller.model.enums import (
    HealthCheckProtocol,
    Protocol,
    ProtocolVersion,
    TargetIpAddressType,
    TargetType,
)
from lbcontroller.model.fields import UNKNOWN, Attributes, Tags
from lbcontroller.model.ids import Arn, VpcId
from lbcontroller.model.observed import ObservedTargetGroup
from lbcontroller.model.references import ResourceId
from lbcontroller.model.resources import HealthCheck, TargetGroup


def create_request(target_group: TargetGroup) -> dict[str, Any]:
    """Return the parameters of CreateTargetGroup."""
    ipv6 = target_group.ip_address_type is TargetIpAddressType.IPV6
    return without_nones(
        {
            "Name": target_group.name,
            "TargetType": target_group.target_type,
            "Protocol": target_group.protocol,
            "ProtocolVersion": target_group.protocol_version,
            "Port": target_group.port,
            "VpcId": target_group.vpc_id,
            "IpAddressType": TargetIpAddressType.IPV6 if ipv6 else None,
            "TargetControlPort": target_group.control_port,
            **health_check_request(known(target_group.health_check), target_group.protocol_version),
            "Tags": tag_list(target_group.tags),
        }
    )


def health_check_request(check: HealthCheck, version: ProtocolVersion | None) -> dict[str, Any]:
    """Return the parameters that CreateTargetGroup and ModifyTargetGroup share."""
    codes = "GrpcCode" if version is ProtocolVersion.GRPC else "HttpCode"
    return without_nones(
        {
            "HealthCheckEnabled": True,
            "HealthCheckProtocol": check.protocol,
            "HealthCheckPort": check.port,
            "HealthCheckPath": check.path,
            "Matcher": {codes: check.matcher} if check.matcher is not None else None,
            "HealthCheckIntervalSeconds": check.interval_seconds,
            "HealthCheckTimeoutSeconds": check.timeout_seconds,
            "HealthyThresholdCount": check.healthy_threshold,
            "UnhealthyThresholdCount": check.unhealthy_threshold,
        }
    )


def decode_target_group(answer: Mapping[str, Any], id_: ResourceId, tags: Tags) -> ObservedTargetGroup:
    """Return a target group as DescribeTargetGroups answers it; attributes are unknown."""
    version = answer.get("ProtocolVersion")
    return ObservedTargetGroup(
        arn=Arn(answer["TargetGroupArn"]),
        resource=TargetGroup(
            id=id_,
            name=answer["TargetGroupName"],
            target_type=TargetType(answer["TargetType"]),
            protocol=Protocol(answer["Protocol"]),
            protocol_version=ProtocolVersion(version) if version else None,
            port=answer["Port"],
            vpc_id=VpcId(answer["VpcId"]),
            ip_address_type=TargetIpAddressType(answer.get("IpAddressType") or TargetIpAddressType.IPV4),
            health_check=_decode_health_check(answer),
            attributes=UNKNOWN,
            tags=tags,
            control_port=answer.get("TargetControlPort"),
        ),
        load_balancers=frozenset(Arn(arn) for arn in answer.get("LoadBalancerArns", ())),
    )


def _decode_health_check(answer: Mapping[str, Any]) -> HealthCheck:
    matcher = answer.get("Matcher", {})
    return HealthCheck(
        protocol=HealthCheckProtocol(answer["HealthCheckProtocol"]),
        port=answer["HealthCheckPort"],
        path=answer.get("HealthCheckPath"),
        matcher=matcher.get("HttpCode") or matcher.get("GrpcCode"),
        interval_seconds=answer["HealthCheckIntervalSeconds"],
        timeout_seconds=answer["HealthCheckTimeoutSeconds"],
        healthy_threshold=answer["HealthyThresholdCount"],
        unhealthy_threshold=answer["UnhealthyThresholdCount"],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetGroups:
    """Creates, updates and deletes target groups, writing through to the mirror."""

    caller: AwsCaller
    mirror: Mirror
    identification: Identification
    attributes: AttributeWriter

    def create(self, desired: TargetGroup) -> Arn:
        """Make a target group, or take over the one that a lost reply left.

        Raises:
            LbControllerError: as `AwsCaller.call` does; InvalidConfig also for a name that others use.
        """
        try:
            answer = self.caller.call(CREATE_TARGET_GROUP, **create_request(desired))["TargetGroups"][0]
        except InvalidConfig as error:
            if not is_duplicate(error):
                raise
            found = self.caller.call(DESCRIBE_TARGET_GROUPS, Names=[desired.name])["TargetGroups"][0]
            return self._adopt(desired, found, error)
        if answer.get("LoadBalancerArns") or self.mirror.find(Arn(answer["TargetGroupArn"])) is not None:
            # AWS answers an existing one when name and settings are the same, whosever it is.
            return self._adopt(desired, answer, None)
        observed = decode_target_group(answer, desired.id, known(desired.tags))
        defaults = target_group_defaults(desired)
        self._record(desired, replace(observed, resource=replace(observed.resource, attributes=defaults)))
        # It was made a moment ago, so nobody can have registered anything.
        self.mirror.assume_targets(observed.arn, {})
        asked_for = beyond(defaults, _attributes_of_new(desired))
        self.attributes.write(observed.arn, desired, defaults, asked_for)
        return observed.arn

    def update(self, arn: Arn, desired: TargetGroup, changes: Changes) -> None:
        """Make the changes: tags, health check, attributes.

        Raises:
            LbControllerError: as `AwsCaller.call` does.
        """
        observed = require(self.mirror, ObservedTargetGroup, arn)
        present = observed.resource
        change_tags(self.caller, arn, changes, present.tags)
        self.mirror.amend(arn, tags=changes.applied_to_tags(present.tags))
        if "health_check" in changes.fields:
            request = health_check_request(known(desired.health_check), desired.protocol_version)
            answer = self.caller.call(MODIFY_TARGET_GROUP, TargetGroupArn=arn, **request)
            self.mirror.amend(arn, health_check=_decode_health_check(answer["TargetGroups"][0]))
        self.attributes.write(arn, desired, present.attributes, changes.attributes)

    def delete(self, arn: Arn) -> None:
        """Delete a target group; that it is gone already is fine.

        Raises:
            NotReady: while a listener still uses it.
            LbControllerError: as `AwsCaller.call` does.
        """
        try:
            self.caller.call(DELETE_TARGET_GROUP, TargetGroupArn=arn)
        except NotReady as error:
            if not is_not_found(error):
                raise
        self.mirror.forget(arn)

    def _adopt(self, desired: TargetGroup, answer: Mapping[str, Any], refusal: InvalidConfig | None) -> Arn:
        arn = Arn(answer["TargetGroupArn"])
        tags = read_tags(self.caller, [arn]).get(arn, {})
        self.identification.require_ours(desired, tags, f"target group {arn}", refusal)
        self._record(desired, decode_target_group(answer, desired.id, tags))
        # What it has is not known, so everything that is asked for is said again.
        self.attributes.write(arn, desired, UNKNOWN, _attributes_of_new(desired))
        return arn

    def _record(self, desired: TargetGroup, observed: ObservedTargetGroup) -> None:
        self.mirror.record(self.identification.stack_of(desired), observed)


def _attributes_of_new(desired: TargetGroup) -> Attributes:
    return {**desired.default_attributes, **known(desired.attributes)}
