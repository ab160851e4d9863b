"""Members of groups: who is in, who is leaving, who is held, in which order."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from lbcontroller.build.ingress_classes import NotOurs, Unclear
from lbcontroller.build.ingress_groups import (
    IngressGroup,
    Ours,
    classes_of,
    classify,
    finalizer_of,
    groups_it_may_join,
    groups_of_class,
    groups_of_finalizers,
    ingress_group,
)
from lbcontroller.cluster.ingress import Ingress
from lbcontroller.cluster.ingress_class import IngressClass, IngressClassParams
from lbcontroller.keys import ObjectName, StackKey, StackKind
from lbcontroller.settings import Settings
from tests.support.ingress_objects import a_class, a_cluster_of, an_ingress, class_params

SETTINGS = Settings(cluster_name="demo")
OWN, SITES, OTHERS = "ingress.k8s.aws/resources", "group.ingress.k8s.aws/sites", "group.ingress.k8s.aws/other"


def own(name: str = "site", namespace: str = "shop") -> StackKey:
    return StackKey(StackKind.INGRESS, ObjectName(namespace, name))


def named(name: str = "sites") -> StackKey:
    return StackKey(StackKind.INGRESS, ObjectName("", name))


def group(key: StackKey, *views: Ingress | IngressClass | IngressClassParams) -> IngressGroup:
    return ingress_group(key, a_cluster_of(*views), SETTINGS)


Names = tuple[list[str], list[str], list[str]]


def names(found: IngressGroup) -> Names:
    """Return who is served, who is held and who is leaving."""
    return (
        [member.name.name for member in found.members if not member.problems],
        [member.name.name for member in found.members if member.problems],
        [ingress.meta.name.name for ingress in found.leaving],
    )


def problem_of(ingress: Ingress, *views: IngressClass | IngressClassParams) -> str:
    answer = classify(ingress, a_cluster_of(*views), SETTINGS)
    assert isinstance(answer, Unclear)
    return "; ".join(map(str, answer.problems))


class TestGroup:
    def test_is_the_ingress_itself_unless_it_names_one(self) -> None:
        assert classify(an_ingress(), a_cluster_of(), SETTINGS) == Ours(group=own(), params=None, order=0)

    def test_is_the_one_it_names(self) -> None:
        ingress = an_ingress(annotations={"group.name": "sites", "group.order": "-7"})
        assert classify(ingress, a_cluster_of(), SETTINGS) == Ours(group=named(), params=None, order=-7)

    def test_is_the_one_of_its_class_whatever_it_names(self) -> None:
        params = class_params(group={"name": "sites"})
        cluster = a_cluster_of(a_class(params="params"), params)
        for said in ({}, {"group.name": "other"}, {"group.name": "Not A Name"}):
            answer = classify(an_ingress(annotations=said), cluster, SETTINGS)
            assert answer == Ours(group=named(), params=params, order=0)

    @pytest.mark.parametrize("name", ["a", "0", "a-b.c", "0-0", "a" * 63])
    def test_takes_any_name_that_a_label_takes(self, name: str) -> None:
        answer = classify(an_ingress(annotations={"group.name": name}), a_cluster_of(), SETTINGS)
        assert answer == Ours(group=named(name), params=None, order=0)

    @pytest.mark.parametrize("name", ["", "A", "-a", "a-", ".a", "a_b", "a/b", "a" * 64, "a\n"])
    def test_takes_no_other_name(self, name: str) -> None:
        said = (
            f"alb.ingress.kubernetes.io/group.name: {name!r}"
            if name
            else ("alb.ingress.kubernetes.io/group.name")
        )
        assert problem_of(an_ingress(annotations={"group.name": name})) == (
            f"{said}: must be 1 to 63 lower-case letters, digits, hyphens and dots, with a letter "
            "or digit at both ends"
        )

    def test_names_the_class_whose_parameters_have_a_bad_name(self) -> None:
        params = class_params(group={"name": "A"})
        assert problem_of(an_ingress(), a_class(params="params"), params).startswith(
            "IngressClassParams params spec.group.name: 'A': must be"
        )

    @pytest.mark.parametrize("order", ["1001", "-1001", "first", "", "1.5", " 1", "9" * 12])
    def test_takes_no_order_out_of_range(self, order: str) -> None:
        said = "alb.ingress.kubernetes.io/group.order" + (f": {order!r}" if order else "")
        assert problem_of(an_ingress(annotations={"group.order": order})) == (
            f"{said}: must be a whole number from -1000 to 1000"
        )

    def test_tells_everything_that_is_wrong(self) -> None:
        assert (
            problem_of(an_ingress(annotations={"group.name": "A", "group.order": "x"})).count("must be") == 2
        )

    def test_of_what_is_being_deleted_is_none_whatever_its_class(self) -> None:
        gone = an_ingress(deleting=True, ingressClassName="gone", annotations={"group.order": "x"})
        assert classify(gone, a_cluster_of(), SETTINGS) == NotOurs()


IN_SITES = {"group.name": "sites"}
CLASS_GONE = {"ingressClassName": "gone"}
CLASS_OF_OTHERS = {"ingressClassName": "nginx"}
NGINX = a_class("nginx", controller="k8s.io/ingress-nginx")
IN: Names = (["site"], [], [])
HELD: Names = ([], ["site"], [])
LEAVING: Names = ([], [], ["site"])
NEITHER: Names = ([], [], [])


class TestMembership:
    @pytest.mark.parametrize(
        ("ingress", "without", "with_finalizer"),
        [
            pytest.param({"annotations": IN_SITES}, IN, IN, id="asks for it"),
            pytest.param({"annotations": {"group.name": "other"}}, NEITHER, LEAVING, id="asks for another"),
            pytest.param({}, NEITHER, LEAVING, id="names none any more"),
            pytest.param({"annotations": IN_SITES, **CLASS_OF_OTHERS}, NEITHER, LEAVING, id="other class"),
            pytest.param(
                {"annotations": IN_SITES, "ingressClassName": None}, NEITHER, LEAVING, id="no class"
            ),
            pytest.param({"annotations": IN_SITES, "deleting": True}, NEITHER, LEAVING, id="deleted"),
            pytest.param({"annotations": IN_SITES, **CLASS_GONE}, NEITHER, HELD, id="class gone"),
            pytest.param({"annotations": {"group.name": "A"}}, NEITHER, HELD, id="bad name"),
            pytest.param({"annotations": {**IN_SITES, "group.order": "x"}}, NEITHER, HELD, id="bad order"),
        ],
    )
    def test_of_a_named_group(self, ingress: dict[str, Any], without: Names, with_finalizer: Names) -> None:
        assert names(group(named(), an_ingress(**ingress), a_class(), NGINX)) == without
        carrying = an_ingress(**ingress, finalizers=[SITES])
        assert names(group(named(), carrying, a_class(), NGINX)) == with_finalizer

    @pytest.mark.parametrize(
        ("ingress", "without", "with_finalizer"),
        [
            pytest.param({}, IN, IN, id="names none"),
            pytest.param({"annotations": IN_SITES}, NEITHER, LEAVING, id="names one now"),
            pytest.param({"deleting": True}, NEITHER, LEAVING, id="deleted"),
            pytest.param(CLASS_GONE, NEITHER, HELD, id="class gone"),
            pytest.param({"annotations": {"group.name": "A"}}, NEITHER, HELD, id="bad name"),
        ],
    )
    def test_of_the_group_of_an_ingress_itself(
        self, ingress: dict[str, Any], without: Names, with_finalizer: Names
    ) -> None:
        assert names(group(own(), an_ingress(**ingress))) == without
        assert names(group(own(), an_ingress(**ingress, finalizers=[OWN]))) == with_finalizer

    def test_of_two_groups_while_an_ingress_moves(self) -> None:
        moving = an_ingress(annotations=IN_SITES, finalizers=[OWN, SITES, OTHERS])
        assert names(group(named(), moving)) == IN
        assert names(group(own(), moving)) == LEAVING
        assert names(group(named("other"), moving)) == LEAVING

    def test_does_not_mix_up_groups_of_equal_names(self) -> None:
        assert names(group(own("sites"), an_ingress(annotations=IN_SITES, finalizers=[OWN]))) == NEITHER
        assert names(group(own("other"), an_ingress("site", finalizers=[OWN]))) == NEITHER

    def test_crosses_namespaces(self) -> None:
        views = [an_ingress(namespace=place, annotations=IN_SITES) for place in ("b", "a")]
        assert [member.name.namespace for member in group(named(), *views).members] == ["a", "b"]

    def test_concerns_the_ingress_alone_whose_class_nobody_can_tell(self) -> None:
        classless = an_ingress("old", ingressClassName=None, annotations=IN_SITES, finalizers=[SITES])
        fine = an_ingress("site", annotations=IN_SITES)
        two = (a_class(default=True), a_class("nginx", controller="other", default=True))
        assert names(group(named(), classless, fine, *two)) == (["site"], ["old"], [])

    def test_brings_the_parameters_of_each_members_class(self) -> None:
        params = class_params(scheme="internal")
        views = (a_class(), a_class("other", params="params"), params)
        plain = an_ingress("a", annotations=IN_SITES)
        held = an_ingress(
            "b", ingressClassName="other", annotations={**IN_SITES, "group.order": "x"}, finalizers=[SITES]
        )
        assert [member.params for member in group(named(), plain, held, *views).members] == [None, params]


class TestOrder:
    @pytest.mark.parametrize(
        "orders",
        [
            {"shop/a": "-5", "shop/b": "", "shop/c": "0", "shop/d": "10"},
            {"a/z": "1", "b/a": "1", "b/b": "1"},
            {"a-b/x": "", "a/x": ""},
        ],
        ids=["by number", "then by name", "as text"],
    )
    def test_is_by_number_and_then_by_name(self, orders: dict[str, str]) -> None:
        views = [
            an_ingress(
                key.split("/")[1],
                namespace=key.split("/")[0],
                annotations=IN_SITES | ({"group.order": order} if order else {}),
            )
            for key, order in orders.items()
        ]
        for listed in permutations(views):
            assert [str(member.name) for member in group(named(), *listed).members] == list(orders)

    def test_of_a_member_with_a_bad_one_is_the_nearest(self) -> None:
        orders = {"a": "-1001", "b": "1001", "c": "first", "d": "9", "e": "-9"}
        views = [
            an_ingress(name, annotations={**IN_SITES, "group.order": order}, finalizers=[SITES])
            for name, order in orders.items()
        ]
        assert [member.name.name for member in group(named(), *views).members] == ["a", "e", "c", "d", "b"]


class TestFinalizers:
    @pytest.mark.parametrize(("key", "finalizer"), [(own(), OWN), (named(), SITES)])
    def test_name_the_group_and_are_read_back(self, key: StackKey, finalizer: str) -> None:
        assert finalizer_of(key) == finalizer
        assert groups_of_finalizers(an_ingress(finalizers=[finalizer, "example.com/other"])) == {key}


class TestPossibleGroups:
    def test_are_those_that_the_object_names(self) -> None:
        ingress = an_ingress(annotations=IN_SITES, finalizers=[OTHERS])
        assert groups_it_may_join(ingress) == {own(), named("sites"), named("other")}
        assert groups_it_may_join(an_ingress(annotations={"group.name": "A"})) == {own()}

    def test_are_those_of_the_class(self) -> None:
        classes = {"alb": a_class(params="params"), "plain": a_class("plain"), "odd": a_class(params="gone")}
        cases: list[tuple[dict[str, Any], set[StackKey]]] = [
            ({"group": {"name": "sites"}}, {named()}),
            ({"group": {"name": "A"}}, set()),
            ({}, set()),
        ]
        for spec, expected in cases:
            params = {"params": class_params(**spec)}
            assert groups_of_class("alb", classes, params) == expected
            for other in ("plain", "odd", "gone"):
                assert groups_of_class(other, classes, params) == set()

    def test_come_of_the_class_an_ingress_names_or_of_every_default_one(self) -> None:
        classes = [a_class("a", default=True), a_class("b", default=True), a_class("c")]
        assert classes_of(an_ingress(ingressClassName="c"), classes) == {"c"}
        assert classes_of(an_ingress(ingressClassName=None), classes) == {"a", "b"}
