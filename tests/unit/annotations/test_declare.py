from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

import pytest
from pydantic import Field

from lbcontroller.annotations.codecs import ANY_TEXT, BOOLEAN, integer
from lbcontroller.annotations.declare import AnnotationModel, Key, Parsed, declarations
from lbcontroller.annotations.formats import ListenerKey
from lbcontroller.annotations.reference import render
from lbcontroller.annotations.service import ServiceAnnotations
from lbcontroller.errors import InvalidConfig, Problem
from lbcontroller.model.enums import Protocol
from lbcontroller.model.findings import Finding, FindingReason, Severity

PREFIX = "service.beta.kubernetes.io/"


class BoatAnnotations(AnnotationModel):
    """Something small to look at the machinery with."""

    carrier: ClassVar[str] = "Boats"
    prefix: ClassVar[str] = "boats.example.com/"
    watched: ClassVar[tuple[str, ...]] = ("",)
    effectless: ClassVar[Mapping[str, str]] = {"boats.example.com/horn": "boats of this kind have none"}

    sails: Annotated[int | None, Key("sails", "Rig", "2"), integer(0, 9)] = None
    """How many | sails."""
    anchor: Annotated[bool | None, Key("anchor", "Deck"), BOOLEAN] = None
    """Whether the anchor
    is down."""
    cabins: Annotated[Mapping[int, str], Key("cabin", "Deck", parameter=integer(1, 4)), ANY_TEXT] = Field(
        default_factory=dict
    )
    """Who sleeps where."""


def parse(**annotations: str) -> Parsed[BoatAnnotations]:
    keys = {f"boats.example.com/{name.replace('__', '.')}": value for name, value in annotations.items()}
    return BoatAnnotations.parse("Boat harbour/one", keys)


def problems(**annotations: str) -> tuple[Problem, ...]:
    with pytest.raises(InvalidConfig) as caught:
        parse(**annotations)
    return caught.value.problems


def test_fields_have_the_types_they_are_declared_with() -> None:
    model = parse(sails="3", cabin__1="Ann", cabin__2="Bo").model
    assert model.sails == 3
    assert model.anchor is None
    assert model.cabins == {1: "Ann", 2: "Bo"}


def test_all_problems_are_reported_at_once() -> None:
    found = problems(sails="ten", anchor="down", cabin__9="Cy", cabin__x="Di")
    cabin = "the part after 'boats.example.com/cabin.' must be a whole number from 1 to 4"
    assert [str(problem) for problem in found] == [
        "boats.example.com/sails: 'ten': must be a whole number from 0 to 9",
        "boats.example.com/anchor: 'down': must be true or false",
        f"boats.example.com/cabin.9: 'Cy': {cabin}",
        f"boats.example.com/cabin.x: 'Di': {cabin}",
    ]
    assert {problem.subject for problem in found} == {"Boat harbour/one"}


def test_an_unknown_key_is_named_with_the_nearest_one() -> None:
    assert parse(sail="3").findings == (
        Finding(
            severity=Severity.WARNING,
            subject="Boat harbour/one",
            reason=FindingReason.UNKNOWN_ANNOTATION,
            message=(
                "boats.example.com/sail is not an annotation of ours; did you mean boats.example.com/sails?"
            ),
        ),
    )


def test_an_unknown_key_like_no_other_is_named_alone() -> None:
    (finding,) = parse(xyzzy="").findings
    assert finding.message == "boats.example.com/xyzzy is not an annotation of ours"


def test_a_known_key_without_effect_is_explained() -> None:
    assert parse(horn="loud").findings == (
        Finding(
            severity=Severity.INFO,
            subject="Boat harbour/one",
            reason=FindingReason.IGNORED_SETTING,
            message="boats.example.com/horn has no effect: boats of this kind have none",
        ),
    )


def test_declared_keys_are_not_remarked_on() -> None:
    assert parse(sails="3", anchor="true").findings == ()


def test_keys_of_others_are_passed_over() -> None:
    keys = {
        "kubectl.kubernetes.io/last-applied-configuration": "{}",
        "service.beta.kubernetes.io/azure-load-balancer-internal": "true",
        "service.beta.kubernetes.io/do-loadbalancer-name": "x",
        "boats.example.com/sails": "many",
    }
    assert ServiceAnnotations.parse("Service shop/web", keys).findings == ()


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("aws-load-balancer-scheem", "aws-load-balancer-scheme"),
        ("aws-load-balancer-target-type", "aws-load-balancer-nlb-target-type"),
        ("aws-loadbalancer-scheme", "aws-load-balancer-scheme"),
        ("aws-load-balancer-healthcheck-intervall", "aws-load-balancer-healthcheck-interval"),
        ("aws-load-balancer-source-ranges", "load-balancer-source-ranges"),
        ("load-balancer-source-range", "load-balancer-source-ranges"),
        ("aws-load-balancer-eip-allocation", "aws-load-balancer-eip-allocations"),
    ],
)
def test_misspelt_keys_of_services_are_recognised(given: str, meant: str) -> None:
    (finding,) = ServiceAnnotations.parse("Service shop/web", {PREFIX + given: "x"}).findings
    assert finding.message.endswith(f"; did you mean {PREFIX}{meant}?")


@pytest.mark.parametrize(
    "key",
    [
        "access-log-emit-interval",
        "connection-draining-enabled",
        "connection-draining-timeout",
        "connection-idle-timeout",
        "extra-security-groups",
    ],
)
def test_keys_of_classic_load_balancers_are_recognised(key: str) -> None:
    (finding,) = ServiceAnnotations.parse(
        "Service shop/web", {f"{PREFIX}aws-load-balancer-{key}": "x"}
    ).findings
    assert finding.severity is Severity.INFO
    assert "classic load balancers" in finding.message


def test_full_keys_are_found_by_field() -> None:
    assert ServiceAnnotations.key_of("scheme") == f"{PREFIX}aws-load-balancer-scheme"
    assert ServiceAnnotations.key_of("actions", ListenerKey(Protocol.TLS, 443)) == f"{PREFIX}actions.TLS-443"
    assert (
        ServiceAnnotations.key_of("port_target_group_attributes", 80)
        == f"{PREFIX}aws-load-balancer-target-group-attributes.80"
    )
    with pytest.raises(KeyError):
        ServiceAnnotations.key_of("no_such_field")


def test_every_annotation_has_a_description_and_a_topic() -> None:
    assert [
        one.name for one in declarations(ServiceAnnotations) if not (one.description and one.key.topic)
    ] == []


def test_the_reference_page_says_what_is_declared() -> None:
    page = render(BoatAnnotations)
    assert "# Annotations of Boats" in page
    assert "Every key begins with `boats.example.com/`." in page
    assert r"| `sails` | integer | a whole number from 0 to 9 | 2 | own | How many \| sails. |" in page
    assert "| own | Whether the anchor is down. |" in page
    assert "- `horn`: boats of this kind have none." in page
    assert page.index("## Rig") < page.index("## Deck")
