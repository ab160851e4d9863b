"""Desired stacks as a group of Ingresses gives them: the AWS part, with everything it may have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lbcontroller.cluster.key_pairs import KeyPair
from lbcontroller.keys import ObjectName
from lbcontroller.model.actions import (
    Action,
    AuthenticateOidcAction,
    AuthenticationSession,
    ClientSecret,
    FixedResponseAction,
    ForwardAction,
    OnUnauthenticated,
    WeightedTargetGroup,
)
from lbcontroller.model.enums import (
    HealthCheckProtocol,
    IpAddressType,
    LoadBalancerType,
    Protocol,
    ProtocolVersion,
    Scheme,
    TargetIpAddressType,
    TargetType,
)
from lbcontroller.model.fields import UNMANAGED, Field, Known
from lbcontroller.model.identity import StackId, TagFamily, Tracked, certificate_resource, tracking_tags
from lbcontroller.model.ids import CertificateArn, SubnetId
from lbcontroller.model.references import Kind, Ref, ResourceId
from lbcontroller.model.resources import (
    Certificate,
    CertificateRef,
    HealthCheck,
    Listener,
    ListenerRule,
    LoadBalancer,
    LoadBalancerTarget,
    Resource,
    SecurityGroup,
    Stack,
    TargetGroup,
)
from lbcontroller.model.rule_conditions import Condition, HostCondition, PathCondition, Transform
from lbcontroller.model.subnet_mappings import SubnetMapping
from tests.support.nlb_stacks import CLUSTER, VPC, a_rule

GROUP = StackId(TagFamily.INGRESS, "shop/site")
LOAD_BALANCER = ResourceId(Kind.LOAD_BALANCER, "LoadBalancer")
FRONTEND = ResourceId(Kind.LOAD_BALANCER, "FrontendNlb")
SECURITY_GROUP = ResourceId(Kind.SECURITY_GROUP, "ManagedLBSecurityGroup")
TLS_SECRET = ObjectName("shop", "site-tls")
CERTIFICATE = ResourceId(Kind.CERTIFICATE, certificate_resource(TLS_SECRET))
NOT_FOUND = FixedResponseAction(status="404", content_type="text/plain")


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """A port of a Service that rules send to."""

    name: str = "web"
    protocol: Protocol = Protocol.HTTP
    version: ProtocolVersion = ProtocolVersion.HTTP1
    matcher: str = "200"
    control_port: int | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule; without actions it sends to the first backend."""

    conditions: tuple[Condition, ...] = (HostCondition(values=("www.example.com",)),)
    actions: tuple[Action, ...] = ()
    transforms: tuple[Transform, ...] = ()
    priority: int | None = None
    """None: its place in the list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlbGroup:
    """What the members of a group ask for together."""

    cluster: str = CLUSTER
    port: int = 80
    certificates: tuple[CertificateRef, ...] = ()
    """With any, the listener is an HTTPS one."""
    rules: tuple[Rule, ...] = (Rule(),)
    backends: tuple[Backend, ...] = (Backend(),)
    default_actions: tuple[Action, ...] = (NOT_FOUND,)
    mutual_authentication: Field[Any] = UNMANAGED
    tags: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    load_balancer: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of the load balancer."""
    frontend: bool = False
    """Whether a network load balancer stands before it."""
    secret: KeyPair | None = None
    """Of the Secret `TLS_SECRET`; with one, its certificate is the first of the listener."""

    def stack(self) -> Stack:
        """Return what should exist."""
        resources: list[Resource] = [self._security_group(), self._load_balancer(), self._listener()]
        resources += [self._target_group(backend) for backend in self.backends]
        resources += [self._rule(rule, rule.priority or place) for place, rule in enumerate(self.rules, 1)]
        if self.secret is not None:
            resources.append(self._certificate(self.secret))
        return Stack(GROUP, (*resources, *(self._frontend() if self.frontend else ())))

    def _tags(self, resource: ResourceId) -> Mapping[str, str]:
        return {**self.tags, **tracking_tags(self.cluster, Tracked(GROUP, resource.name))}

    def _security_group(self) -> SecurityGroup:
        return SecurityGroup(
            id=SECURITY_GROUP,
            name="k8s-shop-site-5ec0517700",
            description="[k8s] Managed SecurityGroup for LoadBalancer",
            vpc_id=VPC,
            ingress=frozenset({a_rule(port=self.port)}),
            tags=self._tags(SECURITY_GROUP),
        )

    def _load_balancer(self, **changes: Any) -> LoadBalancer:
        fields: dict[str, Any] = {
            "id": LOAD_BALANCER,
            "name": "k8s-shop-site-1a7e41a100",
            "type": LoadBalancerType.APPLICATION,
            "scheme": Scheme.INTERNAL,
            "ip_address_type": IpAddressType.IPV4,
            "subnets": tuple(SubnetMapping(subnet=SubnetId(f"subnet-{zone}")) for zone in "ab"),
            "security_groups": (Ref(SECURITY_GROUP),),
            "source_nat_prefix": UNMANAGED,
            "private_link_inbound_rules": UNMANAGED,
            "attributes": self.attributes,
            "capacity_units": UNMANAGED,
            "tags": self._tags(LOAD_BALANCER),
            **self.load_balancer,
        }
        return LoadBalancer(**{**fields, **changes})

    def _certificate(self, pair: KeyPair) -> Certificate:
        return Certificate(
            id=CERTIFICATE, secret=TLS_SECRET, fingerprint=pair.fingerprint, tags=self._tags(CERTIFICATE)
        )

    def _listener(self) -> Listener:
        certificates = (*((Ref(CERTIFICATE),) if self.secret is not None else ()), *self.certificates)
        secure = bool(certificates)
        id_ = listener_id(self.port)
        return Listener(
            id=id_,
            load_balancer=Ref(LOAD_BALANCER),
            port=self.port,
            protocol=Protocol.HTTPS if secure else Protocol.HTTP,
            default_actions=self.default_actions,
            certificates=certificates if secure else UNMANAGED,
            ssl_policy="ELBSecurityPolicy-TLS13-1-2-2021-06" if secure else UNMANAGED,
            alpn_policy=UNMANAGED,
            attributes={},
            tags=self._tags(id_),
            mutual_authentication=self.mutual_authentication,
        )

    def _rule(self, rule: Rule, priority: int) -> ListenerRule:
        id_ = rule_id(self.port, priority)
        return ListenerRule(
            id=id_,
            listener=Ref(listener_id(self.port)),
            priority=priority,
            conditions=rule.conditions,
            actions=rule.actions or (forward(self.backends[0].name),),
            transforms=rule.transforms,
            tags=self._tags(id_),
        )

    def _target_group(self, backend: Backend) -> TargetGroup:
        id_ = target_group_id(backend.name)
        grpc = backend.version is ProtocolVersion.GRPC
        return TargetGroup(
            id=id_,
            name=f"k8s-shop-{backend.name}-7a49e79000",
            target_type=TargetType.IP,
            protocol=backend.protocol,
            protocol_version=backend.version,
            port=8080,
            vpc_id=VPC,
            ip_address_type=TargetIpAddressType.IPV4,
            health_check=an_http_check(path="/AWS.ALB/healthcheck" if grpc else "/", matcher=backend.matcher),
            attributes=backend.attributes,
            tags=self._tags(id_),
            control_port=backend.control_port,
        )

    def _frontend(self) -> tuple[Resource, ...]:
        target_group = ResourceId(Kind.TARGET_GROUP, f"FrontendNlb-tg-TCP-{self.port}")
        listener = ResourceId(Kind.LISTENER, f"FrontendNlb-ls-TCP-{self.port}")
        return (
            self._load_balancer(
                id=FRONTEND,
                name="k8s-shop-site-1a7e41a100-nlb",
                type=LoadBalancerType.NETWORK,
                attributes={},
                tags=self._tags(FRONTEND),
                web_acl=UNMANAGED,
                web_acl_classic=UNMANAGED,
                shield_protection=UNMANAGED,
                ipam_pool=UNMANAGED,
            ),
            TargetGroup(
                id=target_group,
                name="k8s-shop-site-f20a7e0d00",
                target_type=TargetType.ALB,
                protocol=Protocol.TCP,
                protocol_version=None,
                port=self.port,
                vpc_id=VPC,
                ip_address_type=TargetIpAddressType.IPV4,
                health_check=an_http_check(),
                attributes={},
                tags=self._tags(target_group),
            ),
            Listener(
                id=listener,
                load_balancer=Ref(FRONTEND),
                port=self.port,
                protocol=Protocol.TCP,
                default_actions=(forward(target_group.name),),
                certificates=UNMANAGED,
                ssl_policy=UNMANAGED,
                alpn_policy=UNMANAGED,
                attributes={},
                tags=self._tags(listener),
            ),
            LoadBalancerTarget(
                id=ResourceId(Kind.LOAD_BALANCER_TARGET, target_group.name),
                target_group=Ref(target_group),
                load_balancer=Ref(LOAD_BALANCER),
                listener=Ref(listener_id(self.port)),
                port=self.port,
            ),
        )


def forward(*backends: str, weights: tuple[int, ...] = ()) -> ForwardAction:
    """Return an action that sends to backends of the group, or to a target group by its full name."""
    shares = weights or (None,) * len(backends)
    return ForwardAction(
        target_groups=tuple(
            WeightedTargetGroup(target_group=Ref(target_group_id(name)), weight=weight)
            for name, weight in zip(backends, shares, strict=True)
        ),
        stickiness_enabled=None,
    )


def on(host: str, path: str = "/*", **changes: Any) -> Rule:
    """Return a rule for a host and a path."""
    return Rule(conditions=(HostCondition(values=(host,)), PathCondition(values=(path,))), **changes)


def an_oidc_login(secret: Known[ClientSecret], **changes: Any) -> AuthenticateOidcAction:
    """Return an action that logs clients in."""
    values: dict[str, Any] = {
        "issuer": "https://login.example.com",
        "authorization_endpoint": "https://login.example.com/authorize",
        "token_endpoint": "https://login.example.com/token",
        "user_info_endpoint": "https://login.example.com/user",
        "client_id": "shop",
        "client_secret": secret,
        "session": a_session(),
    }
    return AuthenticateOidcAction(**{**values, **changes})


def a_session(**changes: Any) -> AuthenticationSession:
    """Return what both ways of logging in share."""
    values: dict[str, Any] = {
        "on_unauthenticated": OnUnauthenticated.AUTHENTICATE,
        "scope": "openid",
        "cookie": "AWSELBAuthSessionCookie",
        "timeout_seconds": 604_800,
    }
    return AuthenticationSession(**{**values, **changes})


def an_http_check(**changes: Any) -> HealthCheck:
    """Return a health check of HTTP targets."""
    values: dict[str, Any] = {
        "protocol": HealthCheckProtocol.HTTP,
        "port": "traffic-port",
        "path": "/",
        "matcher": "200",
        "interval_seconds": 15,
        "timeout_seconds": 5,
        "healthy_threshold": 2,
        "unhealthy_threshold": 2,
    }
    return HealthCheck(**{**values, **changes})


def target_group_id(name: str) -> ResourceId:
    """Return the identity of the target group of a backend; names that are complete stay as they are."""
    return ResourceId(Kind.TARGET_GROUP, name if "-" in name else f"shop/site-{name}:80")


def listener_id(port: int) -> ResourceId:
    """Return the identity of a listener."""
    return ResourceId(Kind.LISTENER, str(port))


def rule_id(port: int, priority: int) -> ResourceId:
    """Return the identity of a rule."""
    return ResourceId(Kind.LISTENER_RULE, f"{port}:{priority}")


def certificates_of(ids: Mapping[str, str], *domains: str) -> tuple[CertificateArn, ...]:
    """Return seeded certificates by their domains."""
    return tuple(CertificateArn(ids[f"cert.{domain}"]) for domain in domains)
