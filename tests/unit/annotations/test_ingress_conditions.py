from __future__ import annotations

import json
from typing import Any

import pytest

from lbcontroller.annotations.codecs import Unreadable
from lbcontroller.annotations.ingress_conditions import CONDITIONS
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

RIGHT: list[tuple[dict[str, Any], Condition]] = [
    (
        {"field": "host-header", "hostHeaderConfig": {"values": ["*.example.com", "h?.example.com"]}},
        HostCondition(values=("*.example.com", "h?.example.com")),
    ),
    (
        {"field": "host-header", "hostHeaderConfig": {"regexValues": [r"^(.+)\.example\.com$"]}},
        HostCondition(regexes=(r"^(.+)\.example\.com$",)),
    ),
    (
        {"field": "path-pattern", "pathPatternConfig": {"values": ["/a/*", "/b"]}},
        PathCondition(values=("/a/*", "/b")),
    ),
    (
        {"field": "path-pattern", "pathPatternConfig": {"regexValues": ["^/api/v[12]/"]}},
        PathCondition(regexes=("^/api/v[12]/",)),
    ),
    (
        {"field": "http-header", "httpHeaderConfig": {"httpHeaderName": "X-Env", "values": ["canary", "b*"]}},
        HeaderCondition(name="X-Env", values=("canary", "b*")),
    ),
    (
        {"field": "http-header", "httpHeaderConfig": {"httpHeaderName": "X-Env", "regexValues": ["c.+"]}},
        HeaderCondition(name="X-Env", regexes=("c.+",)),
    ),
    (
        {"field": "http-request-method", "httpRequestMethodConfig": {"values": ["GET", "X_PURGE"]}},
        MethodCondition(values=("GET", "X_PURGE")),
    ),
    (
        {
            "field": "query-string",
            "queryStringConfig": {"values": [{"key": "version", "value": "v1"}, {"value": "*beta*"}]},
        },
        QueryCondition(values=(QueryPair(key="version", value="v1"), QueryPair(key=None, value="*beta*"))),
    ),
    (
        {"field": "source-ip", "sourceIPConfig": {"values": ["192.0.2.0/24", "2001:db8::/32"]}},
        SourceCondition(cidrs=("192.0.2.0/24", "2001:db8::/32")),
    ),
]


def faults(*conditions: object) -> list[str]:
    with pytest.raises(Unreadable) as caught:
        CONDITIONS.decode(json.dumps(conditions))
    return [f"{fault.expected} | {fault.hint}".removesuffix(" | ") for fault in caught.value.faults]


@pytest.mark.parametrize(("written", "read"), RIGHT)
def test_each_field_is_read(written: dict[str, Any], read: Condition) -> None:
    assert CONDITIONS.decode(json.dumps([written])) == (read,)
    assert CONDITIONS.decode(CONDITIONS.encode((read,))) == (read,)


def test_conditions_keep_their_order() -> None:
    assert CONDITIONS.decode(json.dumps([written for written, _ in RIGHT])) == tuple(
        read for _, read in RIGHT
    )
    assert CONDITIONS.decode("[]") == ()


def test_member_names_may_be_in_any_case() -> None:
    raw = '[{"Field": "source-ip", "sourceIpConfig": {"VALUES": ["192.0.2.0/24"]}}]'
    assert CONDITIONS.decode(raw) == (SourceCondition(cidrs=("192.0.2.0/24",)),)


def test_a_misspelt_field_is_refused_with_the_nearest_one() -> None:
    (fault,) = faults({"field": "http-headr", "httpHeaderConfig": {"httpHeaderName": "X", "values": ["y"]}})
    assert fault == (
        "[0].field must be host-header, path-pattern, http-header, http-request-method, query-string or "
        "source-ip, not 'http-headr' | did you mean 'http-header'?"
    )


def test_a_misspelt_member_is_refused_with_the_nearest_one() -> None:
    assert faults({"field": "path-pattern", "pathPaternConfig": {"values": ["/a"]}}) == [
        "[0].pathPaternConfig is not known here | did you mean 'pathPatternConfig'?"
    ]
    assert faults({"field": "path-pattern", "pathPatternConfig": {"regexes": ["a"]}}) == [
        "[0].pathPatternConfig.regexes is not known here | did you mean 'regexValues'?"
    ]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({}, "[0].field is required"),
        ({"field": "host-header"}, "[0] must have hostHeaderConfig"),
        ({"field": "host-header", "pathPatternConfig": {"values": ["/a"]}}, "[0] must have hostHeaderConfig"),
        (
            {**RIGHT[0][0], "pathPatternConfig": {"values": ["/a"]}},
            "[0] must leave out pathPatternConfig, which does not belong to field host-header",
        ),
        (
            {"field": "host-header", "hostHeaderConfig": {}},
            "[0].hostHeaderConfig must have either values or regexValues",
        ),
        (
            {"field": "path-pattern", "pathPatternConfig": {"values": ["/a"], "regexValues": ["b"]}},
            "[0].pathPatternConfig must have either values or regexValues",
        ),
        (
            {"field": "http-header", "httpHeaderConfig": {"values": ["a"]}},
            "[0].httpHeaderConfig.httpHeaderName is required",
        ),
        (
            {"field": "http-header", "httpHeaderConfig": {"httpHeaderName": "X", "values": []}},
            "[0].httpHeaderConfig must have either values or regexValues",
        ),
        (
            {"field": "http-request-method", "httpRequestMethodConfig": {"values": []}},
            "[0].httpRequestMethodConfig.values must not be empty",
        ),
        (
            {"field": "query-string", "queryStringConfig": {"values": [{"key": "a"}]}},
            "[0].queryStringConfig.values[0].value is required",
        ),
        ({"field": "source-ip", "sourceIPConfig": {}}, "[0].sourceIPConfig.values is required"),
        (
            {"field": "source-ip", "sourceIPConfig": {"values": ["192.0.2.0/24"] * 6}},
            "[0].sourceIPConfig.values must have at most 5 items",
        ),
    ],
)
def test_a_field_has_its_own_configuration(written: dict[str, Any], expected: str) -> None:
    assert faults(written) == [expected]


@pytest.mark.parametrize(
    ("field", "config", "place", "expected"),
    [
        ("host-header", {"values": ["a b"]}, "values[0]", "must be 1 to 128 letters, digits, hyphens, dots"),
        ("host-header", {"values": ["x" * 129]}, "values[0]", "must be 1 to 128 letters, digits, hyphens"),
        ("path-pattern", {"values": ["/a b"]}, "values[0]", "must be 1 to 128 printable ASCII characters"),
        ("path-pattern", {"values": [""]}, "values[0]", "must be 1 to 128 printable ASCII characters"),
        (
            "path-pattern",
            {"regexValues": ["^/(?!internal)"]},
            "regexValues[0]",
            "must be a regular expression of 1 to 128 printable ASCII characters without look-around",
        ),
        (
            "http-header",
            {"httpHeaderName": "Host", "values": ["a"]},
            "httpHeaderName",
            "must be a header name of 1 to 40 characters, and not host, which has the field host-header",
        ),
        (
            "http-header",
            {"httpHeaderName": "X Env", "values": ["a"]},
            "httpHeaderName",
            "must be a header name of 1 to 40 characters",
        ),
        (
            "http-header",
            {"httpHeaderName": "X-Env", "values": ["é"]},
            "values[0]",
            "must be 1 to 128 printable ASCII characters",
        ),
        ("http-request-method", {"values": ["get"]}, "values[0]", "must be a method in 1 to 40 upper-case"),
        ("query-string", {"values": [{"value": ""}]}, "values[0].value", "must be 1 to 128 printable ASCII"),
        ("source-ip", {"values": ["192.0.2.1"]}, "values[0]", "must be a CIDR such as 10.0.0.0/8"),
    ],
)
def test_values_have_limits(field: str, config: dict[str, Any], place: str, expected: str) -> None:
    name = "".join(part.capitalize() for part in field.split("-")).replace("Ip", "IP") + "Config"
    (fault,) = faults({"field": field, name: config})
    assert fault.lower().startswith(f"[0].{name}.{place} {expected}".lower())


@pytest.mark.parametrize("raw", ["null", "{}", '"host-header"', "3"])
def test_json_that_is_no_array_is_refused(raw: str) -> None:
    with pytest.raises(Unreadable, match=r"^must be a JSON array$"):
        CONDITIONS.decode(raw)
