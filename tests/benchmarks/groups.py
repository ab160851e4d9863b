"""What a group of Ingresses costs when one of them changes: AWS calls, and CPU of building and planning."""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from lbcontroller.local.aws.recorder import mutating
from lbcontroller.plan.planner import plan
from lbcontroller.settings import Settings
from tests.benchmarks.measured import Result
from tests.benchmarks.scenarios import CREATED_SECONDS, UNLIMITED, a_yard
from tests.support.existing_stacks import existing_of
from tests.support.ingress_cases import build_group, snapshot_of
from tests.support.ingress_objects import a_path
from tests.support.inventories import CLUSTER, an_inventory
from tests.support.planned_aws import PlannedAws
from tests.support.services import a_deployment_of
from tests.support.sites import a_class, a_service, a_site
from tests.support.yard import Yard

GROUP = "sites"
REPEATS = 20
"""How often a build with its plan is measured."""


def one_rule_more(*, ingresses: int = 50) -> Result:
    """Return the AWS calls for the last rule that a group lacks: one at its end, and one at its beginning."""
    sites = _sites(ingresses)
    with a_yard(UNLIMITED) as yard:
        with yard.kubernetes.one_step():
            for manifest in (a_class(), a_deployment_of(), a_service(), *sites):
                yard.kubernetes.apply(manifest)
        yard.settle(within=CREATED_SECONDS)
        results: dict[str, Any] = {"ingresses": ingresses, "rules": 2 * ingresses}
        for place, site, missing in (("at_the_end", sites[-1], 1), ("at_the_beginning", sites[0], 0)):
            yard.kubernetes.apply(_without_a_path(site, missing))
            yard.settle()
            yard.forget_calls()
            yard.kubernetes.apply(site)
            yard.settle()
            results[place] = _counted(yard)
        return results


def _counted(yard: Yard) -> Result:
    calls, writes = yard.calls(), len(mutating(yard.cluster.aws.calls))
    by_operation = dict(sorted(calls.items()))
    return {"calls": calls.total(), "reads": calls.total() - writes, "by_operation": by_operation}


def build_and_plan(*, ingresses: int = 50) -> Result:
    """Return the CPU of building a group in which the last Ingress got a rule, and of planning that."""
    sites, settings, inventory = _sites(ingresses), Settings.parse({"cluster-name": CLUSTER}), an_inventory()
    earlier = snapshot_of([a_service(), *sites[:-1], _without_a_path(sites[-1], 1)])
    before = build_group(earlier, inventory, settings).stack
    aws = PlannedAws()
    aws.converge(before)
    inventory = replace(inventory, existing=existing_of(before).main)
    observed, policy = aws.observed(), aws.policy()
    snapshot = snapshot_of([a_service(), *sites])
    building, planning = [], []
    for _ in range(REPEATS):
        begun = time.process_time()
        built = build_group(snapshot, inventory, settings)
        ready = time.process_time()
        made = plan(built.stack, observed, policy)
        planning.append(time.process_time() - ready)
        building.append(ready - begun)
    return {
        "ingresses": ingresses,
        "rules": 2 * ingresses,
        "steps": len(made.steps),
        "build_cpu_ms": _median_ms(building),
        "plan_cpu_ms": _median_ms(planning),
    }


def _sites(number: int) -> list[dict[str, Any]]:
    """Return the Ingresses of a group, each with a host and two paths, everything in the order of rules."""
    paths = [a_path(path="/api"), a_path(path="/")]
    return [
        a_site(
            name := f"site-{index:03}",
            group=GROUP,
            rules=[{"host": f"{name}.example.com", "http": {"paths": paths}}],
        )
        for index in range(number)
    ]


def _without_a_path(site: dict[str, Any], index: int) -> dict[str, Any]:
    changed = copy.deepcopy(site)
    del changed["spec"]["rules"][0]["http"]["paths"][index]
    return changed


def _median_ms(seconds: Sequence[float]) -> float:
    return round(1000 * statistics.median(seconds), 1)
