from __future__ import annotations

import json
from typing import Any

import pytest

from lbcontroller.annotations.actions import ForwardAction, WeightedTarget
from lbcontroller.annotations.codecs import Unreadable
from lbcontroller.annotations.json_objects import json_object

ACTION = json_object(ForwardAction)
CANARY = {"serviceName": "canary", "servicePort": 80, "weight": 1}
STABLE = {"targetGroupARN": "arn:aws:elasticloadbalancing:eu-central-1:1:targetgroup/x/1", "weight": 9}


def forward(*targets: Any, **config: Any) -> str:
    return json.dumps({"type": "forward", "forwardConfig": {"targetGroups": targets, **config}})


def faults(raw: str) -> list[str]:
    with pytest.raises(Unreadable) as caught:
        ACTION.decode(raw)
    return [f"{fault.expected} | {fault.hint}".removesuffix(" | ") for fault in caught.value.faults]


def targets(raw: str) -> tuple[WeightedTarget, ...]:
    return ACTION.decode(raw).forward_config.target_groups


def test_target_groups_are_read_in_their_order() -> None:
    action = ACTION.decode(forward(CANARY, STABLE, baseServiceWeight=5))
    assert action.type == "forward"
    assert action.forward_config.base_service_weight == 5
    assert [target.service_name for target in action.forward_config.target_groups] == ["canary", None]
    assert action.forward_config.target_groups[1].target_group_arn == STABLE["targetGroupARN"]
    assert action.forward_config.target_group_stickiness_config is None


def test_member_names_may_be_in_any_case() -> None:
    config = '{"targetgroups":[{"targetGroupArn":"arn:x"}],"BaseServiceWeight":3}'
    action = ACTION.decode(f'{{"Type":"forward","FORWARDCONFIG":{config}}}')
    assert action.forward_config.base_service_weight == 3
    assert action.forward_config.target_groups[0].target_group_arn == "arn:x"


@pytest.mark.parametrize(("port", "read"), [(80, 80), ("80", 80), ("http", "http")])
def test_ports_are_numbers_or_names(port: int | str, read: int | str) -> None:
    (target,) = targets(forward({"serviceName": "canary", "servicePort": port}))
    assert target.service_port == read


@pytest.mark.parametrize("port", [True, 0, 70000, -1, "", "A B", 1.5, []])
def test_other_ports_are_refused(port: object) -> None:
    (fault,) = faults(forward({"serviceName": "canary", "servicePort": port}))
    assert fault.startswith("forwardConfig.targetGroups[0].servicePort must be a ")


def test_null_is_as_good_as_absent() -> None:
    assert faults(forward({"serviceName": "canary", "servicePort": None})) == [
        "forwardConfig.targetGroups[0] must have servicePort beside serviceName"
    ]


def test_a_forward_without_target_groups_is_refused() -> None:
    assert faults('{"type":"forward"}') == ["forwardConfig is required"]
    assert faults('{"type":"forward","forwardConfig":{}}') == ["forwardConfig.targetGroups is required"]
    assert faults(forward()) == ["forwardConfig.targetGroups must not be empty"]


def test_other_actions_are_refused() -> None:
    raw = forward(CANARY).replace('"forward"', '"redirect"')
    assert faults(raw) == ["type must be 'forward'"]


def test_unknown_members_are_refused_with_the_nearest_name() -> None:
    assert faults(forward(CANARY | {"wieght": 3})) == [
        "forwardConfig.targetGroups[0].wieght is not known here | did you mean 'weight'?"
    ]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ({}, "must have either targetGroupARN or serviceName"),
        (CANARY | STABLE, "must have either targetGroupARN or serviceName"),
        ({"serviceName": "canary"}, "must have servicePort beside serviceName"),
    ],
)
def test_each_target_names_one_target_group(target: dict[str, Any], expected: str) -> None:
    assert faults(forward(target)) == [f"forwardConfig.targetGroups[0] {expected}"]


def test_several_target_groups_all_need_weights() -> None:
    unweighted = {"serviceName": "canary", "servicePort": 80}
    assert targets(forward(unweighted))[0].weight is None
    assert faults(forward(unweighted, STABLE)) == [
        "forwardConfig must give every one of several targetGroups a weight"
    ]


@pytest.mark.parametrize("weight", [-1, 1000])
def test_weights_have_limits(weight: int) -> None:
    (fault,) = faults(forward(CANARY | {"weight": weight}))
    assert fault.startswith("forwardConfig.targetGroups[0].weight must be ")
    (fault,) = faults(forward(CANARY, baseServiceWeight=weight))
    assert fault.startswith("forwardConfig.baseServiceWeight must be ")


@pytest.mark.parametrize("raw", ["", "{", "forward", '{"type":"forward",}', "\ud800"])
def test_what_is_not_json_is_refused(raw: str) -> None:
    with pytest.raises(Unreadable) as caught:
        ACTION.decode(raw)
    (fault,) = caught.value.faults
    assert fault.expected.startswith("must be valid JSON")


@pytest.mark.parametrize("raw", ["null", "3", '"forward"', "[]"])
def test_json_that_is_not_an_object_is_refused(raw: str) -> None:
    assert faults(raw) == ["must be a JSON object"]


def test_all_faults_are_reported_at_once() -> None:
    found = faults(forward({"serviceName": 3, "weight": "1"}, "x", stickiness={}))
    assert len(found) == 4
