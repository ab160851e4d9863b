"""How long changes by hand last at real pace, with default flags: `python -m tests.benchmarks.repair`.

`scale.seconds_to_repair` computes that from counted reads; here it is lived through, in half an hour.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable
from typing import Any

from tests.benchmarks.measured import Result, controller_process
from tests.benchmarks.scenarios import served
from tests.support.yard import Yard

SERVICES = 1000
CHANGED = 10
"""Target groups that are changed at a time, spread evenly over all."""
TIMES = 2
"""The first time in the round after a start, in which nothing was read yet."""
WITHIN_SECONDS = 600.0
DEFAULT = {"drift-sweep-interval": "30s"}
"""The default, which the process is otherwise run without."""


def main() -> int:
    """Print the results; return 1 when a change lasted too long."""
    result = repairs()
    json.dump(result, sys.stdout, indent=2)
    sys.stdout.write("\n")
    return int(any(one["seconds"] > WITHIN_SECONDS for one in result["changes"]))


def repairs(*, services: int = SERVICES, changed: int = CHANGED) -> Result:
    """Return for each time after how many seconds the last change was repaired, and the reads until then."""
    with served(services=services, pods=2) as yard:
        yard.stop_controller()
        with controller_process(yard.cluster, DEFAULT):
            return {
                "services": services,
                "changes": [_lived(yard, changed, first=number) for number in range(TIMES)],
            }


def _lived(yard: Yard, changed: int, *, first: int) -> Result:
    groups = _target_groups(yard)
    told = len(_told(yard))
    yard.forget_calls()
    begin = time.monotonic()
    _change(yard, groups[first :: len(groups) // changed][:changed])
    ended: list[float] = []
    while len(ended) < changed:
        assert time.monotonic() < begin + 2 * WITHIN_SECONDS, f"{len(ended)} of {changed} were repaired"
        time.sleep(1.0)  # at the pace of the sweep, which is what is measured
        ended += [time.monotonic() - begin] * (len(_told(yard)) - told - len(ended))
    reads = sum(count for name, count in yard.calls().items() if ":Describe" in name or ":Get" in name)
    return {
        "seconds": round(ended[-1], 1),
        "each": [round(seconds) for seconds in ended],
        "reads_per_second": round(reads / ended[-1], 2),
        "writes": dict(yard.writes()),
    }


def _target_groups(yard: Yard) -> list[str]:
    pages = yard.cluster.aws.client("elbv2").get_paginator("describe_target_groups").paginate()
    return [group["TargetGroupArn"] for page in pages for group in page["TargetGroups"]]


def _change(yard: Yard, groups: Iterable[str]) -> None:
    """Take a target out of every second target group, and change an attribute of the others."""
    elbv2: Any = yard.cluster.aws.client("elbv2")
    for place, group in enumerate(groups):
        if place % 2:
            [target, *_] = elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
            elbv2.deregister_targets(TargetGroupArn=group, Targets=[target["Target"]])
        else:
            attribute = {"Key": "proxy_protocol_v2.enabled", "Value": "true"}
            elbv2.modify_target_group_attributes(TargetGroupArn=group, Attributes=[attribute])


def _told(yard: Yard) -> set[tuple[str, str]]:
    """Return the objects that were told of a repair."""
    return {
        (event["involvedObject"]["kind"], event["involvedObject"]["name"])
        for event in yard.kubernetes.list("events")
        if event["reason"] == "DriftRepaired"
    }


if __name__ == "__main__":
    sys.exit(main())
