"""The annotations of Ingresses.

A field is `None` or empty without its annotation. Where the two differ, `None` means that the annotation is
absent and empty that it stands there with nothing in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Final

from pydantic import Field

from lbcontroller.annotations import backend, formats, frontend_nlb, ingress_formats
from lbcontroller.annotations.backend import PREFIX, BackendAnnotations
from lbcontroller.annotations.codecs import BOOLEAN, enumeration, list_of
from lbcontroller.annotations.declare import AnnotationModel, Key, Merge, Scope
from lbcontroller.annotations.formats import ListenerKey
from lbcontroller.annotations.frontend_nlb import FrontendNlbAnnotations
from lbcontroller.annotations.ingress_actions import ACTION, IngressAction
from lbcontroller.annotations.ingress_conditions import CONDITIONS
from lbcontroller.annotations.ingress_formats import SubnetTags
from lbcontroller.annotations.ingress_transforms import TRANSFORMS
from lbcontroller.annotations.jwt import JWT_VALIDATION
from lbcontroller.annotations.listen_ports import LISTEN_PORTS, ListenPort
from lbcontroller.annotations.mutual_authentication import MUTUAL_AUTHENTICATION, PortMutualAuthentication
from lbcontroller.model.actions import ValidateJwtAction
from lbcontroller.model.drift_mode import DriftMode
from lbcontroller.model.enums import IpAddressType, Scheme
from lbcontroller.model.ids import CertificateArn, PrefixListId
from lbcontroller.model.rule_conditions import Condition, Transform

_GROUP: Final = "Group"
_FRONT: Final = "Name, scheme and addresses"
_SECURITY: Final = "Security groups"
_LISTENERS: Final = "Listeners and TLS"
_RULES: Final = "Rules"
_REST: Final = "Attributes, capacity and protection"


class IngressAnnotations(FrontendNlbAnnotations, BackendAnnotations):
    """What the annotations of an Ingress say about its application load balancer."""

    carrier: ClassVar[str] = "Ingresses"
    effectless: ClassVar[Mapping[str, str]] = {
        f"{PREFIX}dry-run-plan": "it is written by the controller and never read"
    }
    unknown: ClassVar[str] = AnnotationModel.unknown
    topics: ClassVar[tuple[str, ...]] = (
        _GROUP,
        _FRONT,
        _SECURITY,
        _LISTENERS,
        _RULES,
        backend.AUTHENTICATION,
        backend.TARGETS,
        backend.HEALTH_CHECKS,
        _REST,
        backend.TAGS,
        frontend_nlb.TOPIC,
    )
    refusal: ClassVar[str] = (
        "What the Ingress has in AWS stays as it is until all of its values are allowed; the others of its\n"
        "group go on."
    )

    group_name: Annotated[
        str | None, Key("group.name", _GROUP, "a load balancer of its own"), ingress_formats.GROUP_NAME
    ] = None
    """Ingresses of one group, of any namespaces, share a load balancer."""
    group_order: Annotated[int | None, Key("group.order", _GROUP, "0"), ingress_formats.GROUP_ORDER] = None
    """Rules of lower numbers come first; equal ones are ordered by namespace and name."""

    load_balancer_name: Annotated[
        str | None,
        Key("load-balancer-name", _FRONT, "generated", merge=Merge.EXCLUSIVE),
        formats.LOAD_BALANCER_NAME,
    ] = None
    """Name of the load balancer. It is given at creation and cannot be changed."""
    scheme: Annotated[
        Scheme | None,
        Key("scheme", _FRONT, "`--default-load-balancer-scheme`", merge=Merge.EXCLUSIVE),
        enumeration(Scheme),
    ] = None
    """Whether the load balancer gets public addresses. Changing it replaces the load balancer."""
    allow_load_balancer_replacement: Annotated[
        bool | None,
        Key(
            "allow-load-balancer-replacement",
            _FRONT,
            "`--allow-load-balancer-replacement`",
            merge=Merge.EXCLUSIVE,
        ),
        BOOLEAN,
    ] = None
    """Let another load balancer, under another hostname, take the place of one that AWS cannot give the name
    or the addresses asked for; the same for the network load balancer in front."""
    ip_address_type: Annotated[
        IpAddressType | None,
        Key("ip-address-type", _FRONT, "`ipv4`", merge=Merge.EXCLUSIVE),
        enumeration(IpAddressType),
    ] = None
    """Address families that clients can use."""
    subnets: Annotated[
        tuple[str, ...] | SubnetTags | None,
        Key("subnets", _FRONT, "discovered by their tags, one of each zone", merge=Merge.SAME_SET),
        ingress_formats.SUBNETS,
    ] = None
    """Subnets of the load balancer, one of each zone."""
    customer_owned_ipv4_pool: Annotated[
        str | None, Key("customer-owned-ipv4-pool", _FRONT, merge=Merge.EXCLUSIVE), ingress_formats.COIP_POOL
    ] = None
    """Customer-owned addresses on an Outpost. It is given at creation and cannot be changed."""
    ipam_ipv4_pool_id: Annotated[
        str | None, Key("ipam-ipv4-pool-id", _FRONT, "none", merge=Merge.EXCLUSIVE), ingress_formats.IPAM_POOL
    ] = None
    """IPAM pool of the public addresses."""

    drift: Annotated[
        DriftMode | None, Key("drift", _FRONT, "`repair`", merge=Merge.EXCLUSIVE), enumeration(DriftMode)
    ] = None
    """What is done when somebody else changes in AWS what was brought about: `repair` it, but keep and report
    listeners and tags that were added; only `report` it; or be `strict` and remove what was added too."""

    security_groups: Annotated[
        tuple[str, ...],
        Key("security-groups", _SECURITY, "a managed one", merge=Merge.EXCLUSIVE),
        list_of(formats.SECURITY_GROUP),
    ] = ()
    """Security groups of the load balancer instead of a managed one."""
    manage_backend_security_group_rules: Annotated[
        bool | None,
        Key(
            "manage-backend-security-group-rules",
            _SECURITY,
            "`--enable-manage-backend-security-group-rules`",
            merge=Merge.EXCLUSIVE,
        ),
        BOOLEAN,
    ] = None
    """With security groups of one's own: whether those of nodes and pods are opened for the load balancer."""
    inbound_cidrs: Annotated[
        tuple[str, ...],
        Key(
            "inbound-cidrs",
            _SECURITY,
            "everybody, unless prefix lists are given",
            merge=Merge.SAME_SET,
            scope=Scope.LISTENER,
        ),
        list_of(formats.CIDR),
    ] = ()
    """Who may connect, with a managed security group."""
    security_group_prefix_lists: Annotated[
        tuple[PrefixListId, ...],
        Key("security-group-prefix-lists", _SECURITY, merge=Merge.SAME_SET, scope=Scope.LISTENER),
        list_of(formats.PREFIX_LIST),
    ] = ()
    """Prefix lists whose addresses may connect, with a managed security group."""

    listen_ports: Annotated[
        tuple[ListenPort, ...] | None,
        Key("listen-ports", _LISTENERS, "HTTP 80; HTTPS 443 with `certificate-arn` or `create-acm-cert`"),
        LISTEN_PORTS,
    ] = None
    """Listeners that serve the rules of this Ingress."""
    ssl_redirect: Annotated[
        int | None, Key("ssl-redirect", _LISTENERS, "none", merge=Merge.EXCLUSIVE), formats.PORT
    ] = None
    """Port of an HTTPS listener: every HTTP listener of the group redirects there."""
    certificate_arn: Annotated[
        tuple[CertificateArn, ...],
        Key("certificate-arn", _LISTENERS, "discovered by the hosts, for HTTPS listeners"),
        list_of(formats.CERTIFICATE),
    ] = ()
    """Certificates; the first one of the first Ingress is the default one of a listener."""
    ssl_policy: Annotated[
        str | None,
        Key("ssl-policy", _LISTENERS, "`--default-ssl-policy`", merge=Merge.EXCLUSIVE, scope=Scope.LISTENER),
        formats.SSL_POLICY,
    ] = None
    """Versions and ciphers of HTTPS listeners."""
    mutual_authentication: Annotated[
        tuple[PortMutualAuthentication, ...] | None,
        Key("mutual-authentication", _LISTENERS, "as it is", merge=Merge.EXCLUSIVE, scope=Scope.LISTENER),
        MUTUAL_AUTHENTICATION,
    ] = None
    """Whether HTTPS listeners ask clients for certificates, port by port. Example:
    `[{"port": 443, "mode": "verify", "trustStore": "clients", "ignoreClientCertificateExpiry": false}]`."""
    listener_attributes: Annotated[
        Mapping[ListenerKey, Mapping[str, str]],
        Key(
            "listener-attributes",
            _LISTENERS,
            "as they are",
            parameter=ingress_formats.LISTENER_PARAMETER,
            merge=Merge.UNION,
            scope=Scope.LISTENER,
        ),
        formats.ATTRIBUTES,
    ] = Field(default_factory=dict)
    """Attributes of one listener."""
    create_acm_cert: Annotated[bool | None, Key("create-acm-cert", _LISTENERS, "false"), BOOLEAN] = None
    """Request a certificate for the hosts from ACM, validated in Route 53; with the feature gate
    `EnableCertificateManagement`."""
    acm_pca_arn: Annotated[
        str | None, Key("acm-pca-arn", _LISTENERS, "`--default-pca-arn`"), ingress_formats.PRIVATE_AUTHORITY
    ] = None
    """Private certificate authority of requested certificates."""
    import_tls_secrets: Annotated[bool | None, Key("import-tls-secrets", _LISTENERS, "false"), BOOLEAN] = None
    """Import the certificates of `spec.tls[].secretName` into ACM and use them."""

    actions: Annotated[
        Mapping[str, IngressAction], Key("actions", _RULES, parameter=ingress_formats.NAME_PARAMETER), ACTION
    ] = Field(default_factory=dict)
    """What is done for backends of this name whose port is called `use-annotation`. Examples:
    `{"type": "redirect", "redirectConfig": {"protocol": "HTTPS", "port": "443", "statusCode": "HTTP_301"}}`,
    `{"type": "fixed-response", "fixedResponseConfig": {"contentType": "text/plain", "statusCode": "503",
    "messageBody": "back soon"}}`,
    `{"type": "forward", "forwardConfig": {"targetGroups": [{"serviceName": "blue", "servicePort": 80,
    "weight": 80}, {"targetGroupName": "green", "weight": 20}],
    "targetGroupStickinessConfig": {"enabled": true, "durationSeconds": 300}}}`."""
    conditions: Annotated[
        Mapping[str, tuple[Condition, ...]],
        Key("conditions", _RULES, parameter=ingress_formats.NAME_PARAMETER),
        CONDITIONS,
    ] = Field(default_factory=dict)
    """What requests must have, beside host and path, to reach backends of this name. Further hosts and paths
    are alternatives to those. Examples:
    `[{"field": "http-header", "httpHeaderConfig": {"httpHeaderName": "X-Env", "values": ["canary"]}}]`,
    `[{"field": "host-header", "hostHeaderConfig": {"values": ["*.example.com"]}}]`,
    `[{"field": "path-pattern", "pathPatternConfig": {"regexValues": ["^/v[12]/"]}}]`,
    `[{"field": "http-request-method", "httpRequestMethodConfig": {"values": ["GET", "HEAD"]}}]`,
    `[{"field": "query-string", "queryStringConfig": {"values": [{"key": "version", "value": "2"}]}}]`,
    `[{"field": "source-ip", "sourceIPConfig": {"values": ["192.0.2.0/24"]}}]`."""
    transforms: Annotated[
        Mapping[str, tuple[Transform, ...]],
        Key("transforms", _RULES, parameter=ingress_formats.NAME_PARAMETER),
        TRANSFORMS,
    ] = Field(default_factory=dict)
    """How requests are rewritten for backends of this name. Examples:
    `[{"type": "url-rewrite", "urlRewriteConfig": {"rewrites": [{"regex": "^/api/(.*)$",
    "replace": "/$1"}]}}]`, `[{"type": "host-header-rewrite", "hostHeaderRewriteConfig":
    {"rewrites": [{"regex": "^www[.]", "replace": ""}]}}]`."""
    use_regex_path_match: Annotated[bool | None, Key("use-regex-path-match", _RULES, "false"), BOOLEAN] = None
    """Whether paths of type `ImplementationSpecific` are regular expressions, behind their first slash."""
    jwt_validation: Annotated[ValidateJwtAction | None, Key("jwt-validation", _RULES), JWT_VALIDATION] = None
    """Let only requests with a valid token pass, on HTTPS listeners. Example:
    `{"jwksEndpoint": "https://idp.example.com/keys", "issuer": "https://idp.example.com", "additionalClaims":
    [{"format": "single-string", "name": "aud", "values": ["site"]}]}`."""

    load_balancer_attributes: Annotated[
        Mapping[str, str],
        Key("load-balancer-attributes", _REST, "as they are", merge=Merge.UNION),
        formats.ATTRIBUTES,
    ] = Field(default_factory=dict)
    """Attributes of the load balancer."""
    minimum_load_balancer_capacity: Annotated[
        int | None,
        Key("minimum-load-balancer-capacity", _REST, "as it is", merge=Merge.EXCLUSIVE),
        formats.CAPACITY,
    ] = None
    """Reserved capacity units; 0 gives a reservation back."""
    wafv2_acl_arn: Annotated[
        str | None,
        Key("wafv2-acl-arn", _REST, "as it is", merge=Merge.EXCLUSIVE),
        ingress_formats.WEB_ACL_ARN,
    ] = None
    """Web ACL of WAF; empty: none. A name, wherever in the group, wins over it."""
    wafv2_acl_name: Annotated[
        str | None,
        Key("wafv2-acl-name", _REST, "as it is", merge=Merge.EXCLUSIVE),
        ingress_formats.WEB_ACL_NAME,
    ] = None
    """Web ACL of WAF by its name."""
    waf_acl_id: Annotated[
        str | None,
        Key("waf-acl-id", _REST, "as it is", merge=Merge.EXCLUSIVE),
        ingress_formats.WEB_ACL_CLASSIC,
    ] = None
    """Web ACL of WAF Classic."""
    web_acl_id: Annotated[
        str | None,
        Key("web-acl-id", _REST, "as it is", merge=Merge.EXCLUSIVE),
        ingress_formats.WEB_ACL_CLASSIC,
    ] = None
    """Older spelling of `waf-acl-id`, read without it."""
    shield_advanced_protection: Annotated[
        bool | None, Key("shield-advanced-protection", _REST, "as it is", merge=Merge.EXCLUSIVE), BOOLEAN
    ] = None
    """Whether Shield Advanced protects the load balancer."""
