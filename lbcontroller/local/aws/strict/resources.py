"""moto's ELBv2 resources with the fields and behaviour AWS has and moto lacks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from types import MappingProxyType
from typing import Any, Final, cast

from moto.ec2.models.subnets import Subnet
from moto.elbv2 import models
from moto.elbv2.models import AvailabilityZone, FakeAction, FakeListener, FakeListenerRule, FakeRule

from lbcontroller.local.aws.life_cycle import LIFE_CYCLE, Draining
from lbcontroller.local.aws.strict.attributes import listener_attributes, load_balancer_attributes

_HOSTED_ZONES: Final = {
    "application": "Z35SXDOTRQ7X7K",
    "network": "Z26RNL4JYFTOTI",
    "gateway": "Z3Q77PNBQS71R4",
}
"""CanonicalHostedZoneId per load balancer type ("Elastic Load Balancing endpoints", us-east-1)."""


UNCHANGED_PARTS: Final = MappingProxyType(
    {"Protocol": "#{protocol}", "Host": "#{host}", "Port": "#{port}", "Path": "/#{path}", "Query": "#{query}"}
)
"""What a redirect does with a part it does not name, as AWS describes it (RedirectActionConfig)."""
_NEVER_DESCRIBED: Final = frozenset({"ClientSecret", "UseExistingClientSecret"})


class PlacedZone(AvailabilityZone):
    """A zone of a load balancer with the addresses its subnet mapping asked for."""

    def __init__(self, subnet: Subnet, address: Mapping[str, str]) -> None:
        super().__init__(subnet)
        self.load_balancer_addresses = [dict(address)] if address else []


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """One subnet of a load balancer and the fixed addresses in it (LoadBalancerAddress members)."""

    subnet: Subnet
    address: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLoadBalancer:
    """A checked CreateLoadBalancer request."""

    name: str
    kind: str
    """`application`, `network` or `gateway`."""
    scheme: str | None
    """None for gateway load balancers, which have no scheme."""
    ip_address_type: str
    placements: Sequence[Placement]
    security_groups: Sequence[str]


class StrictLoadBalancer(models.FakeLoadBalancer):
    """A load balancer that echoes what it was asked for and takes its time to become active."""

    listeners: Any  # of StrictListener, by ARN

    def __init__(self, request: NewLoadBalancer, *, arn: str, dns_name: str) -> None:
        super().__init__(
            request.name,
            list(request.security_groups),
            [],
            request.placements[0].subnet.vpc_id,
            arn,
            dns_name,
            "provisioning",
            cast(str, request.scheme),
            request.kind,
            request.ip_address_type,
        )
        self.attrs = load_balancer_attributes(request.kind)
        self.canonical_hosted_zone_id = _HOSTED_ZONES[request.kind]
        self.created_at = LIFE_CYCLE.timing.now()
        self.made_with_security_groups = bool(request.security_groups)
        self.minimum_capacity: dict[str, Any] | None = None
        self.ipam_pools: dict[str, str] | None = None
        self.customer_owned_ipv4_pool: str | None = None
        self.enable_prefix_for_ipv6_source_nat: str | None = None
        self.enforce_security_group_inbound_rules_on_private_link_traffic: str | None = None
        self._zones: list[AvailabilityZone] = []
        self.place(request.placements)

    def place(self, placements: Sequence[Placement]) -> None:
        """Move to these subnets."""
        self.subnets = [placement.subnet for placement in placements]
        self._zones = [PlacedZone(placement.subnet, placement.address) for placement in placements]

    @property
    def availability_zones(self) -> list[AvailabilityZone]:
        """Zones in the order of the request."""
        return self._zones

    def activate(self) -> None:
        """Become active once the provisioning time is over."""
        age = LIFE_CYCLE.timing.now() - self.created_at
        if self.state == "provisioning" and age >= LIFE_CYCLE.timing.provisioning_seconds:
            self.state = "active"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewListener:
    """A checked CreateListener request. Gateway listeners have neither port nor protocol."""

    load_balancer: StrictLoadBalancer
    port: int | None
    protocol: str | None
    ssl_policy: str
    certificate: str | None
    actions: list[FakeAction]
    alpn_policy: list[str] | None


class StrictListener(FakeListener):
    """A listener whose SNI certificates are apart from its default certificate."""

    # moto types these as always there; listeners without TLS, and gateway listeners, lack them
    port: Any
    ssl_policy: Any
    alpn_policy: Any

    def __init__(self, request: NewListener, *, arn: str) -> None:
        super().__init__(
            request.load_balancer.arn,
            arn,
            cast(str, request.protocol),
            cast(str, request.port),
            request.ssl_policy,
            request.certificate,
            request.actions,
            request.alpn_policy,
        )
        self.extra_certificates: list[str] = []
        self.mutual_authentication: dict[str, Any] | None = None
        self.attributes = listener_attributes(request.load_balancer.type, request.protocol)
        # moto ends this ARN in the decimal address of a Python object
        suffix = sha256(arn.encode()).hexdigest()[:16]
        self.default_rule.arn = f"{arn.replace(':listener/', ':listener-rule/')}/{suffix}"

    @property
    def default_rule(self) -> FakeRule:
        """The rule behind the default actions."""
        return self._default_rule[0]

    @property
    def numbered_rules(self) -> dict[str, StrictRule]:
        """Rules with a priority, by ARN."""
        return cast("dict[str, StrictRule]", self._non_default_rules)


class StrictRule(FakeListenerRule):
    """A rule with transforms."""

    def __init__(
        self, listener_arn: str, arn: str, *, request: Mapping[str, Any], actions: list[FakeAction]
    ) -> None:
        super().__init__(listener_arn, arn, request["Conditions"], request["Priority"], actions)
        self.transforms: list[dict[str, Any]] = request.get("Transforms") or []


RegistrationKey = tuple[str, int | None]
"""Target id and port; Lambda targets have no port."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A target in a target group."""

    availability_zone: str | None
    """As given on registration: a zone, `all`, or None."""
    quic_server_id: str | None
    """As given on registration; None where the protocol has none."""
    since: float
    """When it was registered, or when it started to drain (life cycle clock)."""


class StrictTargetGroup(models.FakeTargetGroup):
    """A target group that knows who uses it and keeps one registration per target and port."""

    attributes: Any  # strings, where moto mixes in numbers

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.registered: dict[RegistrationKey, Registration] = {}
        self.draining: dict[RegistrationKey, Registration] = {}
        self.target_control_port: int | None = None
        self.checked: dict[RegistrationKey, Any] = {}  # CheckedTarget, where health is checked

    @property
    def load_balancer_arns(self) -> list[str]:
        """ARNs of the load balancers that forward to this group now."""
        backend: Any = models.elbv2_backends[self.account_id][self.region_name]
        return cast("list[str]", backend.usage.load_balancers_of(self.arn))

    @load_balancer_arns.setter
    def load_balancer_arns(self, value: list[str]) -> None:
        """Moto's constructor assigns an empty list; the index is what counts."""

    def remove(self, key: RegistrationKey) -> None:
        """Let a registered target drain from now on."""
        registration = self.registered.pop(key)
        self.checked.pop(key, None)
        if LIFE_CYCLE.timing.draining is Draining.HONOURED:
            self.draining[key] = replace(registration, since=LIFE_CYCLE.timing.now())

    def deregister_terminated_instances(self, instance_ids: list[str]) -> None:
        """Drain the instances EC2 has terminated."""
        for key in [key for key in self.registered if key[0] in instance_ids]:
            self.remove(key)


def normal_actions(actions: Iterable[Mapping[str, Any]]) -> list[FakeAction]:
    """Actions as AWS describes them.

    A forward to one target group comes back both as TargetGroupArn and as ForwardConfig, a redirect with all
    of its parts, and an OIDC client secret never comes back.
    """
    normal = []
    for action in actions:
        data = dict(action)
        if oidc := data.get("AuthenticateOidcConfig"):
            data["AuthenticateOidcConfig"] = {k: v for k, v in oidc.items() if k not in _NEVER_DESCRIBED}
        if redirect := data.get("RedirectConfig"):
            data["RedirectConfig"] = {**UNCHANGED_PARTS, **redirect}
        if data["Type"] == "forward":
            groups = data.get("ForwardConfig", {}).get("TargetGroups", [])
            if "ForwardConfig" not in data:
                data["ForwardConfig"] = {"TargetGroups": [{"TargetGroupArn": data["TargetGroupArn"]}]}
            elif len(groups) == 1:
                data["TargetGroupArn"] = groups[0]["TargetGroupArn"]
        normal.append(FakeAction(data))
    return normal


def forwarded_to(actions: Iterable[FakeAction]) -> Iterator[str]:
    """Target group ARNs of normal actions."""
    for action in actions:
        for group in action.data.get("ForwardConfig", {}).get("TargetGroups", ()):
            yield group["TargetGroupArn"]
