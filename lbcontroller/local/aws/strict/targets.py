"""Targets: registration with AWS's checks, one registration per port, health that takes its time."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, cast

from moto.core.responses import ActionResult, EmptyResult

from lbcontroller.local.aws.life_cycle import LIFE_CYCLE, ReportedHealth, TargetKey
from lbcontroller.local.aws.strict.backend import StrictBackend, StrictCalls
from lbcontroller.local.aws.strict.errors import invalid, refused
from lbcontroller.local.aws.strict.health_checks import checked_health
from lbcontroller.local.aws.strict.resources import (
    Registration,
    RegistrationKey,
    StrictLoadBalancer,
    StrictTargetGroup,
)

MAX_TARGETS: Final = 1000
"""Targets per target group ("Quotas for your Application Load Balancers")."""
_PORTS: Final = range(1, 65536)
_QUIC_PROTOCOLS: Final = frozenset({"QUIC", "TCP_QUIC"})
_SERVER_ID: Final = re.compile(r"0x[0-9a-f]{16}", re.ASCII)
_REGISTRABLE: Final = tuple(
    ipaddress.ip_network(cidr) for cidr in ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16")
)
"""Ranges outside the VPC that IP targets may come from (RegisterTargets)."""


class TargetCalls(StrictCalls):
    """The API calls about targets."""

    def register_targets(self) -> ActionResult:
        """Register targets, all or none of them."""
        backend, params = self.elbv2_backend, self._get_params()
        group = backend.target_group(params["TargetGroupArn"])
        wanted = {_key(group, target): target.get("AvailabilityZone") for target in params["Targets"]}
        server_ids = {_key(group, target): target.get("QuicServerId") for target in params["Targets"]}
        _check_targets(backend, group, wanted)
        _check_server_ids(group, server_ids)
        if len({*group.registered, *wanted}) > MAX_TARGETS:
            raise refused("TooManyTargets", "You have reached the maximum number of targets")
        for key, zone in wanted.items():
            group.draining.pop(key, None)
            if key not in group.registered:
                group.registered[key] = Registration(
                    availability_zone=zone, quic_server_id=server_ids[key], since=LIFE_CYCLE.timing.now()
                )
        return EmptyResult()

    def deregister_targets(self) -> ActionResult:
        """Deregister targets; without a port every registration of the id; absent ones are fine."""
        params = self._get_params()
        group = self.elbv2_backend.target_group(params["TargetGroupArn"])
        for target in params["Targets"]:
            doomed = [
                key
                for key in group.registered
                if key[0] == target["Id"] and ("Port" not in target or key[1] == target["Port"])
            ]
            for key in doomed:
                group.remove(key)
        return EmptyResult()

    def describe_target_health(self) -> ActionResult:
        """Health of the given targets, or of all registered and draining ones."""
        params = self._get_params()
        group = self.elbv2_backend.target_group(params["TargetGroupArn"])
        _finish_draining(group)
        wanted = [_key(group, target) for target in params.get("Targets") or ()]
        keys = wanted or [*group.registered, *group.draining]
        return ActionResult({"TargetHealthDescriptions": [_description(group, key) for key in keys]})


def _key(group: StrictTargetGroup, target: Mapping[str, Any]) -> RegistrationKey:
    if group.target_type == "lambda":
        return target["Id"], None
    return target["Id"], target.get("Port", group.port)


def _check_targets(
    backend: StrictBackend, group: StrictTargetGroup, wanted: Mapping[RegistrationKey, str | None]
) -> None:
    for _, port in wanted:
        if port is not None and port not in _PORTS:
            raise invalid(f"Port '{port}' is not valid")
    if group.target_type == "instance":
        states = {instance.id: instance.state for instance in backend.ec2_backend.all_instances()}
        for target_id, _ in wanted:
            _check_instance(target_id, states)
    if group.target_type == "alb":
        _check_load_balancers(backend, group, wanted)
    if group.target_type == "ip":
        networks = _vpc_networks(backend, group)
        for (target_id, _), zone in wanted.items():
            _check_address(target_id, zone, networks)


def _check_load_balancers(
    backend: StrictBackend, group: StrictTargetGroup, wanted: Mapping[RegistrationKey, str | None]
) -> None:
    """Refuse all but one active application load balancer with a listener on the port (TargetDescription)."""
    for target_id, port in wanted:
        found = backend.load_balancers.get(target_id)
        if found is None or found.type != "application":
            raise refused("InvalidTarget", f"Application Load Balancer '{target_id}' not found")
        target = cast(StrictLoadBalancer, found)
        target.activate()
        if target.state != "active":
            raise refused("InvalidTarget", f"Application Load Balancer '{target_id}' is not active")
        if port not in {listener.port for listener in target.listeners.values()}:
            raise refused(
                "InvalidTarget", f"Application Load Balancer '{target_id}' has no listener on port '{port}'"
            )
    if len({target_id for target_id, _ in (*group.registered, *wanted)}) > 1:
        raise refused("TooManyTargets", "A target group of type alb can have one target")


def _check_server_ids(group: StrictTargetGroup, server_ids: Mapping[RegistrationKey, str | None]) -> None:
    """Refuse ids that AWS's reference rules out (`QuicServerId`); it does not say with which error code."""
    for key, server_id in server_ids.items():
        if group.protocol not in _QUIC_PROTOCOLS:
            if server_id is not None:
                raise invalid(f"Protocol {group.protocol} does not support QUIC server IDs: '{key[0]}'")
            continue
        if server_id is None or not _SERVER_ID.fullmatch(server_id):
            raise invalid(f"A valid QUIC server ID is required: '{key[0]}'")
        if key in group.registered and group.registered[key].quic_server_id != server_id:
            raise invalid(f"The QUIC server ID of a registered target cannot be changed: '{key[0]}'")
    taken = {target.quic_server_id for key, target in group.registered.items() if key not in server_ids} - {
        None
    }
    given = [server_id for server_id in server_ids.values() if server_id is not None]
    if len(given) != len(set(given)) or not taken.isdisjoint(given):
        raise invalid("QUIC server IDs must be unique")


def _check_instance(instance_id: str, states: Mapping[str, str]) -> None:
    if not instance_id.startswith("i-"):
        raise refused("InvalidTarget", f"The following targets are not valid instances: '{instance_id}'")
    if instance_id not in states:
        raise refused("InvalidTarget", f"Instance ID '{instance_id}' is not valid")
    if states[instance_id] != "running":
        raise refused(
            "InvalidTarget",
            f"The following targets are not in a running state and cannot be registered: '{instance_id}'",
        )


def _vpc_networks(
    backend: StrictBackend, group: StrictTargetGroup
) -> Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    vpc = backend.ec2_backend.vpcs.get(group.vpc_id)
    blocks = vpc.get_cidr_block_association_set() if vpc else []
    return [ipaddress.ip_network(block["cidr_block"]) for block in blocks]


def _check_address(
    target_id: str, zone: str | None, vpc_networks: Iterable[ipaddress.IPv4Network | ipaddress.IPv6Network]
) -> None:
    try:
        address = ipaddress.ip_address(target_id)
    except ValueError:
        raise invalid(f"The IP address '{target_id}' is not a valid IPv4 address") from None
    if isinstance(address, ipaddress.IPv6Address) or any(address in network for network in vpc_networks):
        return
    if not any(address in network for network in _REGISTRABLE):
        raise invalid(f"The IP address '{target_id}' is not within a valid range")
    if not zone:
        raise invalid(
            f"When the IP address is outside the VPC you must specify an Availability Zone: '{target_id}'"
        )


def _finish_draining(group: StrictTargetGroup) -> None:
    delay = int(group.attributes["deregistration_delay.timeout_seconds"])
    now = LIFE_CYCLE.timing.now()
    group.draining = {key: gone for key, gone in group.draining.items() if now - gone.since < delay}


def _description(group: StrictTargetGroup, key: RegistrationKey) -> dict[str, Any]:
    target_id, port = key
    registration = group.registered.get(key) or group.draining.get(key)
    target: dict[str, Any] = {"Id": target_id, "Port": port}
    if registration and registration.availability_zone:
        target["AvailabilityZone"] = registration.availability_zone
    if registration and registration.quic_server_id:
        target["QuicServerId"] = registration.quic_server_id
    check_port = group.health_check_port
    if check_port == "traffic-port":
        check_port = str(port)
    health = _health(group, key)
    reported = {"State": health.state, "Reason": health.reason, "Description": health.reason}
    return {"Target": target, "HealthCheckPort": check_port, "TargetHealth": reported}


def _health(group: StrictTargetGroup, key: RegistrationKey) -> ReportedHealth:
    target_id, port = key
    dictated = LIFE_CYCLE.dictated_health.get(
        TargetKey(target_group_arn=group.arn, target_id=target_id, port=port)
    )
    if dictated:
        return dictated
    if key in group.draining:
        return ReportedHealth(state="draining", reason="Target.DeregistrationInProgress")
    if key not in group.registered:
        return ReportedHealth(state="unused", reason="Target.NotRegistered")
    if not group.load_balancer_arns:
        return ReportedHealth(state="unused", reason="Target.NotInUse")
    return _health_in_use(group, key)


def _health_in_use(group: StrictTargetGroup, key: RegistrationKey) -> ReportedHealth:
    if LIFE_CYCLE.answers is not None:
        return checked_health(group, key, LIFE_CYCLE.answers)
    age = LIFE_CYCLE.timing.now() - group.registered[key].since
    if age < LIFE_CYCLE.timing.initial_health_seconds:
        return ReportedHealth(state="initial", reason="Elb.RegistrationInProgress")
    return ReportedHealth(state="healthy")
