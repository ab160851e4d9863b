"""The spec of an IngressClassParams: what the owner of a class decides for its Ingresses.

Values have the types of the annotations that they override.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from lbcontroller.annotations.class_params_spec import Entry, Ipam, Listener, Subnets, read_spec
from lbcontroller.annotations.formats import ListenerKey
from lbcontroller.annotations.ingress import IngressAnnotations
from lbcontroller.annotations.ingress_formats import NO_WEB_ACL, SubnetTags
from lbcontroller.cluster.objects import JsonObject
from lbcontroller.model.enums import IpAddressType, Protocol, Scheme, TargetType
from lbcontroller.model.fields import Attributes, Tags
from lbcontroller.model.ids import CertificateArn, PrefixListId

OVERRIDES: Final[Mapping[str, str]] = {
    "group_name": "group.name",
    "load_balancer_name": "loadBalancerName",
    "scheme": "scheme",
    "ip_address_type": "ipAddressType",
    "subnets": "subnets",
    "inbound_cidrs": "inboundCIDRs",
    "security_group_prefix_lists": "prefixListsIDs",
    "certificate_arn": "certificateArn",
    "ssl_policy": "sslPolicy",
    "ssl_redirect": "sslRedirectPort",
    "target_type": "targetType",
    "wafv2_acl_arn": "wafv2AclArn",
    "wafv2_acl_name": "wafv2AclName",
    "import_tls_secrets": "importTLSSecrets",
}
"""Fields that replace the annotation of each Ingress of the class, with their names in the spec."""
TAGS: Final = "tags"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassParams:
    """What an IngressClassParams says; a field is None or empty when it says nothing."""

    subject: str
    """The object, as `IngressClassParams name`."""
    group_name: str | None = None
    namespace_selector: Mapping[str, Any] | None = None
    """A Kubernetes LabelSelector as it stands in the manifest; an empty one matches every namespace."""
    load_balancer_name: str | None = None
    scheme: Scheme | None = None
    ip_address_type: IpAddressType | None = None
    subnets: tuple[str, ...] | SubnetTags | None = None
    ipam_ipv4_pool_id: str | None = None
    inbound_cidrs: tuple[str, ...] = ()
    security_group_prefix_lists: tuple[PrefixListId, ...] = ()
    certificate_arn: tuple[CertificateArn, ...] = ()
    ssl_policy: str | None = None
    ssl_redirect: int | None = None
    listeners: Mapping[ListenerKey, Attributes] = field(default_factory=dict)
    """Attributes of listeners; it makes none."""
    target_type: TargetType | None = None
    load_balancer_attributes: Attributes = field(default_factory=dict)
    minimum_load_balancer_capacity: int | None = None
    tags: Tags = field(default_factory=dict)
    wafv2_acl_arn: str | None = None
    wafv2_acl_name: str | None = None
    import_tls_secrets: bool | None = None
    """Ours: whether certificates of `spec.tls[].secretName` are imported into ACM."""
    https_for_tls: bool | None = None
    """Ours: whether Ingresses with `spec.tls` and without listen-ports listen on HTTPS 443."""

    @classmethod
    def parse(cls, subject: str, spec: JsonObject) -> ClassParams:
        """Read the spec of `subject`; members that are not known are those of another version.

        Raises:
            InvalidConfig: with every problem of every member.
        """
        read = read_spec(subject, spec)
        return cls(
            subject=subject,
            group_name=read.group.name if read.group else None,
            namespace_selector=read.namespace_selector,
            load_balancer_name=read.load_balancer_name or None,
            scheme=read.scheme,
            ip_address_type=read.ip_address_type,
            subnets=_subnets(read.subnets),
            ipam_ipv4_pool_id=(read.ipam_configuration or Ipam()).ipv4_pool or None,
            inbound_cidrs=read.inbound_cidrs,
            security_group_prefix_lists=tuple(
                map(PrefixListId, read.prefix_lists or read.legacy_prefix_lists)
            ),
            certificate_arn=tuple(map(CertificateArn, read.certificate_arn)),
            ssl_policy=read.ssl_policy or None,
            ssl_redirect=int(read.ssl_redirect_port) if read.ssl_redirect_port else None,
            listeners=_listeners(read.listeners),
            target_type=TargetType(read.target_type) if read.target_type else None,
            load_balancer_attributes=_entries(read.load_balancer_attributes),
            minimum_load_balancer_capacity=(
                read.minimum_load_balancer_capacity.capacity_units
                if read.minimum_load_balancer_capacity
                else None
            ),
            tags=_entries(read.tags),
            wafv2_acl_arn=_web_acl(read.wafv2_acl_arn),
            wafv2_acl_name=_web_acl(read.wafv2_acl_name),
            import_tls_secrets=read.import_tls_secrets,
            https_for_tls=read.https_for_tls,
        )

    def without(self, fields: Collection[str]) -> ClassParams:
        """Return the same with nothing said of some fields of the annotations."""
        empty: Mapping[str, Mapping[str, Any]] = {
            "ssl_policy": {"ssl_policy": None},
            "load_balancer_attributes": {"load_balancer_attributes": {}},
            "listener_attributes": {"listeners": {}},
        }
        unsaid = {name: value for one in fields for name, value in empty.get(one, {}).items()}
        return replace(self, **unsaid)


def override(annotations: IngressAnnotations, params: ClassParams) -> IngressAnnotations:
    """Return what an Ingress says with what its class says in its place.

    What counts only for the class of the first Ingress of a group is left to the merge.
    """
    given = {name: getattr(params, name) for name in _given(params)}
    if params.tags:
        given[TAGS] = {**annotations.tags, **params.tags}
    return annotations.model_copy(update=given)


def sources(params: ClassParams) -> Mapping[str, str]:
    """Return where the values stand that a class overrides, by full annotation key and by `key[entry]`."""
    key = IngressAnnotations.key_of
    return {
        **{key(name): f"{params.subject} spec.{OVERRIDES[name]}" for name in _given(params)},
        **{f"{key(TAGS)}[{tag}]": f"{params.subject} spec.{TAGS}" for tag in params.tags},
    }


def _given(params: ClassParams) -> Iterator[str]:
    return (name for name in OVERRIDES if getattr(params, name) not in (None, ()))


def _subnets(given: Subnets | None) -> tuple[str, ...] | SubnetTags | None:
    if given is None:
        return None
    return given.ids or SubnetTags(given.tags)


def _listeners(given: Iterable[Listener]) -> Mapping[ListenerKey, Attributes]:
    """Return the attributes by listener; of several entries for one the first counts, as with LBC."""
    listeners: dict[ListenerKey, Attributes] = {}
    for one in given:
        key = ListenerKey(Protocol(one.protocol), one.port)
        listeners.setdefault(key, _entries(one.listener_attributes))
    return listeners


def _entries(given: Iterable[Entry]) -> Mapping[str, str]:
    return {entry.key: entry.value for entry in given}


def _web_acl(given: str) -> str | None:
    return "" if given == NO_WEB_ACL else given or None
