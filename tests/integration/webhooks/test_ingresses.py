"""Ingresses and the parameters of their classes on their way through the webhooks of a running controller."""

from __future__ import annotations

from typing import Any

import pytest

from lbcontroller.local.apiserver import ApiError
from tests.support.services import a_deployment_of
from tests.support.sites import a_class, a_service, a_site, class_params, published
from tests.support.yard import Yard

NO_GROUP_ANNOTATIONS = {"disable-ingress-group-name-annotation": "true"}


def apply(yard: Yard, *objects: dict[str, Any]) -> None:
    """Apply objects beside a Service with pods, each right after the other as kubectl does, and wait."""
    for obj in (a_deployment_of(), a_service(), *objects):
        yard.kubernetes.apply(obj)
    yard.settle()


@pytest.mark.parametrize("admitting", [NO_GROUP_ANNOTATIONS], indirect=True)
def test_what_lbc_refuses_is_refused_and_nothing_else(admitting: Yard) -> None:
    apply(admitting, a_class(), a_site(annotated={"target-type": "pods"}))

    with pytest.raises(ApiError) as in_group:
        admitting.patch("ingress", "site", {"metadata": {"annotations": _group("sites")}})
    with pytest.raises(ApiError) as loose:
        admitting.kubernetes.create(class_params(inboundCIDRs=["10.0.0.1/8"]))

    assert in_group.value.code == loose.value.code == 403
    assert in_group.value.message.startswith(
        'admission webhook "vingress.elbv2.k8s.aws" denied the request: Ingress default/site: '
        "alb.ingress.kubernetes.io/group.name: 'sites': must not be used by any more Ingresses"
    )
    assert loose.value.message.endswith("must not have bits behind its prefix (write 10.0.0.0/8)")


def test_an_ingress_whose_class_is_gone_can_be_changed_and_deleted(admitting: Yard) -> None:
    apply(admitting, a_class("short-lived"), a_site(ingressClassName="short-lived"))
    assert published(admitting)
    admitting.delete("ingressclass", "short-lived")
    admitting.settle()

    admitting.patch("ingress", "site", {"metadata": {"labels": {"touched": "yes"}}})
    admitting.delete("ingress", "site")
    admitting.settle()

    assert admitting.names("ingresses") == []


def _group(name: str) -> dict[str, str]:
    return {"alb.ingress.kubernetes.io/group.name": name}
