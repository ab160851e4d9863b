"""The spec of an IngressClassParams: what the owner of a class decides for its Ingresses.

Values have the types of the annotations that they override.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from lbcontroller.annotations import formats, ingress_formats
from lbcontroller.annotations.codecs import Codec, EntryCheck, Unreadable, enumeration, one_of
from lbcontroller.annotations.formats import ListenerKey
from lbcontroller.annotations.ingress_formats import SubnetTags
from lbcontroller.annotations.json_objects import expected, path, without_absent
from lbcontroller.cluster.objects import JsonObject
from lbcontroller.errors import InvalidConfig, Problem
from lbcontroller.model.enums import BACKEND_TARGET_TYPES, IpAddressType, Protocol, Scheme, TargetType
from lbcontroller.model.fields import Attributes, Tags
from lbcontroller.model.ids import CertificateArn, PrefixListId


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
        try:
            # By way of JSON, in which a word may be an enumeration and a list a tuple.
            read = _Spec.model_validate_json(json.dumps(without_absent(spec)))
        except ValidationError as error:
            raise InvalidConfig(*_problems(subject, error)) from error
        return cls(
            subject=subject,
            group_name=read.group.name if read.group else None,
            namespace_selector=read.namespace_selector,
            load_balancer_name=read.load_balancer_name or None,
            scheme=read.scheme,
            ip_address_type=read.ip_address_type,
            subnets=_subnets(read.subnets),
            ipam_ipv4_pool_id=(read.ipam_configuration or _Ipam()).ipv4_pool or None,
            inbound_cidrs=read.inbound_cidrs,
            security_group_prefix_lists=tuple(
                map(PrefixListId, read.prefix_lists or read.legacy_prefix_lists)
            ),
            certificate_arn=tuple(map(CertificateArn, read.certificate_arn)),
            ssl_policy=read.ssl_policy or None,
            ssl_redirect=int(read.ssl_redirect_port) if read.ssl_redirect_port else None,
            listeners=_listeners(read.listeners),
            target_type=read.target_type,
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


def _text(codec: Codec[Any]) -> AfterValidator:
    """Return a validator for a text in the form of an annotation; an empty one says nothing."""

    def check(raw: str) -> str:
        if raw:
            codec.decode(raw)
        return raw

    return AfterValidator(check)


def _entry(check: EntryCheck) -> AfterValidator:
    """Return a validator for one key and its value, by the rules of an annotation with a map."""

    def checked(entry: _Entry) -> _Entry:
        if found := tuple(check(entry.key, entry.value)):
            raise Unreadable(*found)
        return entry

    return AfterValidator(checked)


def _backend_type(given: TargetType) -> TargetType:
    if given not in BACKEND_TARGET_TYPES:
        raise ValueError(f"must be {one_of(BACKEND_TARGET_TYPES)}")
    return given


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", alias_generator=to_camel)


class _Entry(_Wire):
    """A key and its value."""

    key: Annotated[str, Field(min_length=1)]
    value: str


class _Group(_Wire):
    name: Annotated[str, AfterValidator(ingress_formats.GROUP_NAME.decode)]


class _Subnets(_Wire):
    ids: tuple[Annotated[str, _text(formats.SUBNET)], ...] = ()
    tags: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _has_one_of_the_two(self) -> Self:
        if bool(self.ids) == bool(self.tags):
            raise ValueError("must have either ids or tags")
        return self


class _Ipam(_Wire):
    ipv4_pool: Annotated[str, _text(ingress_formats.IPAM_POOL)] = Field(default="", alias="ipv4IPAMPoolId")


class _Capacity(_Wire):
    capacity_units: Annotated[int, Field(ge=0, le=2**31 - 1)]


_Attribute = Annotated[_Entry, _entry(formats.check_attribute)]
_Tag = Annotated[_Entry, _entry(formats.check_tag)]
_PrefixLists = tuple[Annotated[str, _text(formats.PREFIX_LIST)], ...]


class _Listener(_Wire):
    protocol: Annotated[str, AfterValidator(enumeration(Protocol, only=ingress_formats.ALB_PROTOCOLS).decode)]
    port: Annotated[int, Field(ge=1, le=65535)]
    listener_attributes: tuple[_Attribute, ...] = ()


class _Spec(_Wire):
    """The spec as it is written."""

    group: _Group | None = None
    namespace_selector: Mapping[str, Any] | None = None
    load_balancer_name: Annotated[str, _text(formats.LOAD_BALANCER_NAME)] = ""
    scheme: Scheme | None = None
    ip_address_type: IpAddressType | None = None
    subnets: _Subnets | None = None
    ipam_configuration: _Ipam | None = None
    inbound_cidrs: tuple[Annotated[str, _text(formats.CIDR)], ...] = Field(default=(), alias="inboundCIDRs")
    prefix_lists: _PrefixLists = Field(default=(), alias="prefixListsIDs")
    legacy_prefix_lists: _PrefixLists = Field(default=(), alias="PrefixListsIDs")
    certificate_arn: tuple[Annotated[str, _text(formats.CERTIFICATE)], ...] = ()
    ssl_policy: Annotated[str, _text(formats.SSL_POLICY)] = ""
    ssl_redirect_port: Annotated[str, _text(formats.PORT)] = ""
    listeners: tuple[_Listener, ...] = ()
    target_type: Annotated[TargetType, AfterValidator(_backend_type)] | None = None
    load_balancer_attributes: tuple[_Attribute, ...] = ()
    minimum_load_balancer_capacity: _Capacity | None = None
    tags: tuple[_Tag, ...] = ()
    wafv2_acl_arn: Annotated[str, _text(ingress_formats.WEB_ACL_ARN)] = ""
    wafv2_acl_name: Annotated[str, _text(ingress_formats.WEB_ACL_NAME)] = ""
    import_tls_secrets: bool | None = Field(default=None, alias="importTLSSecrets")
    https_for_tls: bool | None = Field(default=None, alias="httpsForTLS")

    @model_validator(mode="after")
    def _has_one_spelling_of_prefix_lists(self) -> Self:
        if self.prefix_lists and self.legacy_prefix_lists:
            raise ValueError("must have only one of prefixListsIDs and PrefixListsIDs")
        return self


def _subnets(given: _Subnets | None) -> tuple[str, ...] | SubnetTags | None:
    if given is None:
        return None
    return given.ids or SubnetTags(given.tags)


def _listeners(given: Iterable[_Listener]) -> Mapping[ListenerKey, Attributes]:
    """Return the attributes by listener; of several entries for one the first counts, as with LBC."""
    listeners: dict[ListenerKey, Attributes] = {}
    for one in given:
        key = ListenerKey(Protocol(one.protocol), one.port)
        listeners.setdefault(key, _entries(one.listener_attributes))
    return listeners


def _entries(given: Iterable[_Entry]) -> Mapping[str, str]:
    return {entry.key: entry.value for entry in given}


def _web_acl(given: str) -> str | None:
    return "" if given == ingress_formats.NO_WEB_ACL else given or None


def _problems(subject: str, error: ValidationError) -> Iterator[Problem]:
    for detail in error.errors():
        given = detail["input"]
        for fault in expected(detail):
            yield Problem(
                subject=subject,
                field=f"spec{path(detail)}",
                value=""
                if detail["type"] == "missing"
                else given
                if isinstance(given, str)
                else json.dumps(given),
                expected=fault.expected,
                hint=fault.hint,
            )
