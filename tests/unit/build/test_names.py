from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lbcontroller.build.names import (
    IngressNames,
    IngressTargetGroupNameParts,
    ServiceNames,
    TargetGroupNameParts,
    backend_security_group_name,
    ingress_target_group_name,
    sanitize,
    short_hash,
    target_group_name,
)
from lbcontroller.keys import ObjectName
from lbcontroller.model.enums import HealthCheckProtocol, Protocol, ProtocolVersion, Scheme, TargetType

UID = "11111111-2222-3333-4444-555555555555"
CANARY_UID = "99999999-8888-7777-6666-555555555555"
WEB = ServiceNames(cluster="demo-cluster", service=ObjectName("team-a", "web-frontend"), uid=UID)
NODES = TargetGroupNameParts(
    cluster="demo-cluster",
    namespace="team-a",
    service="web-frontend",
    uid=UID,
    base_uid=None,
    port=30080,
    service_port=80,
    target_type=TargetType.INSTANCE,
    protocol=Protocol.TCP,
    health_check_protocol=HealthCheckProtocol.TCP,
    health_check_interval=10,
)
PODS = replace(NODES, target_type=TargetType.IP, port=8080)


def test_only_ascii_letters_and_digits_are_readable() -> None:
    assert sanitize("Ä-team_1.b") == "team1b"


def test_a_hash_is_over_the_parts_written_together() -> None:
    assert short_hash("ab", "c") == short_hash("abc") == "ba7816bf8f"


@pytest.mark.parametrize(
    ("scheme", "name"),
    [
        (Scheme.INTERNAL, "k8s-teama-webfront-27dd7ed270"),
        (Scheme.INTERNET_FACING, "k8s-teama-webfront-0b2734564d"),
    ],
)
def test_load_balancers_are_named_as_by_lbc(scheme: Scheme, name: str) -> None:
    assert WEB.load_balancer(scheme) == name


def test_managed_security_groups_are_named_as_by_lbc() -> None:
    assert WEB.managed_security_group() == "k8s-teama-webfront-c0d952b778"


def test_the_shared_security_group_is_named_as_by_lbc() -> None:
    assert backend_security_group_name("demo-cluster") == "k8s-traffic-democluster-36d0873f31"


def test_the_name_of_the_shared_security_group_fits_whatever_the_cluster_is_called() -> None:
    assert len(backend_security_group_name("c" * 300)) == 255


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (NODES, "k8s-teama-webfront-c21fdf5399"),
        (replace(NODES, health_check_protocol=HealthCheckProtocol.HTTP), "k8s-teama-webfront-6af1b59667"),
        (replace(NODES, protocol=Protocol.TCP_UDP), "k8s-teama-webfront-3727450977"),
        (PODS, "k8s-teama-webfront-0879dcfa3e"),
        (replace(PODS, port=1), "k8s-teama-webfront-20725c49e8"),
        (
            replace(PODS, service="canary", uid=CANARY_UID, base_uid=UID, port=9090, service_port=81),
            "k8s-teama-canary-bff001d0f8",
        ),
    ],
    ids=["nodes", "http-check", "tcp-udp", "pods", "named-port", "weighted"],
)
def test_target_groups_are_named_as_by_lbc(parts: TargetGroupNameParts, name: str) -> None:
    assert target_group_name(parts) == name


@pytest.mark.parametrize(
    "change",
    [
        {"cluster": "other"},
        {"uid": CANARY_UID},
        {"base_uid": CANARY_UID},
        {"port": 30081},
        {"service_port": 81},
        {"target_type": TargetType.IP},
        {"protocol": Protocol.TLS},
        {"health_check_protocol": HealthCheckProtocol.HTTPS},
        {"health_check_interval": 30},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_makes_a_target_group_another_one_changes_its_name(change: dict[str, Any]) -> None:
    assert target_group_name(replace(NODES, **change)) != target_group_name(NODES)


def test_names_from_longest_parts_fit_a_load_balancer() -> None:
    names = ServiceNames(cluster="demo", service=ObjectName("n" * 63, "s" * 63), uid=UID)

    assert len(names.load_balancer(Scheme.INTERNAL)) == 32


@pytest.mark.parametrize(
    ("cluster", "group", "scheme", "name"),
    [
        ("cluster-dummy", ObjectName("ns-1", "ing-1"), Scheme.INTERNAL, "k8s-ns1-ing1-b7e914000d"),
        ("cluster-dummy", ObjectName("ns-1", "ing-1"), Scheme.INTERNET_FACING, "k8s-ns1-ing1-159dd7a143"),
        ("", ObjectName("awesome-ns", "ing-1"), Scheme.INTERNET_FACING, "k8s-awesomen-ing1-43b698093c"),
        ("", ObjectName("", "explicit-group"), Scheme.INTERNAL, "k8s-explicitgroup-5bf9e53c23"),
    ],
)
def test_load_balancers_of_ingresses_are_named_as_by_lbc(
    cluster: str, group: ObjectName, scheme: Scheme, name: str
) -> None:
    assert IngressNames(cluster=cluster, group=group).load_balancer(scheme) == name


def test_managed_groups_of_ingresses_are_named_as_by_lbc() -> None:
    names = IngressNames(cluster="cluster-dummy", group=ObjectName("ns-1", "ing-1"))

    assert names.managed_security_group() == "k8s-ns1-ing1-bd83176788"


BEHIND_AN_INGRESS = IngressTargetGroupNameParts(
    cluster="",
    group=ObjectName("", ""),
    ingress=ObjectName("", ""),
    service=ObjectName("ns-1", "name-1"),
    uid="my-uuid",
    service_port="http",
    port=8080,
    target_type=TargetType.IP,
    protocol=Protocol.HTTP,
    protocol_version=ProtocolVersion.HTTP1,
    control_port=None,
)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        (
            {
                "cluster": "cluster-dummy",
                "group": ObjectName("ns-1", "ing-1"),
                "ingress": ObjectName("ns-1", "ing-1"),
                "service": ObjectName("ns-1", "svc-1"),
                "uid": "",
                "port": 32768,
                "target_type": TargetType.INSTANCE,
            },
            "k8s-ns1-svc1-9889425938",
        )
    ],
)
def test_target_groups_of_ingresses_are_named_as_by_lbc(changes: dict[str, Any], name: str) -> None:
    assert ingress_target_group_name(replace(BEHIND_AN_INGRESS, **changes)) == name
