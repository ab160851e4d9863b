from __future__ import annotations

import json
from typing import Any

import pytest

from lbcontroller.annotations.codecs import Unreadable
from lbcontroller.annotations.ingress_actions import ACTION, ForwardRequest, ForwardTarget
from lbcontroller.model.actions import FixedResponseAction, RedirectAction
from lbcontroller.model.ids import Arn

ARN = "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/mine/0123456789abcdef"
CANARY = {"serviceName": "canary", "servicePort": 80, "weight": 1}
STABLE = {"targetGroupARN": ARN, "weight": 9}


def forward(*targets: Any, **config: Any) -> str:
    return json.dumps({"type": "forward", "forwardConfig": {"targetGroups": targets, **config}})


def redirect(**config: Any) -> str:
    return json.dumps({"type": "redirect", "redirectConfig": {"statusCode": "HTTP_301", **config}})


def answer(**config: Any) -> str:
    return json.dumps({"type": "fixed-response", "fixedResponseConfig": {"statusCode": "503", **config}})


def faults(raw: str) -> list[str]:
    with pytest.raises(Unreadable) as caught:
        ACTION.decode(raw)
    return [f"{fault.expected} | {fault.hint}".removesuffix(" | ") for fault in caught.value.faults]


def targets(raw: str) -> tuple[ForwardTarget, ...]:
    action = ACTION.decode(raw)
    assert isinstance(action, ForwardRequest)
    return action.targets


def test_a_fixed_response_is_read() -> None:
    assert ACTION.decode(answer()) == FixedResponseAction(status="503")
    assert ACTION.decode(answer(contentType="text/plain", messageBody="back soon")) == FixedResponseAction(
        status="503", content_type="text/plain", body="back soon"
    )


def test_a_redirect_is_read_with_what_it_leaves_as_it_is() -> None:
    whole = redirect(
        host="#{host}", path="/#{path}", port="443", protocol="HTTPS", query="#{query}", statusCode="HTTP_302"
    )
    assert ACTION.decode(whole) == RedirectAction(
        status="HTTP_302", protocol="HTTPS", host="#{host}", port="443", path="/#{path}", query="#{query}"
    )
    assert ACTION.decode(redirect(port="443")) == RedirectAction(status="HTTP_301", port="443")


def test_a_forward_has_targets_in_their_order() -> None:
    assert ACTION.decode(forward(CANARY, STABLE)) == ForwardRequest(
        targets=(
            ForwardTarget(service_name="canary", service_port=80, weight=1),
            ForwardTarget(target_group_arn=Arn(ARN), weight=9),
        )
    )


def test_a_forward_has_stickiness() -> None:
    action = ACTION.decode(
        forward(CANARY, targetGroupStickinessConfig={"enabled": True, "durationSeconds": 60})
    )
    assert isinstance(action, ForwardRequest)
    assert (action.stickiness_enabled, action.stickiness_seconds) == (True, 60)


@pytest.mark.parametrize(
    ("member", "target"),
    [
        ({"targetGroupARN": ARN}, ForwardTarget(target_group_arn=Arn(ARN))),
        ({"targetGroupName": "mine"}, ForwardTarget(target_group_name="mine")),
        ({"targetGroupARN": ARN, "targetGroupName": "mine"}, ForwardTarget(target_group_arn=Arn(ARN))),
    ],
)
def test_a_single_target_group_may_stand_at_the_top(member: dict[str, str], target: ForwardTarget) -> None:
    assert targets(json.dumps({"type": "forward", **member})) == (target,)


def test_member_names_may_be_in_any_case() -> None:
    raw = '{"Type":"redirect","REDIRECTconfig":{"Protocol":"HTTPS","Port":"443","StatusCode":"HTTP_301"}}'
    assert ACTION.decode(raw) == RedirectAction(status="HTTP_301", protocol="HTTPS", port="443")
    assert targets(json.dumps({"type": "forward", "targetgrouparn": ARN}))[0].target_group_arn == ARN


def test_null_is_as_good_as_absent() -> None:
    absent = json.loads(answer(messageBody=None)) | {"redirectConfig": None}
    assert ACTION.decode(json.dumps(absent)) == FixedResponseAction(status="503")


@pytest.mark.parametrize(("port", "read"), [(80, 80), ("80", 80), ("http", "http")])
def test_service_ports_are_numbers_or_names(port: int | str, read: int | str) -> None:
    (target,) = targets(forward({"serviceName": "canary", "servicePort": port}))
    assert target.service_port == read


@pytest.mark.parametrize("port", [True, 0, 70000, -1, "", "A B", 1.5, []])
def test_other_service_ports_are_refused(port: object) -> None:
    (fault,) = faults(forward({"serviceName": "canary", "servicePort": port}))
    assert fault.startswith("forwardConfig.targetGroups[0].servicePort must be a ")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("{}", ["type is required"]),
        ('{"type":"deny"}', ["type must be forward, redirect or fixed-response, not 'deny'"]),
        ('{"type":"redirect"}', ["must have redirectConfig"]),
        ('{"type":"fixed-response"}', ["must have fixedResponseConfig"]),
        ('{"type":"forward"}', ["must have exactly one of forwardConfig, targetGroupARN, targetGroupName"]),
        (
            '{"type":"redirect","fixedResponseConfig":{"statusCode":"200"}}',
            ["must leave out fixedResponseConfig, which does not belong to type redirect"],
        ),
        (
            json.dumps({**json.loads(forward(CANARY)), "targetGroupName": "mine"}),
            ["must have exactly one of forwardConfig, targetGroupARN, targetGroupName"],
        ),
        ('{"type":"forward","forwardConfig":{}}', ["forwardConfig.targetGroups is required"]),
        (forward(), ["forwardConfig.targetGroups must not be empty"]),
    ],
)
def test_a_type_has_its_own_configuration(raw: str, expected: list[str]) -> None:
    assert faults(raw) == expected


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ({}, "must have exactly one of targetGroupARN, targetGroupName and serviceName"),
        (CANARY | STABLE, "must have exactly one of targetGroupARN, targetGroupName and serviceName"),
        (
            {"serviceName": "canary", "servicePort": 80, "targetGroupName": "mine"},
            "must have exactly one of targetGroupARN, targetGroupName and serviceName",
        ),
        ({"serviceName": "canary"}, "must have servicePort beside serviceName"),
    ],
)
def test_each_target_names_one_target_group(target: dict[str, Any], expected: str) -> None:
    assert faults(forward(target)) == [f"forwardConfig.targetGroups[0] {expected}"]


def test_several_target_groups_all_need_weights() -> None:
    unweighted = {"serviceName": "canary", "servicePort": 80}
    assert targets(forward(unweighted))[0].weight is None
    assert targets(forward({**CANARY, "weight": 0}, STABLE))[0].weight == 0
    assert faults(forward(unweighted, STABLE)) == [
        "forwardConfig must give every one of several targetGroups a weight"
    ]


@pytest.mark.parametrize(
    ("member", "value", "expected"),
    [
        ("targetGroupARN", "arn:aws:s3:::mine", "must be the ARN of a target group, not 'arn:aws:s3:::mine'"),
        ("targetGroupName", "my_group", "must be the name of a target group, not 'my_group'"),
        ("serviceName", "My Service", "must be the name of a Service, not 'My Service'"),
        ("weight", -1, "must be 0 or more"),
        ("weight", 1000, "must be 999 or less"),
        ("weight", "10", "must be a valid integer"),
    ],
)
def test_values_of_targets_have_limits(member: str, value: object, expected: str) -> None:
    target = {"servicePort": 80, **({} if "target" in member else {"serviceName": "canary"}), member: value}
    assert faults(forward(target)) == [f"forwardConfig.targetGroups[0].{member} {expected}"]


@pytest.mark.parametrize(
    ("member", "value", "expected"),
    [
        ("statusCode", "302", "must be a status code 2XX, 4XX or 5XX, not '302'"),
        ("statusCode", "5xx", "must be a status code 2XX, 4XX or 5XX, not '5xx'"),
        ("statusCode", "", "must be a status code 2XX, 4XX or 5XX, not ''"),
        ("statusCode", 503, "must be a valid string"),
        (
            "contentType",
            "text/xml",
            (
                "must be text/plain, text/css, text/html, application/javascript or application/json, "
                "not 'text/xml'"
            ),
        ),
        ("messageBody", "x" * 1025, "must have at most 1024 characters"),
    ],
)
def test_values_of_fixed_responses_have_limits(member: str, value: object, expected: str) -> None:
    (fault,) = faults(answer(**{member: value}))
    assert fault.partition(" | ")[0] == f"fixedResponseConfig.{member} {expected}"


@pytest.mark.parametrize(
    ("member", "value", "expected"),
    [
        ("statusCode", "301", "must be HTTP_301 or HTTP_302, not '301'"),
        ("statusCode", "HTTP_307", "must be HTTP_301 or HTTP_302, not 'HTTP_307'"),
        ("protocol", "https", "must be HTTP, HTTPS or #{protocol}, not 'https'"),
        ("port", "70000", "must be a port number from 1 to 65535 or #{port}, not '70000'"),
        ("port", "#{Port}", "must be a port number from 1 to 65535 or #{port}, not '#{Port}'"),
        ("port", 443, "must be a valid string"),
        ("host", "", "must be 1 to 128 characters of a host name, or #{host}, not ''"),
        ("host", "a b", "must be 1 to 128 characters of a host name, or #{host}, not 'a b'"),
        ("path", "new", "must be a path that begins with / and has at most 128 characters, not 'new'"),
        ("query", "?a=b", "must be at most 128 characters of a query, without the leading ?, not '?a=b'"),
    ],
)
def test_values_of_redirects_have_limits(member: str, value: object, expected: str) -> None:
    assert faults(redirect(**{member: value})) == [f"redirectConfig.{member} {expected}"]


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"query": "a=b"},
        {"protocol": "#{protocol}", "host": "#{host}", "port": "#{port}", "path": "/#{path}"},
    ],
)
def test_a_redirect_to_where_the_client_came_from_is_refused(config: dict[str, str]) -> None:
    assert faults(redirect(**config)) == [
        "redirectConfig must change at least one of protocol, host, port, path"
    ]


@pytest.mark.parametrize(
    ("stickiness", "expected"),
    [
        ({"enabled": True}, " must have durationSeconds when it is enabled"),
        ({"enabled": True, "durationSeconds": 0}, ".durationSeconds must be 1 or more"),
        ({"enabled": True, "durationSeconds": 604801}, ".durationSeconds must be 604800 or less"),
        ({"enabled": "true"}, ".enabled must be a valid boolean"),
    ],
)
def test_stickiness_lasts_up_to_a_week(stickiness: dict[str, object], expected: str) -> None:
    assert faults(forward(CANARY, targetGroupStickinessConfig=stickiness)) == [
        f"forwardConfig.targetGroupStickinessConfig{expected}"
    ]


def test_unknown_members_are_refused_with_the_nearest_name() -> None:
    assert faults(forward(CANARY | {"wieght": 3})) == [
        "forwardConfig.targetGroups[0].wieght is not known here | did you mean 'weight'?"
    ]
    assert faults(redirect(port="443", statuscodes="x")) == [
        "redirectConfig.statuscodes is not known here | did you mean 'statusCode'?"
    ]


@pytest.mark.parametrize("raw", ["", "{", "forward", '{"type":"forward",}', "\ud800"])
def test_what_is_not_json_is_refused(raw: str) -> None:
    (fault,) = faults(raw)
    assert fault.startswith("must be valid JSON")


@pytest.mark.parametrize("raw", ["null", "3", '"forward"', "[]"])
def test_json_that_is_not_an_object_is_refused(raw: str) -> None:
    assert faults(raw) == ["must be a JSON object"]


def test_all_faults_are_reported_at_once() -> None:
    found = faults(forward({"serviceName": "a b", "weight": "1"}, "x", stickiness={}))
    assert found == [
        "forwardConfig.targetGroups[0].serviceName must be the name of a Service, not 'a b'",
        "forwardConfig.targetGroups[0].weight must be a valid integer",
        "forwardConfig.targetGroups[1] must be a JSON object",
        "forwardConfig.stickiness is not known here",
    ]
