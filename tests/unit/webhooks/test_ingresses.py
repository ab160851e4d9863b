"""Ingresses: what is refused as by LBC, and what their authors are only warned of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from lbcontroller.cluster.ingress import Ingress
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.settings import Settings
from lbcontroller.webhooks.ingresses import check_ingress
from lbcontroller.webhooks.review import Admitted, Refused, Verdict
from tests.support.ingress_objects import a_class, a_cluster_of, a_namespace, a_path, an_ingress, class_params

CLASS = "kubernetes.io/ingress.class"
NO_CLASS_ANNOTATIONS = {"disable-ingress-class-annotation": "true"}
NO_GROUP_ANNOTATIONS = {"disable-ingress-group-name-annotation": "true"}
CONDITION = '[{"field": "http-request-method", "httpRequestMethodConfig": {"values": ["GET"]}}]'


def checked(
    ingress: Ingress,
    before: Ingress | None = None,
    cluster: Snapshot | None = None,
    flags: Mapping[str, str] | None = None,
) -> Verdict:
    settings = Settings.parse({"cluster-name": "demo", **(flags or {})})
    return check_ingress(ingress, before, cluster or a_cluster_of(), settings)


def refused(*asked: Any, **how: Any) -> tuple[str, str]:
    """Return what an Ingress is refused for, and with which words."""
    verdict = checked(*asked, **how)
    assert isinstance(verdict, Refused)
    return verdict.check, verdict.message


def warnings(*asked: Any, **how: Any) -> tuple[str, ...]:
    verdict = checked(*asked, **how)
    assert isinstance(verdict, Admitted)
    return verdict.warnings


def annotated(**annotations: str) -> Ingress:
    return an_ingress(annotations={key.replace("_", "-"): text for key, text in annotations.items()})


def by_annotation(name: str = "alb") -> Ingress:
    return an_ingress(annotations={CLASS: name}, ingressClassName=None)


def in_group(name: str) -> Ingress:
    return an_ingress(annotations={"group.name": name})


def conditions(text: str, *, service: str = "web") -> Ingress:
    return an_ingress(annotations={f"conditions.{service}": text})


def test_an_ingress_without_a_mistake_is_admitted_without_a_word() -> None:
    assert checked(annotated(scheme="internal")) == Admitted()


def test_every_problem_and_every_remark_is_a_warning() -> None:
    ingress = annotated(scheme="public", ip_address_type="v6", heathcheck_path="/")

    scheme, family, misspelt = warnings(ingress)

    assert scheme.startswith("Ingress shop/site: alb.ingress.kubernetes.io/scheme: 'public': must be ")
    assert family.startswith("Ingress shop/site: alb.ingress.kubernetes.io/ip-address-type: 'v6': must be ")
    assert misspelt.startswith("Ingress shop/site: alb.ingress.kubernetes.io/heathcheck-path ")
    assert "did you mean alb.ingress.kubernetes.io/healthcheck-path?" in misspelt


def test_group_and_order_that_cannot_be_are_told_once_each() -> None:
    ingress = an_ingress(annotations={"group.name": "Not A Name", "group.order": "first"})

    group, order = warnings(ingress)

    assert "alb.ingress.kubernetes.io/group.name: 'Not A Name': must be" in group
    assert "alb.ingress.kubernetes.io/group.order: 'first': must be" in order


@pytest.mark.parametrize(
    ("ingress", "cluster"),
    [
        (an_ingress(annotations={CLASS: "nginx", "scheme": "public"}), None),
        (
            an_ingress(annotations={"scheme": "public"}),
            a_cluster_of(a_class(controller="nginx.org/ingress-controller")),
        ),
        (an_ingress(annotations={"scheme": "public"}, ingressClassName=None), None),
    ],
    ids=["by annotation", "by class", "without class"],
)
def test_nothing_is_said_about_ingresses_of_others(ingress: Ingress, cluster: Snapshot | None) -> None:
    assert checked(ingress, cluster=cluster) == Admitted()


class TestTheClass:
    MISSING = an_ingress(ingressClassName="albb", annotations={"scheme": "public"})

    def test_must_exist(self) -> None:
        assert refused(self.MISSING) == (
            "checkIngressClass",
            (
                "Ingress shop/site: spec.ingressClassName: 'albb': there is no IngressClass of that name "
                "(did you mean 'alb'?)"
            ),
        )
        assert refused(self.MISSING, annotated(scheme="public"))[0] == "checkIngressClass"

    def test_may_be_gone_when_the_ingress_is_updated(self) -> None:
        labelled = an_ingress(ingressClassName="albb", annotations={"scheme": "internal"})

        (warning,) = warnings(labelled, self.MISSING)

        assert "there is no IngressClass of that name" in warning

    def test_may_be_gone_when_the_ingress_is_deleted(self) -> None:
        leaving = an_ingress(ingressClassName="albb", deleting=True)

        assert checked(leaving, an_ingress(ingressClassName="albb", finalizers=["f"])) == Admitted()

    def test_without_its_parameters_is_a_warning_as_with_lbc(self) -> None:
        cluster = a_cluster_of(a_class(params="gone"))

        (warning,) = warnings(an_ingress(), cluster=cluster)

        assert "there is no IngressClassParams of that name" in warning

    def test_that_leaves_the_namespace_out_is_a_warning_beside_the_others(self) -> None:
        params = class_params(namespaceSelector={"matchLabels": {"team": "web"}}, scheme="internal")
        cluster = a_cluster_of(a_class(params="params"), params, a_namespace())

        shut_out, scheme = warnings(annotated(scheme="public"), cluster=cluster)

        assert "does not select this namespace" in shut_out
        assert "'public'" in scheme

    def test_whose_parameters_are_wrong_is_a_warning(self) -> None:
        cluster = a_cluster_of(a_class(params="params"), class_params(sslRedirectPort="https"))

        (warning,) = warnings(an_ingress(), cluster=cluster)

        assert "IngressClassParams params spec.sslRedirectPort: 'https': must be" in warning


class TestTheClassAnnotation:
    def test_may_be_used_unless_switched_off(self) -> None:
        assert checked(by_annotation()) == Admitted()

    def test_is_refused_where_it_is_new(self) -> None:
        said = (
            "checkIngressClassAnnotationUsage",
            (
                "Ingress shop/site: kubernetes.io/ingress.class: 'alb': must not be used by any more "
                "Ingresses of this cluster (name an IngressClass in spec.ingressClassName)"
            ),
        )

        assert refused(by_annotation(), flags=NO_CLASS_ANNOTATIONS) == said
        assert refused(by_annotation(), an_ingress(), flags=NO_CLASS_ANNOTATIONS) == said
        assert refused(by_annotation(), by_annotation("nginx"), flags=NO_CLASS_ANNOTATIONS) == said

    def test_may_stay_where_it_was(self) -> None:
        changed = an_ingress(annotations={CLASS: "alb", "scheme": "internal"}, ingressClassName=None)

        assert checked(changed, by_annotation(), flags=NO_CLASS_ANNOTATIONS) == Admitted()

    def test_of_another_controller_is_none_of_our_business(self) -> None:
        assert checked(by_annotation("nginx"), flags=NO_CLASS_ANNOTATIONS) == Admitted()


class TestTheGroupAnnotation:
    def test_is_refused_where_it_is_new_or_another_one(self) -> None:
        said = (
            "checkGroupNameAnnotationUsage",
            (
                "Ingress shop/site: alb.ingress.kubernetes.io/group.name: 'sites': must not be used by any "
                "more Ingresses of this cluster (use a class whose IngressClassParams name the group)"
            ),
        )

        assert refused(in_group("sites"), flags=NO_GROUP_ANNOTATIONS) == said
        assert refused(in_group("sites"), an_ingress(), flags=NO_GROUP_ANNOTATIONS) == said
        assert refused(in_group("sites"), in_group("others"), flags=NO_GROUP_ANNOTATIONS) == said

    def test_may_stay_or_go_where_it_was(self) -> None:
        changed = an_ingress(annotations={"group.name": "sites", "scheme": "internal"})

        assert checked(changed, in_group("sites"), flags=NO_GROUP_ANNOTATIONS) == Admitted()
        assert checked(an_ingress(), in_group("sites"), flags=NO_GROUP_ANNOTATIONS) == Admitted()


class TestConditions:
    @pytest.mark.parametrize(
        "text",
        [
            "GET",
            '{"field": "http-request-method"}',
            "[1]",
            '[{"field": "http-request-method"}]',
            '[{"field": "http-request-method", "httpRequestMethodConfig": {"values": []}}]',
            '[{"field": "host-header", "pathPatternConfig": {"values": ["/a"]}}]',
        ],
    )
    def test_that_say_nothing_are_refused(self, text: str) -> None:
        check, message = refused(conditions(text))

        assert check == "checkIngressAnnotationConditions"
        assert message.startswith("Ingress shop/site: alb.ingress.kubernetes.io/conditions.web: ")

    @pytest.mark.parametrize(
        "text",
        [
            '[{"field": "cookie", "cookieConfig": {"values": ["a"]}}]',
            '[{"field": "http-request-method", "HTTPREQUESTMETHODCONFIG": {"Values": ["get"]}}]',
            '[{"field": "source-ip", "sourceIPConfig": {"values": ["10.0.0.1"]}}]',
        ],
    )
    def test_that_lbc_takes_are_a_warning(self, text: str) -> None:
        found = warnings(conditions(text))

        assert {warning.partition(": '")[0] for warning in found} == {
            "Ingress shop/site: alb.ingress.kubernetes.io/conditions.web"
        }

    def test_that_no_path_names_are_a_warning(self) -> None:
        (warning,) = warnings(conditions("GET", service="other"))

        assert "alb.ingress.kubernetes.io/conditions.other: 'GET': must be valid JSON" in warning

    def test_that_were_wrong_before_are_a_warning(self) -> None:
        wrong = an_ingress(annotations={"conditions.web": "GET", "scheme": "internal"})

        assert len(warnings(wrong, conditions("GET"))) == 1
        assert refused(wrong, conditions(CONDITION))[0] == "checkIngressAnnotationConditions"

    def test_count_from_when_a_path_names_them(self) -> None:
        before = an_ingress(annotations={"conditions.web": "GET"}, paths=[a_path("other")])

        assert refused(conditions("GET"), before)[0] == "checkIngressAnnotationConditions"


def test_all_reasons_to_refuse_are_told_at_once() -> None:
    ingress = an_ingress(
        annotations={CLASS: "alb", "group.name": "sites", "conditions.web": "GET"}, ingressClassName=None
    )

    _, message = refused(ingress, flags={**NO_CLASS_ANNOTATIONS, **NO_GROUP_ANNOTATIONS})

    assert [key in message for key in (CLASS, "group.name", "conditions.web")] == [True] * 3


def test_what_we_write_ourselves_is_not_looked_at() -> None:
    before = annotated(scheme="public")
    written = an_ingress(
        annotations={"scheme": "public", "ingress.k8s.aws/problems": "some"}, finalizers=["ours"]
    )

    assert checked(written, before) == Admitted()
