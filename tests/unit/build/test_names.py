from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lbcontroller.build.names import (
    TargetGroupNameParts,
    backend_security_group_name,
    load_balancer_name,
    managed_security_group_name,
    sanitize,
    short_hash,
    target_group_name,
)
from lbcontroller.keys import ObjectName
from lbcontroller.model.enums import HealthCheckProtocol, Protocol, Scheme, TargetType
from tests.support.load_balancer_builds import a_context

UID = "11111111-2222-3333-4444-555555555555"
CANARY_UID = "99999999-8888-7777-6666-555555555555"
WEB = a_context(owner=ObjectName("team-a", "web-frontend"), uid=UID, flags={"cluster-name": "demo-cluster"})
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
    assert load_balancer_name(WEB, scheme) == name


def test_managed_security_groups_are_named_as_by_lbc() -> None:
    assert managed_security_group_name(WEB) == "k8s-teama-webfront-c0d952b778"


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
    context = a_context(owner=ObjectName("n" * 63, "s" * 63))

    assert len(load_balancer_name(context, Scheme.INTERNAL)) == 32
