"""An Ingress says itself whether another load balancer may take the place of its own."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from lbcontroller.build.result import BuildResult
from lbcontroller.plan.planner import plan
from lbcontroller.plan.steps import Create, Plan
from lbcontroller.settings import Settings
from tests.support.ingress_cases import build_group, snapshot_of
from tests.support.ingress_objects import INGRESS_PREFIX, an_ingress_object
from tests.support.inventories import CLUSTER, an_inventory
from tests.support.nlb_stacks import a_policy
from tests.support.planned_aws import PlannedAws

ALLOWED = "allow-load-balancer-replacement"
WEB = {"metadata": {"name": "web"}, "spec": {"ports": [{"port": 80, "targetPort": 8080}]}}


def built(**sites: Mapping[str, str]) -> BuildResult:
    """Return what a group of Ingresses wants, each with these annotations beside those of all."""
    ingresses = (
        an_ingress_object(name, annotations={"group.name": "sites", "target-type": "ip", **asked})
        for name, asked in sites.items()
    )
    return build_group(snapshot_of([*ingresses, WEB]), an_inventory(), Settings(cluster_name=CLUSTER))


def renamed(asked: Mapping[str, str]) -> Plan:
    """Return the plan for another name of the load balancer."""
    aws = PlannedAws()
    aws.converge(built(a={}).stack)
    wanted = built(a={"load-balancer-name": "sites", **asked})
    policy = a_policy().for_object(allowed=wanted.may_be_replaced, setting=wanted.may_be_replaced_field)
    return plan(wanted.stack, aws.observed(), policy)


def makes_load_balancer(made: Plan) -> bool:
    return any(isinstance(step, Create) and step.subject.name == "LoadBalancer" for step in made.steps)


def test_it_is_replaced_where_the_ingress_allows_it() -> None:
    assert makes_load_balancer(renamed({ALLOWED: "true"}))


@pytest.mark.parametrize("asked", [{}, {ALLOWED: "false"}], ids=["nothing said", "forbidden"])
def test_it_stays_otherwise_and_the_way_out_is_named(asked: Mapping[str, str]) -> None:
    made = renamed(asked)

    assert not makes_load_balancer(made)
    assert any(f"{INGRESS_PREFIX}{ALLOWED}: true" in finding.message for finding in made.findings)


def test_the_first_member_that_says_it_has_the_word() -> None:
    result = built(a={}, b={ALLOWED: "false"}, c={ALLOWED: "true"})

    assert result.may_be_replaced is False
    assert [name.name for name in result.member_problems] == ["c"]
