"""What is in the embedded AWS, read for people: through its inspection client, whose calls do not count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
class RuleView:
    """A rule of a listener."""

    priority: str
    requests: str
    """Which ones it is for, in words."""
    target_groups: tuple[TargetGroupView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerView:
    """A listener and the target groups it sends to."""

    protocol: str
    port: int
    default_target_groups: tuple[TargetGroupView, ...]
    """Where it sends what no rule is for."""
    rules: tuple[RuleView, ...]

    @property
    def target_groups(self) -> tuple[TargetGroupView, ...]:
        """Every target group, in the order of the rules."""
        of_rules = (group for rule in self.rules for group in rule.target_groups)
        return (*self.default_target_groups, *of_rules)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadBalancerView:
    """A load balancer with everything below it."""

    name: str
    type: str
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
        type=item["Type"],
        dns_name=item["DNSName"],
        scheme=item["Scheme"],
        state=item["State"]["Code"],
        zones=tuple(sorted(zone["ZoneName"] for zone in item["AvailabilityZones"])),
        security_groups=tuple(sorted(group_names[group] for group in item.get("SecurityGroups", ()))),
        listeners=tuple(
            _listener(elb, listener, by_arn) for listener in sorted(listeners, key=lambda each: each["Port"])
        ),
    )


def _listener(elb: Any, item: Mapping[str, Any], by_arn: Mapping[str, TargetGroupView]) -> ListenerView:
    rules = elb.describe_rules(ListenerArn=item["ListenerArn"])["Rules"]
    return ListenerView(
        protocol=item["Protocol"],
        port=item["Port"],
        default_target_groups=_sent_to(item["DefaultActions"], by_arn),
        rules=tuple(
            RuleView(
                priority=rule["Priority"],
                requests=", ".join(
                    " or ".join(each["Values"]) for each in rule["Conditions"] if each.get("Values")
                ),
                target_groups=_sent_to(rule["Actions"], by_arn),
            )
            for rule in sorted(rules, key=lambda each: (len(each["Priority"]), each["Priority"]))
            if not rule["IsDefault"]
        ),
    )


def _sent_to(
    actions: Iterable[Mapping[str, Any]], by_arn: Mapping[str, TargetGroupView]
) -> tuple[TargetGroupView, ...]:
    forwards = (action["ForwardConfig"] for action in actions if action["Type"] == "forward")
    listed = (group["TargetGroupArn"] for config in forwards for group in config["TargetGroups"])
    # What is looked at may change meanwhile: rules may send to a group that was made after groups were read.
    return tuple(by_arn[arn] for arn in listed if arn in by_arn)


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
