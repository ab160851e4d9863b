"""The spec of an IngressClassParams as it is written, with the forms that annotations have.

Members that are not known are passed over: the CustomResourceDefinition may be that of a later version.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from lbcontroller.annotations import formats, ingress_formats
from lbcontroller.annotations.codecs import Codec, EntryCheck, Unreadable, enumeration
from lbcontroller.annotations.json_objects import expected, path, without_absent
from lbcontroller.cluster.objects import JsonObject
from lbcontroller.errors import InvalidConfig, Problem, quoted
from lbcontroller.model.enums import BACKEND_TARGET_TYPES, IpAddressType, Protocol, Scheme, TargetType


def _text(codec: Codec[Any]) -> AfterValidator:
    """Return a validator for a text in the form of an annotation; an empty one says nothing."""

    def check(raw: str) -> str:
        if raw:
            codec.decode(raw)
        return raw

    return AfterValidator(check)


def _entry(check: EntryCheck) -> AfterValidator:
    """Return a validator for one key and its value, by the rules of an annotation with a map."""

    def checked(entry: Entry) -> Entry:
        if found := tuple(check(entry.key, entry.value)):
            raise Unreadable(*found)
        return entry

    return AfterValidator(checked)


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", alias_generator=to_camel)


class Entry(_Wire):
    """A key and its value."""

    key: Annotated[str, Field(min_length=1)]
    value: str


class Group(_Wire):
    """The group that all Ingresses of the class belong to."""

    name: Annotated[str, AfterValidator(ingress_formats.GROUP_NAME.decode)]


class Subnets(_Wire):
    """The subnets, by their ids or by their tags."""

    ids: tuple[Annotated[str, _text(formats.SUBNET)], ...] = ()
    tags: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _has_one_of_the_two(self) -> Self:
        if bool(self.ids) == bool(self.tags):
            raise ValueError("must have either ids or tags")
        for what, values in (
            ("id", self.ids),
            *((f"value of tag {key}", given) for key, given in self.tags.items()),
        ):
            if repeated := sorted({value for value in values if values.count(value) > 1}):
                raise ValueError(f"must have each {what} once, and has {quoted(repeated[0])} several times")
        return self


class Ipam(_Wire):
    """Where public addresses come from."""

    ipv4_pool: Annotated[str, _text(ingress_formats.IPAM_POOL)] = Field(default="", alias="ipv4IPAMPoolId")


class Capacity(_Wire):
    """Reserved capacity."""

    capacity_units: Annotated[int, Field(ge=0, le=2**31 - 1)]


_Attribute = Annotated[Entry, _entry(formats.check_attribute)]
_Tag = Annotated[Entry, _entry(formats.check_tag)]
_PrefixLists = tuple[Annotated[str, _text(formats.PREFIX_LIST)], ...]


class Listener(_Wire):
    """Attributes of one listener."""

    protocol: Annotated[str, AfterValidator(enumeration(Protocol, only=ingress_formats.ALB_PROTOCOLS).decode)]
    port: Annotated[int, Field(ge=1, le=65535)]
    listener_attributes: tuple[_Attribute, ...] = ()


class ClassParamsSpec(_Wire):
    """The spec as it is written."""

    group: Group | None = None
    namespace_selector: Mapping[str, Any] | None = None
    load_balancer_name: Annotated[str, _text(formats.LOAD_BALANCER_NAME)] = ""
    scheme: Scheme | None = None
    ip_address_type: IpAddressType | None = None
    subnets: Subnets | None = None
    ipam_configuration: Ipam | None = None
    inbound_cidrs: tuple[Annotated[str, _text(formats.CIDR)], ...] = Field(default=(), alias="inboundCIDRs")
    prefix_lists: _PrefixLists = Field(default=(), alias="prefixListsIDs")
    legacy_prefix_lists: _PrefixLists = Field(default=(), alias="PrefixListsIDs")
    certificate_arn: tuple[Annotated[str, _text(formats.CERTIFICATE)], ...] = ()
    ssl_policy: Annotated[str, _text(formats.SSL_POLICY)] = ""
    ssl_redirect_port: Annotated[str, _text(formats.PORT)] = ""
    listeners: tuple[Listener, ...] = ()
    target_type: Annotated[str, _text(enumeration(TargetType, only=BACKEND_TARGET_TYPES))] = ""
    load_balancer_attributes: tuple[_Attribute, ...] = ()
    minimum_load_balancer_capacity: Capacity | None = None
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


def read_spec(subject: str, spec: JsonObject) -> ClassParamsSpec:
    """Return the spec of `subject`.

    Raises:
        InvalidConfig: with every problem of every member.
    """
    try:
        # By way of JSON, in which a word may be an enumeration and a list a tuple.
        return ClassParamsSpec.model_validate_json(json.dumps(without_absent(spec)))
    except ValidationError as error:
        raise InvalidConfig(*_problems(subject, error)) from error


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
