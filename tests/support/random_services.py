"""Random Services of our class, annotated at random with what the declarations accept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from hypothesis import strategies as st

from lbcontroller.annotations.codecs import Codec, Unreadable
from lbcontroller.annotations.declare import Declaration, declarations
from lbcontroller.annotations.service import ServiceAnnotations
from lbcontroller.cluster.service import Service
from lbcontroller.model.attributes import NLB_ATTRIBUTES, NLB_TARGET_GROUP_ATTRIBUTES, Attribute
from tests.support.inventories import certificate_arn

DECLARED: Final = declarations(ServiceAnnotations)
BACKEND: Final = Service.from_object(
    {
        "metadata": {"name": "canary", "namespace": "shop", "uid": "uid-of-canary", "generation": 1},
        "spec": {
            "type": "NodePort",
            "ipFamilies": ["IPv4"],
            "ports": [{"name": "http", "port": 81, "targetPort": 9090, "nodePort": 30081, "protocol": "TCP"}],
        },
    }
)
"""A Service that actions may name."""
_PORTS: Final = ("80", "443", "8080")


def _attributes(table: Mapping[str, Attribute]) -> st.SearchStrategy[str]:
    """Return a map of attributes with values that AWS takes; no protection, which would stay for ever."""
    pairs = [
        f"{key}={value}"
        for key, known in sorted(table.items())
        for value in (known.words or (str(known.numbers[0]),) if known.numbers else known.words or ("a",))
    ]
    return st.lists(
        st.sampled_from([pair for pair in pairs if pair != "deletion_protection.enabled=true"]), max_size=3
    ).map(",".join)


def _an_action(weights: tuple[int, int]) -> str:
    own, other = weights
    canary = {"serviceName": "canary", "servicePort": 81, "weight": other}
    forward = {"baseServiceWeight": own, "targetGroups": [canary]}
    return json.dumps({"type": "forward", "forwardConfig": forward})


_SUBNETS: Final = ["subnet-private-a", "private-a,private-b", "subnet-private-a,subnet-private-b,private-c"]
PLAUSIBLE: Final[Mapping[str, st.SearchStrategy[str]]] = {
    "type": st.sampled_from(["external", "nlb-ip"]),
    "subnets": st.sampled_from([*_SUBNETS, "public-a,public-b", "nowhere", ""]),
    "eip_allocations": st.sampled_from(["eipalloc-1", "eipalloc-1,eipalloc-2,eipalloc-3"]),
    "private_ipv4_addresses": st.sampled_from(["10.0.10.200", "10.0.12.9,10.0.10.200,10.0.11.200"]),
    "ipv6_addresses": st.sampled_from(["2600:1f14:0:10::9"]),
    "source_nat_ipv6_prefixes": st.sampled_from(["auto_assigned,auto_assigned,auto_assigned"]),
    "security_groups": st.sampled_from(["front", "sg-front,partners", "nobody"]),
    "security_group_prefix_lists": st.sampled_from(["pl-office", ""]),
    "load_balancer_source_ranges": st.sampled_from(
        ["10.0.0.0/8", "10.1.2.3/8,192.168.0.0/16", "2001:db8::/32"]
    ),
    "ssl_cert": st.sampled_from(
        [certificate_arn("www"), f"{certificate_arn('api')},{certificate_arn('www')}"]
    ),
    "ssl_ports": st.lists(st.sampled_from(_PORTS), max_size=2).map(",".join),
    "quic_enabled_ports": st.lists(st.sampled_from(_PORTS), max_size=2).map(",".join),
    "proxy_protocol_per_target_group": st.lists(st.sampled_from(_PORTS), max_size=2).map(",".join),
    "attributes": _attributes(NLB_ATTRIBUTES),
    "target_group_attributes": _attributes(NLB_TARGET_GROUP_ATTRIBUTES),
    "port_target_group_attributes": _attributes(NLB_TARGET_GROUP_ATTRIBUTES),
    "listener_attributes": st.sampled_from(["tcp.idle_timeout.seconds=400", ""]),
    "actions": st.tuples(st.integers(0, 999), st.integers(0, 999)).map(_an_action),
    "target_node_labels": st.sampled_from(["pool=a", ""]),
    "additional_resource_tags": st.sampled_from(["team=shop", "team=shop,stage=live", ""]),
    "access_log_s3_bucket_prefix": st.sampled_from(["logs", ""]),
}
"""Texts that fit the account of `tests.support.inventories`, mixed with some that do not."""


def text_of(declaration: Declaration) -> st.SearchStrategy[str]:
    """Return texts that the codec of an annotation accepts."""
    if declaration.field in PLAUSIBLE:
        return PLAUSIBLE[declaration.field]
    if declaration.codec.words:
        return st.sampled_from(declaration.codec.words)
    pattern = st.from_regex(declaration.codec.pattern, fullmatch=True, alphabet=st.characters(codec="ascii"))
    return pattern.filter(lambda text: _accepts(declaration.codec, text))


def _accepts(codec: Codec[Any], text: str) -> bool:
    try:
        codec.decode(text)
    except Unreadable:
        return False
    return True


def _keys(declaration: Declaration) -> st.SearchStrategy[str]:
    if declaration.key.parameter is None:
        return st.just(declaration.name)
    by_port = declaration.field == "port_target_group_attributes"
    parameters = _PORTS if by_port else [f"{way}-{port}" for way in ("TCP", "TLS", "UDP") for port in _PORTS]
    return st.sampled_from(parameters).map(lambda parameter: f"{declaration.name}.{parameter}")


def annotated(texts: Any = text_of) -> st.SearchStrategy[dict[str, str]]:
    """Return up to four annotations, their texts from `texts(declaration)`."""
    one = st.sampled_from(DECLARED).flatmap(lambda item: st.tuples(_keys(item), texts(item)))
    return st.lists(one, max_size=4).map(dict)


_a_port = st.fixed_dictionaries(
    {
        "port": st.sampled_from([80, 443, 8080]),
        "protocol": st.sampled_from(["TCP", "TCP", "UDP"]),
        "targetPort": st.sampled_from([8080, 8080, "http"]),
        "nodePort": st.sampled_from([30080, 30080, 0]),
    }
)
_ports = st.lists(
    _a_port, min_size=1, max_size=4, unique_by=lambda port: (port["port"], port["protocol"])
).map(lambda ports: [{"name": f"p{number}", **port} for number, port in enumerate(ports)])
_specs = st.fixed_dictionaries(
    {
        "ports": _ports,
        "externalTrafficPolicy": st.sampled_from(["Cluster", "Local"]),
        "healthCheckNodePort": st.just(31000),
        "ipFamilies": st.sampled_from([["IPv4"], ["IPv4"], ["IPv4", "IPv6"]]),
        "sessionAffinity": st.sampled_from(["None", "ClientIP"]),
        "loadBalancerSourceRanges": st.sampled_from([[], [], ["10.0.0.0/8"]]),
    }
)


def services(annotations: st.SearchStrategy[dict[str, str]]) -> st.SearchStrategy[Service]:
    """Return Services called `shop/web`, always the same object, with these annotations."""
    return st.builds(_service, annotations, _specs)


def _service(annotations: dict[str, str], spec: dict[str, Any]) -> Service:
    return Service.from_object(
        {
            "metadata": {
                "name": "web",
                "namespace": "shop",
                "uid": "uid-of-web",
                "generation": 1,
                "annotations": annotations,
            },
            "spec": {"type": "LoadBalancer", "loadBalancerClass": "service.k8s.aws/nlb"} | spec,
        }
    )
