"""Desired stacks of web sites: load balancers with several listeners and rules, and bindings behind them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lbcontroller.keys import ObjectName
from lbcontroller.model.actions import Action, ForwardAction, RedirectAction
from lbcontroller.model.enums import (
    IpAddressType,
    LoadBalancerType,
    Protocol,
    ProtocolVersion,
    Scheme,
    TargetIpAddressType,
    TargetType,
)
from lbcontroller.model.fields import UNMANAGED
from lbcontroller.model.identity import Tracked, binding_labels, tracking_tags
from lbcontroller.model.ids import CertificateArn, SubnetId
from lbcontroller.model.references import Kind, Ref, ResourceId
from lbcontroller.model.resources import (
    BindingIngress,
    BindingPeer,
    BindingPort,
    BindingSpec,
    Certificate,
    CertificateRef,
    Listener,
    ListenerRule,
    LoadBalancer,
    LoadBalancerTarget,
    Resource,
    SecurityGroup,
    Stack,
    TargetGroup,
    TargetGroupBinding,
)
from lbcontroller.model.subnet_mappings import SubnetMapping
from tests.support.alb_stacks import (
    FRONTEND,
    GROUP,
    LOAD_BALANCER,
    NOT_FOUND,
    SECURITY_GROUP,
    Rule,
    an_http_check,
    forward,
    listener_id,
    rule_id,
    target_group_id,
)
from tests.support.nlb_stacks import CLUSTER, VPC, a_rule

TO_HTTPS = RedirectAction(status="HTTP_301", protocol="HTTPS", port="443")


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One listener with its rules."""

    rules: tuple[Rule, ...] = ()
    default: Action = NOT_FOUND
    certificates: tuple[CertificateRef, ...] = ()
    """With any, it is an HTTPS listener."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sites:
    """What the members of a group ask for together."""

    listeners: Mapping[int, Site] = field(default_factory=lambda: {80: Site()})
    instances: frozenset[str] = frozenset()
    """Backends whose targets are nodes; those of the others are pods."""
    control_ports: Mapping[str, int] = field(default_factory=dict)
    scheme: Scheme = Scheme.INTERNAL
    tags: Mapping[str, str] = field(default_factory=dict)
    rule_tags: Mapping[str, str] = field(default_factory=dict)
    frontend: Mapping[int, int] = field(default_factory=dict)
    """Port of the application load balancer by port of the network load balancer before it; none without."""
    frontend_scheme: Scheme = Scheme.INTERNAL
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Fingerprint of the certificate by the name of a Secret."""
    load_balancer: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of the application load balancer."""
    retained: frozenset[ResourceId] = frozenset()

    def stack(self) -> Stack:
        """Return what should exist."""
        resources: list[Resource] = [self._security_group(), self._load_balancer()]
        for port, site in self.listeners.items():
            resources += [self._listener(port, site), *self._rules(port, site)]
        for name in sorted(self._backends()):
            resources += [self._target_group(name), self._binding(name)]
        resources += [self._certificate(secret, found) for secret, found in self.secrets.items()]
        resources += self._frontend() if self.frontend else ()
        return Stack(GROUP, tuple(resources), self.retained)

    def _tags(self, id_: ResourceId) -> Mapping[str, str]:
        more = self.rule_tags if id_.kind is Kind.LISTENER_RULE else self.tags
        return {**more, **tracking_tags(CLUSTER, Tracked(GROUP, id_.name))}

    def _backends(self) -> frozenset[str]:
        actions = [site.default for site in self.listeners.values()]
        actions += [
            action for site in self.listeners.values() for rule in site.rules for action in rule.actions
        ]
        return frozenset(
            weighted.target_group.to.name.removeprefix("shop/site-").removesuffix(":80")
            for action in actions
            if isinstance(action, ForwardAction)
            for weighted in action.target_groups
            if isinstance(weighted.target_group, Ref)
        )

    def _security_group(self) -> SecurityGroup:
        return SecurityGroup(
            id=SECURITY_GROUP,
            name="k8s-shop-site-5ec0517700",
            description="[k8s] Managed SecurityGroup for LoadBalancer",
            vpc_id=VPC,
            ingress=frozenset(a_rule(port=port) for port in self.listeners),
            tags=self._tags(SECURITY_GROUP),
        )

    def _load_balancer(self) -> LoadBalancer:
        suffix = "1a7e41a100" if self.scheme is Scheme.INTERNAL else "facade1000"
        fields: dict[str, Any] = {
            "id": LOAD_BALANCER,
            "name": f"k8s-shop-site-{suffix}",
            "type": LoadBalancerType.APPLICATION,
            "scheme": self.scheme,
            "ip_address_type": IpAddressType.IPV4,
            "subnets": tuple(SubnetMapping(subnet=SubnetId(f"subnet-{zone}")) for zone in "ab"),
            "security_groups": (Ref(SECURITY_GROUP),),
            "source_nat_prefix": UNMANAGED,
            "private_link_inbound_rules": UNMANAGED,
            "attributes": {},
            "capacity_units": UNMANAGED,
            "tags": self._tags(LOAD_BALANCER),
        }
        return LoadBalancer(**{**fields, **self.load_balancer})

    def _listener(self, port: int, site: Site) -> Listener:
        secure = bool(site.certificates)
        id_ = listener_id(port)
        return Listener(
            id=id_,
            load_balancer=Ref(LOAD_BALANCER),
            port=port,
            protocol=Protocol.HTTPS if secure else Protocol.HTTP,
            default_actions=(site.default,),
            certificates=site.certificates if secure else UNMANAGED,
            ssl_policy="ELBSecurityPolicy-TLS13-1-2-2021-06" if secure else UNMANAGED,
            alpn_policy=UNMANAGED,
            attributes={},
            tags=self._tags(id_),
        )

    def _rules(self, port: int, site: Site) -> Iterator[ListenerRule]:
        for priority, rule in enumerate(site.rules, start=1):
            id_ = rule_id(port, priority)
            yield ListenerRule(
                id=id_,
                listener=Ref(listener_id(port)),
                priority=priority,
                conditions=rule.conditions,
                actions=rule.actions,
                transforms=rule.transforms,
                tags=self._tags(id_),
            )

    def _target_group(self, name: str) -> TargetGroup:
        id_ = target_group_id(name)
        return TargetGroup(
            id=id_,
            # The target type is left out of the name, so that a replacement finds it taken.
            name=f"k8s-shop-{name}-7a49e79000",
            target_type=self._target_type(name),
            protocol=Protocol.HTTP,
            protocol_version=ProtocolVersion.HTTP1,
            port=8080,
            vpc_id=VPC,
            ip_address_type=TargetIpAddressType.IPV4,
            health_check=an_http_check(),
            attributes={},
            tags=self._tags(id_),
            control_port=self.control_ports.get(name),
        )

    def _target_type(self, name: str) -> TargetType:
        return TargetType.INSTANCE if name in self.instances else TargetType.IP

    def _binding(self, name: str) -> TargetGroupBinding:
        return TargetGroupBinding(
            id=replace(target_group_id(name), kind=Kind.TARGET_GROUP_BINDING),
            name=ObjectName("shop", f"k8s-shop-{name}-7a49e79000"),
            labels=binding_labels(GROUP),
            spec=BindingSpec(
                target_group=Ref(target_group_id(name)),
                target_type=self._target_type(name),
                protocol=Protocol.HTTP,
                service=name,
                service_port=80,
                ip_address_type=TargetIpAddressType.IPV4,
                vpc_id=VPC,
                networking=(
                    BindingIngress(
                        peers=(BindingPeer(security_group=Ref(SECURITY_GROUP)),),
                        ports=(BindingPort(protocol="TCP", port=8080),),
                    ),
                ),
            ),
        )

    def _certificate(self, secret: str, fingerprint: str) -> Certificate:
        id_ = certificate_id(secret)
        return Certificate(
            id=id_, secret=ObjectName("shop", secret), fingerprint=fingerprint, tags=self._tags(id_)
        )

    def _frontend(self) -> Iterator[Resource]:
        suffix = "" if self.frontend_scheme is Scheme.INTERNAL else "-public"
        yield replace(
            self._load_balancer(),
            id=FRONTEND,
            name=f"k8s-shop-site-nlb{suffix}",
            type=LoadBalancerType.NETWORK,
            scheme=self.frontend_scheme,
            tags=self._tags(FRONTEND),
        )
        for port, behind in self.frontend.items():
            target_group, listener = frontend_target_group_id(port), frontend_listener_id(port)
            yield replace(
                self._target_group("front"),
                id=target_group,
                name=f"k8s-shop-site-f20a7{port:05d}",
                target_type=TargetType.ALB,
                protocol=Protocol.TCP,
                protocol_version=None,
                port=port,
                tags=self._tags(target_group),
            )
            yield replace(
                self._listener(port, Site()),
                id=listener,
                load_balancer=Ref(FRONTEND),
                protocol=Protocol.TCP,
                default_actions=(forward(target_group.name),),
                tags=self._tags(listener),
            )
            yield LoadBalancerTarget(
                id=ResourceId(Kind.LOAD_BALANCER_TARGET, target_group.name),
                target_group=Ref(target_group),
                load_balancer=Ref(LOAD_BALANCER),
                listener=Ref(listener_id(behind)),
                port=behind,
            )


def sites(*rules: Rule, **changes: Any) -> Stack:
    """Return the stack of a group with one HTTP listener that has these rules."""
    default = changes.pop("default", NOT_FOUND)
    return Sites(**{"listeners": {80: Site(rules=rules, default=default)}, **changes}).stack()


def no_sites(**changes: Any) -> Stack:
    """Return the stack of a group that wants nothing any more."""
    return Stack(GROUP, **changes)


def certificate_id(secret: str) -> ResourceId:
    """Return the identity of the certificate of a Secret."""
    return ResourceId(Kind.CERTIFICATE, f"secret/shop/{secret}")


def certificate(name: str) -> CertificateArn:
    """Return a certificate that users name themselves."""
    return CertificateArn(f"arn-of-{name}")


def frontend_target_group_id(port: int) -> ResourceId:
    """Return the identity of a target group whose target is the application load balancer."""
    return ResourceId(Kind.TARGET_GROUP, f"FrontendNlb-tg-TCP-{port}")


def frontend_listener_id(port: int) -> ResourceId:
    """Return the identity of a listener of the network load balancer."""
    return ResourceId(Kind.LISTENER, f"FrontendNlb-ls-TCP-{port}")
