"""Whose an Ingress is: the table of the module, row by row."""

from __future__ import annotations

from typing import Any

import pytest

from lbcontroller.build.ingress_classes import NotOurs, OfOurClass, Unclear, ingress_class
from lbcontroller.cluster.ingress import Ingress
from lbcontroller.cluster.snapshot import Snapshot
from tests.support.ingress_objects import a_class, a_cluster_of, a_namespace, an_ingress, class_params

OURS = OfOurClass(None)
ANNOTATION = "kubernetes.io/ingress.class"


def found(ingress: Ingress, cluster: Snapshot | None = None, configured: str = "alb") -> object:
    return ingress_class(ingress, cluster or a_cluster_of(), configured)


def unclear(ingress: Ingress, cluster: Snapshot) -> str:
    """Return what the owner of an Ingress is told whose class is unclear."""
    answer = found(ingress, cluster)
    assert isinstance(answer, Unclear)
    (problem,) = answer.problems
    assert problem.subject == "Ingress shop/site"
    return str(problem)


class TestTheAnnotation:
    @pytest.mark.parametrize(
        ("written", "configured", "expected"),
        [
            ("alb", "alb", OURS),
            ("nginx", "alb", NotOurs()),
            ("", "alb", NotOurs()),
            ("ALB", "alb", NotOurs()),
            ("front", "front", OURS),
            ("alb", "front", NotOurs()),
            ("alb", "", OURS),
            ("", "", OURS),
            ("nginx", "", NotOurs()),
        ],
    )
    def test_decides_by_its_value(self, written: str, configured: str, expected: object) -> None:
        assert found(an_ingress(annotations={ANNOTATION: written}), configured=configured) == expected

    def test_beats_the_class_of_the_spec_and_its_parameters(self) -> None:
        cluster = a_cluster_of(a_class(params="params"), class_params())
        assert found(an_ingress(annotations={ANNOTATION: "nginx"}), cluster) == NotOurs()
        assert found(an_ingress(annotations={ANNOTATION: "alb"}, ingressClassName="gone"), cluster) == OURS


class TestTheDefaultClass:
    CLASSLESS = an_ingress(ingressClassName=None)

    def test_counts_for_an_ingress_without_a_class(self) -> None:
        assert found(self.CLASSLESS, a_cluster_of(a_class("any", default=True))) == OURS

    def test_may_belong_to_another_controller(self) -> None:
        others = a_class("nginx", controller="k8s.io/ingress-nginx", default=True)
        assert found(self.CLASSLESS, a_cluster_of(a_class(), others)) == NotOurs()
        assert found(self.CLASSLESS, a_cluster_of(a_class(), others), "") == NotOurs()

    def test_does_not_count_for_an_ingress_with_a_class(self) -> None:
        two = a_cluster_of(a_class(default=True), a_class("other", default=True))
        assert found(an_ingress(), two) == OURS

    def test_is_unclear_when_there_are_two(self) -> None:
        others = a_class("nginx", controller="k8s.io/ingress-nginx", default=True)
        assert unclear(self.CLASSLESS, a_cluster_of(a_class(default=True), others)) == (
            "spec.ingressClassName: is missing, and several IngressClasses are marked as the default: alb, "
            "nginx (name one, or let only one be annotated ingressclass.kubernetes.io/is-default-class)"
        )

    @pytest.mark.parametrize(("configured", "expected"), [("alb", NotOurs()), ("", OURS)])
    def test_without_one_the_flag_decides(self, configured: str, expected: object) -> None:
        assert found(self.CLASSLESS, a_cluster_of(a_class()), configured) == expected


class TestTheClass:
    def test_of_ours_has_no_parameters_unless_it_refers_to_some(self) -> None:
        assert found(an_ingress()) == OURS

    def test_of_another_controller_is_not_looked_into(self) -> None:
        others = a_class(controller="k8s.io/ingress-nginx", params="gone", kind="Something")
        assert found(an_ingress(), a_cluster_of(others)) == NotOurs()

    def test_that_does_not_exist_is_unclear(self) -> None:
        assert unclear(an_ingress(ingressClassName="abl"), a_cluster_of()) == (
            "spec.ingressClassName: 'abl': there is no IngressClass of that name (did you mean 'alb'?)"
        )

    def test_brings_its_parameters(self) -> None:
        params = class_params()
        assert found(an_ingress(), a_cluster_of(a_class(params="params"), params)) == OfOurClass(params)

    @pytest.mark.parametrize(
        ("reference", "shown"),
        [
            ({"apiGroup": None}, "IngressClassParams params of no API group"),
            ({"apiGroup": "example.com"}, "IngressClassParams params of example.com"),
            ({"kind": "ConfigMap"}, "ConfigMap params of elbv2.k8s.aws"),
        ],
    )
    def test_with_parameters_of_another_kind_is_unclear(self, reference: dict[str, Any], shown: str) -> None:
        cluster = a_cluster_of(a_class(params="params", **reference), class_params())
        assert unclear(an_ingress(), cluster) == (
            f"IngressClass alb spec.parameters: '{shown}': must be an IngressClassParams of elbv2.k8s.aws"
        )

    def test_with_parameters_that_do_not_exist_is_unclear(self) -> None:
        assert unclear(an_ingress(), a_cluster_of(a_class(params="parms"), class_params())) == (
            "IngressClass alb spec.parameters: 'parms': there is no IngressClassParams of that name "
            "(did you mean 'params'?)"
        )


class TestTheNamespaceSelector:
    TEAM = {"matchLabels": {"team": "shop"}}  # noqa: RUF012 - never changed

    @pytest.mark.parametrize(
        ("selector", "labels"),
        [
            ({}, {}),
            (TEAM, {"team": "shop", "env": "test"}),
            (
                {"matchExpressions": [{"key": "team", "operator": "In", "values": ["a", "shop"]}]},
                {"team": "a"},
            ),
            ({"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["a"]}]}, {}),
            ({"matchExpressions": [{"key": "team", "operator": "Exists"}]}, {"team": "x"}),
            ({"matchExpressions": [{"key": "team", "operator": "DoesNotExist"}]}, {}),
        ],
    )
    def test_lets_the_namespaces_in_that_it_selects(
        self, selector: dict[str, object], labels: dict[str, str]
    ) -> None:
        params = class_params(namespaceSelector=selector)
        cluster = a_cluster_of(a_class(params="params"), params, a_namespace(**labels))
        assert found(an_ingress(), cluster) == OfOurClass(params)

    @pytest.mark.parametrize(
        "selector", [TEAM, {**TEAM, "matchExpressions": [{"key": "team", "operator": "DoesNotExist"}]}]
    )
    def test_shuts_out_the_others(self, selector: dict[str, object]) -> None:
        params = class_params(namespaceSelector=selector)
        cluster = a_cluster_of(a_class(params="params"), params, a_namespace(team="other"))
        assert unclear(an_ingress(), cluster) == (
            "IngressClassParams params spec.namespaceSelector: 'shop': does not select this namespace "
            "(label it, or use another class)"
        )

    def test_is_unclear_for_a_namespace_that_is_not_known(self) -> None:
        cluster = a_cluster_of(a_class(params="params"), class_params(namespaceSelector=self.TEAM))
        assert unclear(an_ingress(), cluster) == (
            "IngressClassParams params spec.namespaceSelector: 'shop': the labels of this namespace are not "
            "known"
        )

    def test_is_unclear_when_it_is_malformed(self) -> None:
        params = class_params(namespaceSelector={"matchExpressions": [{"key": "team", "operator": "Is"}]})
        cluster = a_cluster_of(a_class(params="params"), params, a_namespace())
        assert unclear(an_ingress(), cluster) == (
            "IngressClassParams params spec.namespaceSelector.matchExpressions: 'Is': expected an operator "
            "out of In, NotIn, Exists, DoesNotExist"
        )
