"""The annotations of Services.

A field is `None` or empty without its annotation. Where the two differ, `None` means that the annotation is
absent and empty that it stands there with nothing in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, ClassVar, Final

from pydantic import Field

from lbcontroller.annotations import formats
from lbcontroller.annotations.actions import ForwardAction
from lbcontroller.annotations.codecs import ANY_TEXT, BOOLEAN, enumeration, integer, list_of
from lbcontroller.annotations.declare import AnnotationModel, Key
from lbcontroller.annotations.formats import ListenerKey
from lbcontroller.annotations.json_objects import json_object
from lbcontroller.model.drift_mode import DriftMode
from lbcontroller.model.enums import (
    BACKEND_TARGET_TYPES,
    AlpnPolicy,
    HealthCheckProtocol,
    IpAddressType,
    OnOff,
    Scheme,
    TargetType,
)
from lbcontroller.model.ids import AllocationId, CertificateArn, PrefixListId
from lbcontroller.settings import StatusAddresses

_OWNERSHIP: Final = "Ownership"
_FRONT: Final = "Name, scheme and addresses"
_SECURITY: Final = "Security groups"
_LISTENERS: Final = "Listeners and TLS"
_TARGETS: Final = "Target groups"
_HEALTH: Final = "Health checks"
_REST: Final = "Attributes, tags and capacity"

_CLASSIC: Final = "it belongs to classic load balancers, which are not made here"


class BackendProtocol(StrEnum):
    """What a TLS listener speaks to its targets."""

    SSL = "ssl"
    """TLS."""
    TCP = "tcp"
    HTTP = "http"
    """As `tcp`: what manifests for classic load balancers say."""


class ServiceAnnotations(AnnotationModel):
    """What the annotations of a Service say about its network load balancer."""

    carrier: ClassVar[str] = "Services"
    prefix: ClassVar[str] = "service.beta.kubernetes.io/"
    watched: ClassVar[tuple[str, ...]] = ("aws-", "actions.", "load-balancer-")
    effectless: ClassVar[Mapping[str, str]] = {
        f"{prefix}aws-load-balancer-access-log-emit-interval": _CLASSIC,
        f"{prefix}aws-load-balancer-connection-draining-enabled": _CLASSIC,
        f"{prefix}aws-load-balancer-connection-draining-timeout": _CLASSIC,
        f"{prefix}aws-load-balancer-connection-idle-timeout": _CLASSIC,
        f"{prefix}aws-load-balancer-extra-security-groups": _CLASSIC,
        f"{prefix}aws-load-balancer-quic-enabled-containers": "it is read on pods, not on Services",
    }

    type: Annotated[str | None, Key("aws-load-balancer-type", _OWNERSHIP), ANY_TEXT] = None
    """`external` together with a target type, or `nlb-ip`, claims a Service that has no `loadBalancerClass`.
    Other values leave it to others."""
    nlb_target_type: Annotated[
        TargetType | None,
        Key(
            "aws-load-balancer-nlb-target-type",
            _OWNERSHIP,
            "`--default-target-type`; `ip` with type `nlb-ip`",
        ),
        enumeration(TargetType, only=BACKEND_TARGET_TYPES),
    ] = None
    """Whether traffic goes to nodes by their node ports, or straight to pods."""

    name: Annotated[
        str | None, Key("aws-load-balancer-name", _FRONT, "generated"), formats.LOAD_BALANCER_NAME
    ] = None
    """Name of the load balancer. It is given at creation and cannot be changed."""
    scheme: Annotated[
        Scheme | None,
        Key("aws-load-balancer-scheme", _FRONT, "as it is, or `--default-load-balancer-scheme`"),
        enumeration(Scheme),
    ] = None
    """Whether the load balancer gets public addresses. Changing it replaces the load balancer."""
    internal: Annotated[bool | None, Key("aws-load-balancer-internal", _FRONT), BOOLEAN] = None
    """Older spelling: true is scheme `internal`, false `internet-facing`. Read when there is no scheme."""
    ip_address_type: Annotated[
        IpAddressType | None,
        Key("aws-load-balancer-ip-address-type", _FRONT, "`ipv4`"),
        enumeration(IpAddressType, only=(IpAddressType.IPV4, IpAddressType.DUALSTACK)),
    ] = None
    """Address families that clients can use."""
    subnets: Annotated[
        tuple[str, ...] | None,
        Key("aws-load-balancer-subnets", _FRONT, "discovered by their tags, one of each zone"),
        list_of(formats.SUBNET),
    ] = None
    """Subnets of the load balancer, one of each zone."""
    eip_allocations: Annotated[
        tuple[AllocationId, ...] | None,
        Key("aws-load-balancer-eip-allocations", _FRONT),
        list_of(formats.ALLOCATION),
    ] = None
    """Elastic IP addresses of an internet-facing load balancer, one for each subnet, in their order."""
    private_ipv4_addresses: Annotated[
        tuple[str, ...] | None, Key("aws-load-balancer-private-ipv4-addresses", _FRONT), list_of(formats.IPV4)
    ] = None
    """Addresses of an internal load balancer, one out of each subnet."""
    ipv6_addresses: Annotated[
        tuple[str, ...] | None, Key("aws-load-balancer-ipv6-addresses", _FRONT), list_of(formats.IPV6)
    ] = None
    """IPv6 addresses of a dual-stack load balancer, one out of each subnet."""
    enable_prefix_for_ipv6_source_nat: Annotated[
        OnOff | None,
        Key("aws-load-balancer-enable-prefix-for-ipv6-source-nat", _FRONT, "`off`"),
        enumeration(OnOff),
    ] = None
    """Source NAT prefixes, which dual-stack load balancers need for UDP listeners over IPv6."""
    source_nat_ipv6_prefixes: Annotated[
        tuple[str, ...] | None,
        Key("aws-load-balancer-source-nat-ipv6-prefixes", _FRONT, "assigned by AWS"),
        list_of(formats.SOURCE_NAT_PREFIX),
    ] = None
    """The source NAT prefixes, one for each subnet, in their order."""
    status_addresses: Annotated[
        StatusAddresses | None,
        Key("aws-load-balancer-status-addresses", _FRONT, "`--status-addresses`"),
        enumeration(StatusAddresses),
    ] = None
    """What the status of the Service publishes; addresses only from Kubernetes 1.30 on."""
    drift: Annotated[
        DriftMode | None, Key("aws-load-balancer-drift", _FRONT, "`repair`"), enumeration(DriftMode)
    ] = None
    """What is done when somebody else changes in AWS what was brought about: `repair` it, but keep and report
    listeners and tags that were added; only `report` it; or be `strict` and remove what was added too."""
    allow_replacement: Annotated[
        bool | None,
        Key("aws-load-balancer-allow-replacement", _FRONT, "`--allow-load-balancer-replacement`"),
        BOOLEAN,
    ] = None
    """Let another load balancer, under another hostname, take the place of one that AWS cannot give the name,
    the addresses or the security groups asked for."""

    load_balancer_source_ranges: Annotated[
        tuple[str, ...],
        Key("load-balancer-source-ranges", _SECURITY, "everybody, unless prefix lists are given"),
        list_of(formats.CIDR),
    ] = ()
    """Who may connect. Read when `spec.loadBalancerSourceRanges` is empty."""
    security_group_prefix_lists: Annotated[
        tuple[PrefixListId, ...] | None,
        Key("aws-load-balancer-security-group-prefix-lists", _SECURITY),
        list_of(formats.PREFIX_LIST),
    ] = None
    """Prefix lists whose addresses may connect, beside the source ranges."""
    security_groups: Annotated[
        tuple[str, ...],
        Key("aws-load-balancer-security-groups", _SECURITY, "a managed one"),
        list_of(formats.SECURITY_GROUP),
    ] = ()
    """Security groups of the load balancer instead of a managed one."""
    manage_backend_security_group_rules: Annotated[
        bool | None,
        Key(
            "aws-load-balancer-manage-backend-security-group-rules",
            _SECURITY,
            "true, or `--enable-manage-backend-security-group-rules` with security groups of your own",
        ),
        BOOLEAN,
    ] = None
    """Whether the security groups of nodes and pods are opened for the load balancer."""
    disable_nlb_sg: Annotated[
        bool | None, Key("aws-load-balancer-disable-nlb-sg", _SECURITY, "false"), BOOLEAN
    ] = None
    """Create the load balancer without security groups. It can never get any later."""
    inbound_sg_rules_on_private_link_traffic: Annotated[
        OnOff | None,
        Key("aws-load-balancer-inbound-sg-rules-on-private-link-traffic", _SECURITY, "as it is"),
        enumeration(OnOff),
    ] = None
    """Whether inbound rules also hold for traffic through PrivateLink."""
    enable_icmp_for_path_mtu_discovery: Annotated[
        OnOff | None,
        Key("aws-load-balancer-enable-icmp-for-path-mtu-discovery", _SECURITY, "`off`"),
        enumeration(OnOff),
    ] = None
    """Let in the ICMP messages that path MTU discovery needs, in the managed security group."""

    ssl_cert: Annotated[
        tuple[CertificateArn, ...],
        Key("aws-load-balancer-ssl-cert", _LISTENERS),
        list_of(formats.CERTIFICATE),
    ] = ()
    """Certificates of TLS listeners; the first is the default one."""
    ssl_ports: Annotated[
        tuple[int | str, ...],
        Key("aws-load-balancer-ssl-ports", _LISTENERS, "all TCP ports, when there is a certificate"),
        list_of(formats.PORT_REF),
    ] = ()
    """Ports with TLS listeners."""
    ssl_negotiation_policy: Annotated[
        str | None,
        Key("aws-load-balancer-ssl-negotiation-policy", _LISTENERS, "as it is, or `--default-ssl-policy`"),
        formats.SSL_POLICY,
    ] = None
    """Versions and ciphers of TLS listeners."""
    backend_protocol: Annotated[
        BackendProtocol | None,
        Key("aws-load-balancer-backend-protocol", _LISTENERS, "`tcp`"),
        enumeration(BackendProtocol),
    ] = None
    """What TLS listeners speak to the targets: `ssl` for TLS, `tcp` or `http` for plain TCP."""
    alpn_policy: Annotated[
        AlpnPolicy | None,
        Key("aws-load-balancer-alpn-policy", _LISTENERS, "as it is"),
        enumeration(AlpnPolicy),
    ] = None
    """Application-layer protocol negotiation of TLS listeners."""
    listener_attributes: Annotated[
        Mapping[ListenerKey, Mapping[str, str]],
        Key("aws-load-balancer-listener-attributes", _LISTENERS, parameter=formats.LISTENER_PARAMETER),
        formats.ATTRIBUTES,
    ] = Field(default_factory=dict)
    """Attributes of one listener."""
    actions: Annotated[
        Mapping[ListenerKey, ForwardAction],
        Key("actions", _LISTENERS, "all to this Service", parameter=formats.LISTENER_PARAMETER),
        json_object(ForwardAction),
    ] = Field(default_factory=dict)
    """Spreads the traffic of one listener over several target groups by weight."""
    enable_tcp_udp_listener: Annotated[
        bool | None,
        Key("aws-load-balancer-enable-tcp-udp-listener", _LISTENERS, "gate `EnableTCPUDPListener`"),
        BOOLEAN,
    ] = None
    """Serve TCP and UDP of one port number with one listener."""
    quic_enabled_ports: Annotated[
        tuple[int | str, ...],
        Key("aws-load-balancer-quic-enabled-ports", _LISTENERS),
        list_of(formats.PORT_REF),
    ] = ()
    """UDP ports that serve QUIC."""

    target_group_attributes: Annotated[
        Mapping[str, str], Key("aws-load-balancer-target-group-attributes", _TARGETS), formats.ATTRIBUTES
    ] = Field(default_factory=dict)
    """Attributes of all target groups."""
    port_target_group_attributes: Annotated[
        Mapping[int, Mapping[str, str]],
        Key("aws-load-balancer-target-group-attributes", _TARGETS, parameter=formats.PORT_PARAMETER),
        formats.ATTRIBUTES,
    ] = Field(default_factory=dict)
    """Attributes of one Service port's target group, over those of all; an empty value changes nothing."""
    proxy_protocol: Annotated[
        str | None, Key("aws-load-balancer-proxy-protocol", _TARGETS), formats.PROXY_PROTOCOL
    ] = None
    """Send PROXY protocol version 2 to all targets, whatever the attributes say."""
    proxy_protocol_per_target_group: Annotated[
        tuple[int, ...] | None,
        Key("aws-load-balancer-proxy-protocol-per-target-group", _TARGETS),
        list_of(formats.PORT),
    ] = None
    """Service ports whose targets get PROXY protocol version 2; others do not, whatever attributes say."""
    target_node_labels: Annotated[
        Mapping[str, str],
        Key("aws-load-balancer-target-node-labels", _TARGETS, "all nodes"),
        formats.NODE_LABELS,
    ] = Field(default_factory=dict)
    """Labels of the nodes that become targets, with target type `instance`."""
    multi_cluster_target_group: Annotated[
        bool | None, Key("aws-load-balancer-multi-cluster-target-group", _TARGETS, "false"), BOOLEAN
    ] = None
    """Leave targets alone that other clusters registered in the same target group."""

    healthcheck_protocol: Annotated[
        HealthCheckProtocol | None,
        Key("aws-load-balancer-healthcheck-protocol", _HEALTH, "`TCP`; `HTTP` with local traffic to nodes"),
        enumeration(HealthCheckProtocol, fold_case=True),
    ] = None
    """Protocol of health checks."""
    healthcheck_port: Annotated[
        int | str | None,
        Key(
            "aws-load-balancer-healthcheck-port",
            _HEALTH,
            "`traffic-port`; the health check node port with local traffic to nodes",
        ),
        formats.HEALTH_CHECK_PORT,
    ] = None
    """Port of health checks."""
    healthcheck_path: Annotated[
        str | None,
        Key("aws-load-balancer-healthcheck-path", _HEALTH, "`/`; `/healthz` with local traffic to nodes"),
        formats.HEALTH_CHECK_PATH,
    ] = None
    """Path of HTTP and HTTPS health checks."""
    healthcheck_success_codes: Annotated[
        str | None,
        Key("aws-load-balancer-healthcheck-success-codes", _HEALTH, "`200-399`"),
        formats.status_codes(200, 599),
    ] = None
    """Status codes of healthy targets, for HTTP and HTTPS."""
    healthcheck_interval: Annotated[
        int | None, Key("aws-load-balancer-healthcheck-interval", _HEALTH, "10"), integer(5, 300)
    ] = None
    """Seconds between two health checks of a target."""
    healthcheck_timeout: Annotated[
        int | None,
        Key("aws-load-balancer-healthcheck-timeout", _HEALTH, "10; 6 with local traffic to nodes"),
        integer(2, 120),
    ] = None
    """Seconds without an answer after which a health check has failed."""
    healthcheck_healthy_threshold: Annotated[
        int | None,
        Key("aws-load-balancer-healthcheck-healthy-threshold", _HEALTH, "3; 2 with local traffic to nodes"),
        integer(2, 10),
    ] = None
    """Successes in a row that make a target healthy."""
    healthcheck_unhealthy_threshold: Annotated[
        int | None,
        Key("aws-load-balancer-healthcheck-unhealthy-threshold", _HEALTH, "3; 2 with local traffic to nodes"),
        integer(2, 10),
    ] = None
    """Failures in a row that make a target unhealthy."""

    attributes: Annotated[
        Mapping[str, str], Key("aws-load-balancer-attributes", _REST, "as they are"), formats.ATTRIBUTES
    ] = Field(default_factory=dict)
    """Attributes of the load balancer."""
    access_log_enabled: Annotated[
        bool | None, Key("aws-load-balancer-access-log-enabled", _REST, "as it is"), BOOLEAN
    ] = None
    """Write access logs to S3."""
    access_log_s3_bucket_name: Annotated[
        str | None, Key("aws-load-balancer-access-log-s3-bucket-name", _REST), formats.BUCKET_NAME
    ] = None
    """Bucket of the access logs."""
    access_log_s3_bucket_prefix: Annotated[
        str | None, Key("aws-load-balancer-access-log-s3-bucket-prefix", _REST), ANY_TEXT
    ] = None
    """What the names of the access logs begin with."""
    cross_zone_load_balancing_enabled: Annotated[
        bool | None, Key("aws-load-balancer-cross-zone-load-balancing-enabled", _REST, "as it is"), BOOLEAN
    ] = None
    """Send traffic also to targets in other zones."""
    additional_resource_tags: Annotated[
        Mapping[str, str], Key("aws-load-balancer-additional-resource-tags", _REST), formats.TAGS
    ] = Field(default_factory=dict)
    """Tags of everything that is made for this Service."""
    minimum_load_balancer_capacity: Annotated[
        int | None,
        Key("aws-load-balancer-minimum-load-balancer-capacity", _REST, "as it is"),
        formats.CAPACITY,
    ] = None
    """Reserved capacity units; 0 gives a reservation back."""
