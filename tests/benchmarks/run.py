"""Runs every benchmark and prints one JSON object: `python -m tests.benchmarks.run`."""

from __future__ import annotations

import json
import sys
from typing import Any

from tests.benchmarks import admission, groups, scale, scenarios

SERVICES = (100, 1000)
SCALE = (50, 500)
"""Services between which calls may only grow in proportion."""
GROWTH = 1.1
"""How many times as many calls for each Service may be made at the larger scale."""
PODS = 10
"""Targets of each Service."""
BUDGETS = {"replaced_pod": 2, "rollout": 24}
"""Most AWS calls, each of them a promise of docs/guide/targets.md."""


def main() -> int:
    """Print the results; return 1 when one of them is over its budget."""
    results: dict[str, Any] = {
        "replaced_pod": scenarios.replaced_pod(),
        "rollout": scenarios.rollout(),
        "endpoint_events": scenarios.endpoint_events(),
        "one_rule_more": groups.one_rule_more(),
        "group": groups.build_and_plan(),
        "admission": admission.answers(),
        "start_up": [],
        "sweep_round": [],
    }
    with scenarios.served(services=0, pods=PODS) as yard:
        results["memory"] = [scenarios.memory(yard)]
    for services in SERVICES:
        with scenarios.served(services=services, pods=PODS) as yard:
            results["start_up"].append(scenarios.start_up(yard))
            results["sweep_round"].append(scale.sweep_round(yard, services))
            results["memory"].append(scenarios.memory(yard))
    small, large = results["scale"] = [scale.at_scale(services=count, pods=PODS) for count in SCALE]
    json.dump(results, sys.stdout, indent=2)
    sys.stdout.write("\n")
    grown = {step: scale.growth(small, large, step) for step in ("create", "no_op", "restart")}
    over = [name for name, budget in BUDGETS.items() if results[name]["calls"] > budget]
    for name in over:
        sys.stderr.write(f"{name}: more than {BUDGETS[name]} calls\n")
    for step, times in grown.items():
        if times > GROWTH:
            sys.stderr.write(f"{step}: {times:.2f} times as many calls for each Service\n")
    return 1 if over or max(grown.values()) > GROWTH else 0


if __name__ == "__main__":
    sys.exit(main())
