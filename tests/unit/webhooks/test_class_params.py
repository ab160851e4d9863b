"""IngressClassParams: what is refused as by LBC, and what their authors are only warned of."""

from __future__ import annotations

from typing import Any

import pytest

from lbcontroller.cluster.ingress_class import IngressClassParams
from lbcontroller.webhooks.class_params import check_class_params
from lbcontroller.webhooks.review import Admitted, Refused
from tests.support.ingress_objects import class_params


def refused(params: IngressClassParams, before: IngressClassParams | None = None) -> tuple[str, str]:
    verdict = check_class_params(params, before)
    assert isinstance(verdict, Refused)
    return verdict.check, verdict.message.removeprefix("IngressClassParams params: ")


def warnings(params: IngressClassParams, before: IngressClassParams | None = None) -> tuple[str, ...]:
    verdict = check_class_params(params, before)
    assert isinstance(verdict, Admitted)
    return verdict.warnings


def test_parameters_without_a_mistake_are_admitted() -> None:
    good = class_params(inboundCIDRs=["10.0.0.0/8", "2001:db8::/32"], subnets={"tags": {"tier": ["a", "b"]}})

    assert check_class_params(good, None) == Admitted()


@pytest.mark.parametrize(
    ("spec", "check", "message"),
    [
        (
            {"inboundCIDRs": ["10.0.0.0/8", "10.1.2.3"]},
            "checkInboundCIDRs",
            (
                "spec.inboundCIDRs[1]: '10.1.2.3': must be a CIDR such as 10.0.0.0/8 or 2001:db8::/32 "
                "(write 10.1.2.3/32 for this address alone)"
            ),
        ),
        (
            {"inboundCIDRs": ["10.1.2.3/8"]},
            "checkInboundCIDRs",
            "spec.inboundCIDRs[0]: '10.1.2.3/8': must not have bits behind its prefix (write 10.0.0.0/8)",
        ),
        ({"inboundCIDRs": [""]}, "checkInboundCIDRs", "spec.inboundCIDRs[0]: must not be empty"),
        ({"subnets": {}}, "checkSubnetSelectors", "spec.subnets: '{}': must have either ids or tags"),
        (
            {"subnets": {"ids": ["subnet-0a", "subnet-0a"]}},
            "checkSubnetSelectors",
            "must have each id once, and has 'subnet-0a' several times",
        ),
        (
            {"subnets": {"tags": {"tier": ["a", "a"]}}},
            "checkSubnetSelectors",
            "must have each value of tag tier once, and has 'a' several times",
        ),
    ],
)
def test_what_lbc_refuses_is_refused(spec: dict[str, Any], check: str, message: str) -> None:
    found, said = refused(class_params(**spec))

    assert found == check
    assert message in said


def test_every_problem_is_told_at_once() -> None:
    _, said = refused(class_params(inboundCIDRs=["any", "10.0.0.1/8"], subnets={}))

    assert [part in said for part in ("inboundCIDRs[0]", "inboundCIDRs[1]", "spec.subnets")] == [True] * 3


def test_what_lbc_stores_is_stored_with_a_warning() -> None:
    (warning,) = warnings(class_params(sslRedirectPort="https"))

    assert warning.startswith("IngressClassParams params: spec.sslRedirectPort: 'https': must be ")


def test_an_update_is_refused_only_for_what_it_makes_wrong() -> None:
    before = class_params(inboundCIDRs=["any"])

    assert len(warnings(class_params(inboundCIDRs=["any"], scheme="internal"), before)) == 1
    assert refused(class_params(inboundCIDRs=["all"]), before)[0] == "checkInboundCIDRs"


def test_an_update_that_leaves_the_spec_alone_is_admitted() -> None:
    before = class_params(inboundCIDRs=["any"])

    assert check_class_params(before, before) == Admitted()
