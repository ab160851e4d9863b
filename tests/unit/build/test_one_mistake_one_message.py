"""What only follows from a mistake is not told beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from lbcontroller.errors import InvalidConfig
from lbcontroller.model.fields import UNKNOWN
from lbcontroller.settings import Settings
from tests.support.ingress_cases import build_group, snapshot_of
from tests.support.ingress_objects import a_path, an_ingress_object
from tests.support.inventories import CLUSTER, an_inventory

HTTPS = {
    "listen-ports": '[{"HTTPS": 443}]',
    "certificate-arn": "arn:aws:iam::123456789012:server-certificate/any",
}
TOKEN = {"jwt-validation": '{"jwksEndpoint": "https://login.example.com/keys", "issuer": "https://login"}'}
IPV6 = {"type": "ClusterIP", "ipFamilies": ["IPv6"]}
REGEX = {"conditions.web": '[{"field": "path-pattern", "pathPatternConfig": {"regexValues": ["/b.*"]}}]'}
PLAIN: Mapping[str, Any] = {"type": "NodePort"}


def problems(asked: Mapping[str, str], service: Mapping[str, Any], path: str = "/") -> list[str]:
    """Return the fields that the owner of an Ingress is told to look at."""
    paths = [a_path(path=path, path_type="ImplementationSpecific")]
    site = an_ingress_object(annotations=asked, rules=[{"host": "www.example.com", "http": {"paths": paths}}])
    node_port = {} if service.get("type") == "ClusterIP" else {"nodePort": 30080}
    port = {"port": 80, "targetPort": 8080, **node_port}
    web = {"metadata": {"name": "web"}, "spec": {**service, "ports": [port]}}
    inventory = replace(an_inventory(), certificates=UNKNOWN)
    with pytest.raises(InvalidConfig) as raised:
        build_group(snapshot_of([site, web]), inventory, Settings(cluster_name=CLUSTER))
    return [problem.field.removeprefix("alb.ingress.kubernetes.io/") for problem in raised.value.problems]


@pytest.mark.parametrize(
    ("mistake", "beside", "service"),
    [
        ({"target-type": "pods"}, {}, {"type": "ClusterIP"}),
        ({"target-type": "pods"}, {"target-control-port.web.80": "9000"}, PLAIN),
        ({"ip-address-type": "both"}, {"target-type": "ip"}, IPV6),
        ({"listen-ports": "443"}, TOKEN, PLAIN),
        ({"listen-ports": "443"}, {"backend-protocol-version": "GRPC"}, PLAIN),
        ({"listen-ports": "443"}, {"ssl-redirect": "443"}, PLAIN),
        ({"ssl-redirect": "https"}, {"listen-ports": '[{"HTTP": 80}, {"HTTPS": 443}]', **TOKEN}, PLAIN),
        ({"auth-idp-oidc": "{"}, {"auth-type": "oidc"} | HTTPS, PLAIN),
        ({"auth-idp-cognito": "{"}, {"auth-type": "cognito"} | HTTPS, PLAIN),
        ({"healthcheck-interval-seconds": "a minute"}, {"healthcheck-timeout-seconds": "30"}, PLAIN),
        ({"backend-protocol-version": "grpc2"}, {"success-codes": "0-99"}, PLAIN),
        ({"use-regex-path-match": "maybe"}, REGEX, PLAIN),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else None,
)
def test_a_mistake_is_told_alone(
    mistake: Mapping[str, str], beside: Mapping[str, str], service: Mapping[str, Any]
) -> None:
    certificate = {"certificate-arn": HTTPS["certificate-arn"]} if "443" in str(beside) else {}
    assert problems({**certificate, **beside, **mistake}, service, "/a.*") == list(mistake)


def test_what_has_nothing_to_do_with_a_mistake_is_told_as_well() -> None:
    asked = {"target-type": "pods", "healthcheck-port": "status"}
    assert problems(asked, {"type": "ClusterIP"}) == ["target-type", "healthcheck-port"]


def test_without_a_mistake_it_is_told() -> None:
    (field,) = problems({}, {"type": "ClusterIP"})
    assert field == "Service shop/web spec.ports[0].nodePort"
