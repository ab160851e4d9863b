from __future__ import annotations

import re
from typing import Any

import pytest

from lbcontroller.annotations.declare import declarations
from lbcontroller.annotations.schema import wire_schema
from lbcontroller.annotations.service import ServiceAnnotations

PREFIX = "service.beta.kubernetes.io/"
SCHEMA = wire_schema(ServiceAnnotations)


def property_of(suffix: str) -> dict[str, Any]:
    found: dict[str, Any] = SCHEMA["properties"][PREFIX + suffix]
    return found


def test_every_annotation_is_a_string_with_a_description_and_a_shape() -> None:
    shapes = [*SCHEMA["properties"].values(), *SCHEMA["patternProperties"].values()]
    assert len(shapes) == len(declarations(ServiceAnnotations))
    for shape in shapes:
        assert shape["type"] == "string"
        assert shape["description"]
        assert "enum" in shape or "pattern" in shape


def test_words_are_listed() -> None:
    assert property_of("aws-load-balancer-scheme")["enum"] == ["internal", "internet-facing"]
    assert "True" in property_of("aws-load-balancer-internal")["enum"]


@pytest.mark.parametrize(
    ("suffix", "raw", "matches"),
    [
        ("aws-load-balancer-healthcheck-interval", "10", True),
        ("aws-load-balancer-healthcheck-interval", "10s", False),
        ("aws-load-balancer-healthcheck-protocol", "tcp", True),
        ("aws-load-balancer-ssl-ports", " 443 , https", True),
        ("aws-load-balancer-ssl-ports", "*", False),
        ("aws-load-balancer-name", "front", True),
        ("aws-load-balancer-name", "front_door", False),
    ],
)
def test_shapes_accept_what_is_allowed(suffix: str, raw: str, matches: bool) -> None:
    assert bool(re.match(property_of(suffix)["pattern"], raw)) is matches


@pytest.mark.parametrize(
    ("key", "known"),
    [
        ("actions.TCP-80", True),
        ("aws-load-balancer-target-group-attributes.80", True),
        ("aws-load-balancer-listener-attributes.TCP_UDP-53", True),
        ("actions.", False),
        ("aws-load-balancer-target-group-attributes.http", False),
        ("aws-load-balancer-target-group-attributesX80", False),
    ],
)
def test_keys_with_parameters_are_patterns(key: str, known: bool) -> None:
    assert any(re.match(pattern, PREFIX + key) for pattern in SCHEMA["patternProperties"]) is known
