"""What a user did wrong is told once, completely, and harms nobody else."""

from __future__ import annotations

import pytest

from tests.support.yard import Yard

PREFIX = "service.beta.kubernetes.io/aws-load-balancer"

SERVICE = """
apiVersion: v1
kind: Service
metadata:
  name: {name}
  annotations: {annotations}
spec:
  type: LoadBalancer
  loadBalancerClass: service.k8s.aws/nlb
  selector: {{app: {name}}}
  ports: [{{name: http, port: 80, targetPort: {target_port}}}]
"""


def a_service(name: str = "web", target_port: str = "8080", **annotations: str) -> str:
    keys = {"target_type": "nlb-target-type"}
    given = {
        "nlb-target-type": "ip",
        **{keys.get(k, k.strip("_").replace("_", "-")): v for k, v in annotations.items()},
    }
    text = "{" + ", ".join(f"{PREFIX}-{key}: '{value}'" for key, value in given.items()) + "}"
    return SERVICE.format(name=name, annotations=text, target_port=target_port)


BAD = [
    pytest.param({"target_type": "pods"}, ["nlb-target-type", "'pods'", "ip", "instance"], id="target type"),
    pytest.param({"attributes": "a"}, ["attributes", "'a'"], id="malformed map"),
    pytest.param({"healthcheck_interval": "often"}, ["healthcheck-interval", "'often'"], id="not a number"),
    pytest.param({"healthcheck_interval": "1000"}, ["healthcheck-interval", "'1000'", "300"], id="range"),
    pytest.param(
        {"subnets": "subnet-0123456789abcdef0"}, ["subnets", "subnet-0123456789abcdef0"], id="no subnet"
    ),
    pytest.param({"scheme": "public"}, ["scheme", "'public'", "internet-facing"], id="scheme"),
    pytest.param({"subnets": "nowhere"}, ["subnets", "nowhere"], id="subnet name"),
]


@pytest.mark.parametrize(("annotations", "words"), BAD)
def test_a_mistake_is_told_in_one_event_and_nothing_is_made(
    yard: Yard, annotations: dict[str, str], words: list[str]
) -> None:
    yard.apply(a_service(**annotations))
    yard.settle()

    (event,) = yard.events("web")
    kind, reason, message = event
    assert (kind, reason) == ("Warning", "FailedBuildModel")
    assert [word for word in words if word not in message] == []
    assert yard.writes() == {}


def test_every_mistake_is_told_at_once(yard: Yard) -> None:
    yard.apply(a_service(scheme="public", healthcheck_interval="often", name_="x" * 40))
    yard.settle()

    ((_, _, message),) = [event for event in yard.events("web") if event[0] == "Warning"][:1]
    assert "public" in message
    assert "often" in message


def test_others_are_served_and_the_mistake_can_be_mended(yard: Yard) -> None:
    yard.apply(a_service("bad", scheme="public"))
    yard.apply(a_service("good"))
    yard.settle()
    assert yard.hostnames("bad") == []
    assert len(yard.hostnames("good")) == 1

    yard.apply(a_service("bad", scheme="internal"))
    yard.settle()
    assert len(yard.hostnames("bad")) == 1


def test_a_broken_annotation_does_not_stop_registration(yard: Yard) -> None:
    from tests.integration.test_service_life import WEB  # noqa: PLC0415 - the same Service as there

    yard.apply(WEB)
    yard.settle()
    yard.annotate("web", {f"{PREFIX}-scheme": "public"})
    yard.settle()

    yard.patch("deployment", "web", {"spec": {"replicas": 4}})
    yard.settle()

    assert yard.registered_ips() == yard.pod_ips("web")
    assert len(yard.pod_ips("web")) == 4


def test_a_class_that_is_not_ours_is_left_alone(yard: Yard) -> None:
    yard.apply(a_service().replace("service.k8s.aws/nlb", "example.com/other"))
    yard.settle()

    assert yard.events("web") == []
    assert yard.writes() == {}
    service = yard.find("service", "web")
    assert service is not None
    assert "finalizers" not in service["metadata"]


def test_thirty_mistakes_cost_a_good_service_nothing_and_are_not_tried_again(yard: Yard) -> None:
    yard.apply(a_service("good"))
    yard.settle()
    alone = yard.calls()
    yard.delete("service", "good")
    yard.settle()

    for number in range(30):
        yard.apply(a_service(f"bad-{number}", scheme="public"))
    yard.settle()
    yard.forget_calls()
    yard.apply(a_service("good"))
    yard.settle(horizon=290.0)

    assert yard.calls() == alone
