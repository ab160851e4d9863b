from __future__ import annotations

from typing import Any

import pytest

from lbcontroller.local.apiserver import ApiError, Reason
from lbcontroller.local.apiserver.patch import json_patch, merge_patch
from lbcontroller.local.apiserver.strategic import strategic_merge


def test_a_merge_patch_removes_nulls_merges_objects_and_replaces_the_rest() -> None:
    value = {"a": {"b": 1, "c": 2}, "l": [1, 2], "x": 1}
    assert merge_patch(value, {"a": {"b": None, "d": 3}, "l": [3], "x": None}) == {
        "a": {"c": 2, "d": 3},
        "l": [3],
    }


def test_a_merge_patch_into_something_new_keeps_no_nulls() -> None:
    assert merge_patch({}, {"a": {"b": None, "c": 1}}) == {"a": {"c": 1}}


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ({"op": "add", "path": "/l/1", "value": 9}, {"l": [1, 9, 2], "m": {"a/b": 1}}),
        ({"op": "add", "path": "/l/-", "value": 9}, {"l": [1, 2, 9], "m": {"a/b": 1}}),
        ({"op": "add", "path": "/n", "value": None}, {"l": [1, 2], "m": {"a/b": 1}, "n": None}),
        ({"op": "remove", "path": "/m/a~1b"}, {"l": [1, 2], "m": {}}),
        ({"op": "replace", "path": "/m/a~1b", "value": 2}, {"l": [1, 2], "m": {"a/b": 2}}),
        ({"op": "move", "from": "/l/0", "path": "/m/x"}, {"l": [2], "m": {"a/b": 1, "x": 1}}),
        ({"op": "copy", "from": "/l/0", "path": "/m/x"}, {"l": [1, 2], "m": {"a/b": 1, "x": 1}}),
        ({"op": "test", "path": "/l/0", "value": 1}, {"l": [1, 2], "m": {"a/b": 1}}),
    ],
)
def test_a_json_patch_operation_does_what_rfc_6902_says(operation: dict[str, Any], expected: Any) -> None:
    assert json_patch({"l": [1, 2], "m": {"a/b": 1}}, [operation]) == expected


@pytest.mark.parametrize(
    ("operation", "reason"),
    [
        ({"op": "test", "path": "/a", "value": 2}, Reason.INVALID),
        ({"op": "remove", "path": "/b"}, Reason.INVALID),
        ({"op": "replace", "path": "/b", "value": 1}, Reason.INVALID),
        ({"op": "add", "path": "/b/c", "value": 1}, Reason.INVALID),
        ({"op": "jump", "path": "/a"}, Reason.BAD_REQUEST),
        ({"op": "add", "path": "a", "value": 1}, Reason.BAD_REQUEST),
        ({"op": "add", "path": "/a"}, Reason.BAD_REQUEST),
    ],
)
def test_a_json_patch_that_does_not_fit_is_refused(operation: dict[str, Any], reason: Reason) -> None:
    with pytest.raises(ApiError) as refused:
        json_patch({"a": 1}, [operation])
    assert refused.value.reason is reason


def test_a_strategic_patch_merges_ports_by_their_number() -> None:
    service = {"spec": {"ports": [{"port": 80, "nodePort": 30080}, {"port": 443}]}}
    patch = {"spec": {"ports": [{"port": 80, "name": "http"}, {"port": 8080}]}}
    assert strategic_merge(service, patch)["spec"]["ports"] == [
        {"port": 80, "nodePort": 30080, "name": "http"},
        {"port": 443},
        {"port": 8080},
    ]


def test_a_strategic_patch_merges_conditions_by_type_and_finalizers_as_a_set() -> None:
    value = {"metadata": {"finalizers": ["a"]}, "status": {"conditions": [{"type": "A", "status": "False"}]}}
    patch = {
        "metadata": {"finalizers": ["a", "b"]},
        "status": {"conditions": [{"type": "A", "status": "True"}, {"type": "B"}]},
    }
    assert strategic_merge(value, patch) == {
        "metadata": {"finalizers": ["a", "b"]},
        "status": {"conditions": [{"type": "A", "status": "True"}, {"type": "B"}]},
    }


def test_strategic_directives_delete_entries_values_and_maps() -> None:
    value = {
        "metadata": {"finalizers": ["a", "b"], "labels": {"x": "1"}},
        "spec": {"ports": [{"port": 80}, {"port": 443}], "strategy": {"type": "A", "rollingUpdate": {}}},
    }
    patch = {
        "metadata": {"$deleteFromPrimitiveList/finalizers": ["a"], "labels": {"$patch": "replace", "y": "2"}},
        "spec": {
            "ports": [{"$patch": "delete", "port": 80}],
            "strategy": {"$retainKeys": ["type"], "type": "Recreate"},
        },
    }
    assert strategic_merge(value, patch) == {
        "metadata": {"finalizers": ["b"], "labels": {"y": "2"}},
        "spec": {"ports": [{"port": 443}], "strategy": {"type": "Recreate"}},
    }


def test_a_strategic_patch_orders_entries_and_replaces_lists_without_keys() -> None:
    value = {"spec": {"ports": [{"port": 1}, {"port": 2}], "loadBalancerSourceRanges": ["10.0.0.0/8"]}}
    patch = {
        "spec": {
            "$setElementOrder/ports": [{"port": 2}, {"port": 1}],
            "loadBalancerSourceRanges": ["10.1.0.0/16"],
        }
    }
    assert strategic_merge(value, patch)["spec"] == {
        "ports": [{"port": 2}, {"port": 1}],
        "loadBalancerSourceRanges": ["10.1.0.0/16"],
    }


def test_a_strategic_patch_entry_without_its_key_is_refused() -> None:
    with pytest.raises(ApiError, match="does not contain declared merge key: port"):
        strategic_merge({}, {"spec": {"ports": [{"name": "http"}]}})
