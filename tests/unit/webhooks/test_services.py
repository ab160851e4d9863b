"""Which Services get our class."""

from __future__ import annotations

from typing import Any

import pytest

from lbcontroller.webhooks.services import with_class, with_class_kept

OURS = "service.k8s.aws/nlb"


def a_spec(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}], **spec}}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        pytest.param({"type": "LoadBalancer"}, OURS, id="without a class"),
        pytest.param({"type": "LoadBalancer", "loadBalancerClass": ""}, OURS, id="with an empty one"),
        pytest.param({"type": "LoadBalancer", "loadBalancerClass": "other"}, "other", id="another class"),
        pytest.param({"type": "ClusterIP"}, None, id="no load balancer"),
        pytest.param({}, None, id="of the default type"),
    ],
)
def test_a_new_service_gets_our_class_when_nobody_elses_is_asked_for(
    spec: dict[str, Any], expected: str | None
) -> None:
    assert with_class(a_spec(**spec), OURS)["spec"].get("loadBalancerClass") == expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param({"loadBalancerClass": OURS}, {"type": "LoadBalancer"}, OURS, id="put back"),
        pytest.param({"loadBalancerClass": "other"}, {"type": "LoadBalancer"}, "other", id="whoever's it is"),
        pytest.param({}, {"type": "LoadBalancer"}, None, id="it had none"),
        pytest.param(
            {"loadBalancerClass": OURS}, {"type": "ClusterIP"}, None, id="no load balancer any more"
        ),
        pytest.param(
            {"loadBalancerClass": OURS},
            {"type": "LoadBalancer", "loadBalancerClass": "other"},
            "other",
            id="left to the API server, which refuses it",
        ),
    ],
)
def test_an_update_that_leaves_the_class_out_keeps_it(
    before: dict[str, Any], after: dict[str, Any], expected: str | None
) -> None:
    changed = with_class_kept(a_spec(**after), a_spec(type="LoadBalancer", **before))

    assert changed["spec"].get("loadBalancerClass") == expected
