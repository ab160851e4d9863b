from __future__ import annotations

import pytest

from lbcontroller.aws.attributes import AttributesRefused
from lbcontroller.controller.refused_attributes import with_annotations
from lbcontroller.errors import Problem, Refused
from lbcontroller.model.ids import Arn
from tests.support.nlb_stacks import LOAD_BALANCER

FIELDS = {
    (LOAD_BALANCER, "a.one"): "example.com/attributes",
    (LOAD_BALANCER, "a.two"): "example.com/attributes",
    (LOAD_BALANCER, "b"): "example.com/b",
}
SPEAKERS = {(LOAD_BALANCER, "a.one"): "Ingress shop/a", (LOAD_BALANCER, "a.two"): "Ingress shop/b"}


def refusal(said: str, **attributes: str) -> AttributesRefused:
    problem = Problem(subject="AWS", field="elasticloadbalancing:X", value="", expected=said)
    return AttributesRefused(LOAD_BALANCER, Arn("arn"), attributes, Refused(problem))


@pytest.mark.parametrize(
    ("error", "told"),
    [
        pytest.param(
            refusal("AWS refuses a.two", **{"a.one": "1", "a.two": "2", "b": "3"}),
            "example.com/attributes: 'a.two=2': AWS refuses a.two (elasticloadbalancing:X)",
            id="the one that AWS names",
        ),
        pytest.param(
            refusal("AWS refuses it", **{"a.one": "1", "a.two": "2", "b": "3"}),
            "example.com/attributes: 'a.one=1,a.two=2': AWS refuses it (elasticloadbalancing:X); "
            "example.com/b: '3': AWS refuses it (elasticloadbalancing:X)",
            id="all where AWS names none",
        ),
        pytest.param(
            refusal("AWS refuses it", ours="1"),
            "elasticloadbalancing:X: AWS refuses it",
            id="none of the user",
        ),
    ],
)
def test_the_annotations_of_refused_attributes_are_named(error: AttributesRefused, told: str) -> None:
    assert str(with_annotations([error], FIELDS)) == told


def test_several_refusals_are_told_together_and_each_once() -> None:
    first, second = refusal("AWS refuses a.one", **{"a.one": "1"}), refusal("AWS refuses b", b="2")
    assert str(with_annotations([first, second, first], FIELDS)) == (
        "example.com/attributes: 'a.one=1': AWS refuses a.one (elasticloadbalancing:X); "
        "example.com/b: '2': AWS refuses b (elasticloadbalancing:X)"
    )


def test_each_of_several_objects_is_told_of_its_own() -> None:
    error = refusal("AWS refuses it", **{"a.one": "1", "a.two": "2"})
    found = with_annotations([error], FIELDS, SPEAKERS).problems
    assert [(problem.subject, problem.value) for problem in found] == [
        ("Ingress shop/a", "a.one=1"),
        ("Ingress shop/b", "a.two=2"),
    ]
