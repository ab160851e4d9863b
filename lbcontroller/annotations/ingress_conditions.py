"""The JSON of `conditions.{name}` on Ingresses: what a request must have to reach a backend, beside its path.

Limits are those of the ELBv2 API reference 2015-12-01: RuleCondition and the configurations it names.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final, Self, assert_never

from pydantic import AfterValidator, Field, model_validator

from lbcontroller.annotations.codecs import Codec, enumeration, text
from lbcontroller.annotations.formats import CIDR
from lbcontroller.annotations.json_objects import JsonModel, json_array_as, not_empty
from lbcontroller.model.rule_conditions import (
    Condition,
    HeaderCondition,
    HostCondition,
    MethodCondition,
    PathCondition,
    QueryCondition,
    QueryPair,
    SourceCondition,
)


class ConditionField(StrEnum):
    """What of a request is looked at."""

    HOST_HEADER = "host-header"
    PATH_PATTERN = "path-pattern"
    HTTP_HEADER = "http-header"
    HTTP_REQUEST_METHOD = "http-request-method"
    QUERY_STRING = "query-string"
    SOURCE_IP = "source-ip"


_FIELD: Final = enumeration(ConditionField)
_HOST: Final = text(r"[A-Za-z0-9*?._-]{1,128}", "1 to 128 letters, digits, hyphens, dots, * and ?")
_PATH: Final = text(r"[!-~]{1,128}", "1 to 128 printable ASCII characters without spaces")
_REGEX: Final = text(
    r"(?!.*\(\?(?:[=!>]|<[=!]))[ -~]{1,128}",
    "a regular expression of 1 to 128 printable ASCII characters without look-around and atomic groups",
)
"""Source: Application Load Balancer guide, "Condition types for listener rules"."""
_HEADER_NAME: Final = text(
    r"(?![Hh][Oo][Ss][Tt]$)[!#$%&'*+.^_`|~0-9A-Za-z-]{1,40}",
    "a header name of 1 to 40 characters, and not host, which has the field host-header",
)
_HEADER_VALUE: Final = text(r"[ -~]{1,128}", "1 to 128 printable ASCII characters")
_METHOD: Final = text(r"[A-Z_-]{1,40}", "a method in 1 to 40 upper-case letters, such as GET")
_QUERY_PART: Final = text(r"[ -~]{1,128}", "1 to 128 printable ASCII characters")

Hosts = tuple[Annotated[str, AfterValidator(_HOST.decode)], ...]
Paths = tuple[Annotated[str, AfterValidator(_PATH.decode)], ...]
Regexes = tuple[Annotated[str, AfterValidator(_REGEX.decode)], ...]
HeaderValues = tuple[Annotated[str, AfterValidator(_HEADER_VALUE.decode)], ...]
Methods = tuple[Annotated[str, AfterValidator(_METHOD.decode)], ...]
Cidrs = tuple[Annotated[str, AfterValidator(CIDR.decode)], ...]


class _Patterns(JsonModel):
    """Patterns, or regular expressions."""

    values: tuple[str, ...] = Field(default=(), strict=False)
    regex_values: Regexes = Field(default=(), strict=False)

    @model_validator(mode="after")
    def _has_one_of_the_two(self) -> Self:
        if bool(self.values) == bool(self.regex_values):
            raise ValueError("must have either values or regexValues")
        return self


class _Host(_Patterns):
    """The host."""

    values: Hosts = Field(default=(), strict=False)


class _Path(_Patterns):
    """The path."""

    values: Paths = Field(default=(), strict=False)


class _Header(_Patterns):
    """A header."""

    http_header_name: Annotated[str, AfterValidator(_HEADER_NAME.decode)]
    values: HeaderValues = Field(default=(), strict=False)


class _Method(JsonModel):
    """The method."""

    values: Annotated[Methods, AfterValidator(not_empty)] = Field(strict=False)


class _QueryPair(JsonModel):
    """A parameter of the query."""

    key: Annotated[str, AfterValidator(_QUERY_PART.decode)] | None = None
    value: Annotated[str, AfterValidator(_QUERY_PART.decode)]


class _Query(JsonModel):
    """The query."""

    values: Annotated[tuple[_QueryPair, ...], AfterValidator(not_empty)] = Field(strict=False)


class _Source(JsonModel):
    """The address of the client."""

    values: Annotated[Cidrs, AfterValidator(not_empty)] = Field(strict=False, max_length=5)


class _Condition(JsonModel):
    """A condition as it is written."""

    field: Annotated[str, AfterValidator(_FIELD.decode)]
    host_header_config: _Host | None = None
    path_pattern_config: _Path | None = None
    http_header_config: _Header | None = None
    http_request_method_config: _Method | None = None
    query_string_config: _Query | None = None
    source_ip_config: _Source | None = Field(default=None, alias="sourceIPConfig")

    @model_validator(mode="after")
    def _fits_its_field(self) -> Self:
        wanted = _CONFIG_OF[ConditionField(self.field)]
        for name in _CONFIG_OF.values():
            alias = type(self).model_fields[name].alias
            given = getattr(self, name) is not None
            if given and name != wanted:
                raise ValueError(f"must leave out {alias}, which does not belong to field {self.field}")
            if name == wanted and not given:
                raise ValueError(f"must have {alias}")
        return self


_CONFIG_OF: Final[Mapping[ConditionField, str]] = {
    ConditionField.HOST_HEADER: "host_header_config",
    ConditionField.PATH_PATTERN: "path_pattern_config",
    ConditionField.HTTP_HEADER: "http_header_config",
    ConditionField.HTTP_REQUEST_METHOD: "http_request_method_config",
    ConditionField.QUERY_STRING: "query_string_config",
    ConditionField.SOURCE_IP: "source_ip_config",
}


def _read(condition: _Condition) -> Condition:
    if host := condition.host_header_config:
        return HostCondition(values=host.values, regexes=host.regex_values)
    if path := condition.path_pattern_config:
        return PathCondition(values=path.values, regexes=path.regex_values)
    if header := condition.http_header_config:
        return HeaderCondition(
            name=header.http_header_name, values=header.values, regexes=header.regex_values
        )
    if method := condition.http_request_method_config:
        return MethodCondition(values=method.values)
    if query := condition.query_string_config:
        return QueryCondition(
            values=tuple(QueryPair(key=pair.key, value=pair.value) for pair in query.values)
        )
    source = condition.source_ip_config
    return SourceCondition(cidrs=source.values if source else ())


def _write(condition: Condition) -> Mapping[str, Any]:
    match condition:
        case HostCondition():
            return {"field": ConditionField.HOST_HEADER, "hostHeaderConfig": _patterns(condition)}
        case PathCondition():
            return {"field": ConditionField.PATH_PATTERN, "pathPatternConfig": _patterns(condition)}
        case HeaderCondition():
            config = {"httpHeaderName": condition.name, **_patterns(condition)}
            return {"field": ConditionField.HTTP_HEADER, "httpHeaderConfig": config}
        case MethodCondition():
            config = {"values": condition.values}
            return {"field": ConditionField.HTTP_REQUEST_METHOD, "httpRequestMethodConfig": config}
        case QueryCondition():
            pairs = [{"key": pair.key, "value": pair.value} for pair in condition.values]
            return {"field": ConditionField.QUERY_STRING, "queryStringConfig": {"values": pairs}}
        case SourceCondition():
            return {"field": ConditionField.SOURCE_IP, "sourceIPConfig": {"values": condition.cidrs}}
        case _:
            assert_never(condition)


def _patterns(condition: HostCondition | PathCondition | HeaderCondition) -> dict[str, Any]:
    return {"values": condition.values or None, "regexValues": condition.regexes or None}


CONDITIONS: Final[Codec[tuple[Condition, ...]]] = json_array_as(_Condition, read=_read, write=_write)
"""The codec of all conditions of one name."""
