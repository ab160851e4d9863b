from __future__ import annotations

from typing import Any

import pytest

from lbcontroller.local.apiserver import ApiError, ApiServerSettings, LocalApiServer, Subresource
from tests.support.manifests import a_load_balancer, a_service_manifest

DUAL_STACK = ApiServerSettings(service_cidrs=("10.96.0.0/16", "fd00:10:96::/112"))
STATUS = {"status": {"loadBalancer": {"ingress": [{"hostname": "web.example.com"}]}}}


def created(service: dict[str, Any], settings: ApiServerSettings | None = None) -> dict[str, Any]:
    spec: dict[str, Any] = LocalApiServer(settings).create(service)["spec"]
    return spec


def test_a_plain_service_is_completed() -> None:
    assert created(a_service_manifest(selector={"app": "web"})) == {
        "type": "ClusterIP",
        "selector": {"app": "web"},
        "ports": [{"port": 80, "targetPort": 80, "protocol": "TCP"}],
        "clusterIP": "10.96.0.1",
        "clusterIPs": ["10.96.0.1"],
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "internalTrafficPolicy": "Cluster",
        "sessionAffinity": "None",
    }


def test_a_load_balancer_gets_node_ports() -> None:
    spec = created(a_load_balancer(ports=[{"port": 80, "name": "a"}, {"port": 443, "name": "b"}]))
    assert [port["nodePort"] for port in spec["ports"]] == [30000, 30001]
    assert (spec["externalTrafficPolicy"], spec["allocateLoadBalancerNodePorts"]) == ("Cluster", True)


def test_a_load_balancer_can_do_without_node_ports() -> None:
    spec = created(a_load_balancer(allocateLoadBalancerNodePorts=False))
    assert "nodePort" not in spec["ports"][0]


def test_the_same_port_in_two_protocols_shares_its_node_port() -> None:
    ports = [{"port": 53, "name": "t"}, {"port": 53, "name": "u", "protocol": "UDP"}]
    spec = created(a_load_balancer(ports=ports))
    assert {port["nodePort"] for port in spec["ports"]} == {30000}


def test_local_traffic_gets_a_health_check_port() -> None:
    assert created(a_load_balancer(externalTrafficPolicy="Local"))["healthCheckNodePort"] == 30001


def test_a_headless_service_has_no_address() -> None:
    spec = created(a_service_manifest(clusterIP="None"))
    assert (spec["clusterIP"], spec["clusterIPs"]) == ("None", ["None"])


@pytest.mark.parametrize(
    ("asked", "families"),
    [
        ({}, ["IPv4"]),
        ({"ipFamilyPolicy": "PreferDualStack"}, ["IPv4", "IPv6"]),
        ({"ipFamilyPolicy": "RequireDualStack", "ipFamilies": ["IPv6"]}, ["IPv6", "IPv4"]),
        ({"ipFamilies": ["IPv6"]}, ["IPv6"]),
    ],
)
def test_families_follow_the_policy(asked: dict[str, Any], families: list[str]) -> None:
    spec = created(a_service_manifest(**asked), DUAL_STACK)
    assert spec["ipFamilies"] == families
    assert len(spec["clusterIPs"]) == len(families)


def test_addresses_and_ports_are_free_again_after_a_delete() -> None:
    server = LocalApiServer()
    first = server.create(a_load_balancer("a"))["spec"]
    server.delete("service", "a")
    again = server.create(
        a_load_balancer("b", clusterIP=first["clusterIP"], ports=[{"port": 80, "nodePort": 30000}])
    )
    assert again["spec"]["clusterIP"] == first["clusterIP"]


def test_a_refused_write_takes_nothing() -> None:
    server = LocalApiServer()
    with pytest.raises(ApiError):
        server.create(a_load_balancer("a", ports=[{"port": 0}]))
    assert server.create(a_load_balancer("b"))["spec"]["ports"][0]["nodePort"] == 30000


def test_allocated_values_survive_an_update_that_leaves_them_out() -> None:
    server = LocalApiServer()
    before = server.create(a_load_balancer(externalTrafficPolicy="Local"))
    after = server.update(a_load_balancer(externalTrafficPolicy="Local"))
    assert after["spec"] == before["spec"]


def test_a_service_that_is_no_load_balancer_any_more_loses_what_belongs_to_one() -> None:
    server = LocalApiServer()
    server.create(a_load_balancer(loadBalancerClass="x/y", externalTrafficPolicy="Local"))
    server.patch("service", "web", STATUS, part=Subresource.STATUS)
    service = server.patch("service", "web", {"spec": {"type": "ClusterIP"}})
    assert service["status"] == {"loadBalancer": {}}
    lost = {
        "loadBalancerClass",
        "externalTrafficPolicy",
        "healthCheckNodePort",
        "allocateLoadBalancerNodePorts",
    }
    assert not lost & service["spec"].keys()
    assert "nodePort" not in service["spec"]["ports"][0]


@pytest.mark.parametrize(
    ("service", "message"),
    [
        (a_service_manifest(ports=[]), r"spec\.ports: Required value"),
        (a_service_manifest(ports=[{"port": 70000}]), r"spec\.ports\[0\]\.port: Invalid value: 70000"),
        (a_service_manifest(ports=[{"port": 1}, {"port": 2}]), r"spec\.ports\[0\]\.name: Required value"),
        (
            a_service_manifest(ports=[{"port": 1, "name": "a"}, {"port": 1, "name": "b"}]),
            r"spec\.ports\[1\]: Duplicate value",
        ),
        (a_service_manifest(ports=[{"port": 1, "protocol": "tcp"}]), 'Unsupported value: "tcp"'),
        (
            a_service_manifest(ports=[{"port": 1, "nodePort": 30000}]),
            "may not be used when `type` is 'ClusterIP'",
        ),
        (a_load_balancer(ports=[{"port": 1, "nodePort": 80}]), "The range of valid ports is 30000-32767"),
        (
            a_load_balancer(loadBalancerSourceRanges=["10.1.2.3/8"]),
            "must not have bits set beyond the prefix",
        ),
        (a_load_balancer(loadBalancerSourceRanges=["10.0.0.1"]), "must be a valid CIDR value"),
        (a_service_manifest(loadBalancerSourceRanges=["10.0.0.0/8"]), "may only be used when `type` is"),
        (a_service_manifest(loadBalancerClass="a/b"), r"spec\.loadBalancerClass: Forbidden"),
        (a_service_manifest(externalTrafficPolicy="Local"), "externally-accessible services"),
        (a_service_manifest(type="Magic"), r"spec\.type: Unsupported value"),
        (a_service_manifest(clusterIP="192.168.0.1"), "not in the valid range"),
        (a_service_manifest(ipFamilyPolicy="RequireDualStack"), "not configured for dual-stack"),
        (a_service_manifest(ipFamilies=["IPv6"]), "not configured on this cluster"),
    ],
)
def test_what_a_real_server_refuses_is_refused(service: dict[str, Any], message: str) -> None:
    with pytest.raises(ApiError, match=message) as refused:
        LocalApiServer().create(service)
    assert refused.value.code == 422


def test_host_bits_in_the_source_range_annotation_are_refused() -> None:
    service = a_load_balancer()
    key = "service.beta.kubernetes.io/load-balancer-source-ranges"
    service["metadata"]["annotations"] = {key: "10.0.0.0/8, 10.1.2.3/16"}
    with pytest.raises(ApiError, match=r'did you mean "10\.1\.0\.0/16"'):
        LocalApiServer().create(service)


def test_a_node_port_of_another_service_is_refused() -> None:
    server = LocalApiServer()
    server.create(a_load_balancer("a"))
    with pytest.raises(ApiError, match="provided port is already allocated"):
        server.create(a_load_balancer("b", ports=[{"port": 80, "nodePort": 30000}]))


@pytest.mark.parametrize(
    "change", [{"clusterIP": "10.96.0.9", "clusterIPs": ["10.96.0.9"]}, {"loadBalancerClass": "a/b"}]
)
def test_what_must_not_change_is_refused(change: dict[str, Any]) -> None:
    server = LocalApiServer()
    server.create(a_load_balancer())
    with pytest.raises(ApiError, match="may not change once set"):
        server.patch("service", "web", {"spec": change})


def with_address(entry: dict[str, str], settings: ApiServerSettings | None = None) -> dict[str, Any]:
    server = LocalApiServer(settings)
    server.create(a_load_balancer())
    status = {"status": {"loadBalancer": {"ingress": [entry]}}}
    stored = server.patch("service", "web", status, part=Subresource.STATUS)
    (published,) = stored["status"]["loadBalancer"]["ingress"]
    return dict(published)


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ({"ip": "192.0.2.1"}, {"ip": "192.0.2.1", "ipMode": "VIP"}),
        ({"ip": "192.0.2.1", "ipMode": "Proxy"}, {"ip": "192.0.2.1", "ipMode": "Proxy"}),
        ({"hostname": "web.example.com"}, {"hostname": "web.example.com"}),
    ],
)
def test_addresses_have_a_mode(sent: dict[str, str], stored: dict[str, str]) -> None:
    assert with_address(sent) == stored


def test_an_old_server_drops_the_mode_of_addresses() -> None:
    old = ApiServerSettings(stores_ip_mode=False)
    assert with_address({"ip": "192.0.2.1", "ipMode": "Proxy"}, old) == {"ip": "192.0.2.1"}


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ({"hostname": "web.example.com", "ipMode": "Proxy"}, "Forbidden: may not be specified when `ip`"),
        ({"ip": "192.0.2.1", "ipMode": "NAT"}, 'Unsupported value: "NAT"'),
    ],
)
def test_a_mode_without_sense_is_refused(entry: dict[str, str], problem: str) -> None:
    with pytest.raises(ApiError, match=r"status\.loadBalancer\.ingress\[0\]\.ipMode: " + problem):
        with_address(entry)


def test_a_service_that_is_no_load_balancer_cannot_have_an_address_in_its_status() -> None:
    server = LocalApiServer()
    server.create(a_service_manifest())
    with pytest.raises(ApiError, match=r"status\.loadBalancer\.ingress: Forbidden") as refused:
        server.patch("service", "web", STATUS, part=Subresource.STATUS)
    assert refused.value.code == 422
