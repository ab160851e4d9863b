from __future__ import annotations

from lbcontroller.build.service import build_service_stack
from lbcontroller.cluster.service import Service
from lbcontroller.settings import Settings
from tests.support.cluster_objects import ANNOTATION_PREFIX, a_port, a_service, a_snapshot
from tests.support.inventories import CLUSTER, an_inventory


def fields_of(service: Service) -> dict[tuple[str, str], str]:
    built = build_service_stack(service, a_snapshot(service), an_inventory(), Settings(cluster_name=CLUSTER))
    return {
        (str(id_), attribute): field.removeprefix(ANNOTATION_PREFIX)
        for (id_, attribute), field in built.attribute_fields.items()
    }


def test_every_attribute_that_an_annotation_gives_has_it_for_its_field() -> None:
    service = a_service(
        annotations={
            "aws-load-balancer-nlb-target-type": "ip",
            "aws-load-balancer-attributes": "ipv6.deny_all_igw_traffic=true,new.attribute=1",
            "aws-load-balancer-access-log-enabled": "true",
            "aws-load-balancer-access-log-s3-bucket-name": "logs",
            "aws-load-balancer-access-log-s3-bucket-prefix": "web",
            "aws-load-balancer-cross-zone-load-balancing-enabled": "true",
            "aws-load-balancer-target-group-attributes": "preserve_client_ip.enabled=true",
            "aws-load-balancer-target-group-attributes.443": "preserve_client_ip.enabled=false",
            "aws-load-balancer-listener-attributes.TCP-443": "tcp.idle_timeout.seconds=60",
        },
        ports=[a_port(80), a_port(443)],
    )
    assert fields_of(service) == {
        ("LoadBalancer LoadBalancer", "ipv6.deny_all_igw_traffic"): "aws-load-balancer-attributes",
        ("LoadBalancer LoadBalancer", "new.attribute"): "aws-load-balancer-attributes",
        ("LoadBalancer LoadBalancer", "access_logs.s3.enabled"): "aws-load-balancer-access-log-enabled",
        ("LoadBalancer LoadBalancer", "access_logs.s3.bucket"): "aws-load-balancer-access-log-s3-bucket-name",
        (
            "LoadBalancer LoadBalancer",
            "access_logs.s3.prefix",
        ): "aws-load-balancer-access-log-s3-bucket-prefix",
        (
            "LoadBalancer LoadBalancer",
            "load_balancing.cross_zone.enabled",
        ): "aws-load-balancer-cross-zone-load-balancing-enabled",
        (
            "TargetGroup shop/web:80",
            "preserve_client_ip.enabled",
        ): "aws-load-balancer-target-group-attributes",
        (
            "TargetGroup shop/web:443",
            "preserve_client_ip.enabled",
        ): "aws-load-balancer-target-group-attributes.443",
        ("Listener 443", "tcp.idle_timeout.seconds"): "aws-load-balancer-listener-attributes.TCP-443",
    }


def test_annotations_of_their_own_win_over_the_maps() -> None:
    service = a_service(
        annotations={
            "aws-load-balancer-attributes": "load_balancing.cross_zone.enabled=false",
            "aws-load-balancer-cross-zone-load-balancing-enabled": "true",
            "aws-load-balancer-target-group-attributes": "proxy_protocol_v2.enabled=false",
            "aws-load-balancer-proxy-protocol": "*",
        }
    )
    assert fields_of(service) == {
        (
            "LoadBalancer LoadBalancer",
            "load_balancing.cross_zone.enabled",
        ): "aws-load-balancer-cross-zone-load-balancing-enabled",
        ("TargetGroup shop/web:80", "proxy_protocol_v2.enabled"): "aws-load-balancer-proxy-protocol",
    }


def test_our_own_defaults_come_from_no_annotation() -> None:
    assert fields_of(a_service()) == {}
