"""What is in the embedded AWS, read for people: through its inspection client, whose calls do not count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lbcontroller.local.aws.server import LocalAws
from lbcontroller.model.enums import TargetHealthState
from lbcontroller.model.observed import Target, TargetHealth


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetGroupView:
    """A target group with its targets."""

    arn: str
    name: str
    target_type: str
    health_check: str
    targets: Mapping[Target, TargetHealth]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerView:
    """A listener and the target groups it sends to."""

    protocol: str
    port: int
    target_groups: tuple[TargetGroupView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadBalancerView:
    """A load balancer with everything below it."""

    name: str
    dns_name: str
    scheme: str
    state: str
    zones: tuple[str, ...]
    security_groups: tuple[str, ...]
    """Names."""
    listeners: tuple[ListenerView, ...]

    @property
    def target_groups(self) -> tuple[TargetGroupView, ...]:
        """Every target group, in the order of the listeners."""
        return tuple(group for listener in self.listeners for group in listener.target_groups)


def load_balancers(aws: LocalAws) -> Mapping[str, LoadBalancerView]:
    """Return every load balancer by its DNS name."""
    elb = aws.client("elbv2")
    groups = aws.client("ec2").describe_security_groups()["SecurityGroups"]
    names = {group["GroupId"]: group["GroupName"] for group in groups}
    views = [_load_balancer(elb, item, names) for item in elb.describe_load_balancers()["LoadBalancers"]]
    return {view.dns_name: view for view in views}


def account_contents(aws: LocalAws) -> Mapping[str, tuple[str, ...]]:
    """Return what a controller can make, by kind, as names that can be compared."""
    elb = aws.client("elbv2")
    groups = aws.client("ec2").describe_security_groups()["SecurityGroups"]
    found = {
        "load balancers": [
            item["LoadBalancerName"] for item in elb.describe_load_balancers()["LoadBalancers"]
        ],
        "target groups": [item["TargetGroupName"] for item in elb.describe_target_groups()["TargetGroups"]],
        "security groups": [f"{item['GroupName']} ({item['VpcId']})" for item in groups],
        "inbound rules": [
            f"{item['GroupName']}: {rule}" for item in groups for rule in item["IpPermissions"]
        ],
    }
    return {kind: tuple(sorted(names)) for kind, names in found.items()}


def _load_balancer(elb: Any, item: Mapping[str, Any], group_names: Mapping[str, str]) -> LoadBalancerView:
    arn = item["LoadBalancerArn"]
    target_groups = elb.describe_target_groups(LoadBalancerArn=arn)["TargetGroups"]
    by_arn = {group["TargetGroupArn"]: _target_group(elb, group) for group in target_groups}
    listeners = elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]
    return LoadBalancerView(
        name=item["LoadBalancerName"],
        dns_name=item["DNSName"],
        scheme=item["Scheme"],
        state=item["State"]["Code"],
        zones=tuple(sorted(zone["ZoneName"] for zone in item["AvailabilityZones"])),
        security_groups=tuple(sorted(group_names[group] for group in item.get("SecurityGroups", ()))),
        listeners=tuple(
            _listener(listener, by_arn) for listener in sorted(listeners, key=lambda each: each["Port"])
        ),
    )


def _listener(item: Mapping[str, Any], by_arn: Mapping[str, TargetGroupView]) -> ListenerView:
    [action] = item["DefaultActions"]
    arns = [group["TargetGroupArn"] for group in action["ForwardConfig"]["TargetGroups"]]
    return ListenerView(
        protocol=item["Protocol"], port=item["Port"], target_groups=tuple(by_arn[arn] for arn in arns)
    )


def _target_group(elb: Any, item: Mapping[str, Any]) -> TargetGroupView:
    arn = item["TargetGroupArn"]
    descriptions = elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    seconds = item["HealthCheckIntervalSeconds"]
    return TargetGroupView(
        arn=arn,
        name=item["TargetGroupName"],
        target_type=item["TargetType"],
        health_check=f"{item['HealthCheckProtocol']} {item['HealthCheckPort']} every {seconds} s",
        targets={_target(each["Target"]): _health(each["TargetHealth"]) for each in descriptions},
    )


def _target(item: Mapping[str, Any]) -> Target:
    return Target(id=item["Id"], port=item["Port"], quic_server_id=item.get("QuicServerId"))


def _health(item: Mapping[str, Any]) -> TargetHealth:
    return TargetHealth(state=TargetHealthState(item["State"]), reason=item.get("Reason", ""))
