"""AWS that limits requests as it documents: fifty Services are served, and no request is one too many."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from lbcontroller.local.aws.rate_limits import DOCUMENTED
from lbcontroller.local.cluster import LocalCluster
from tests.support.services import a_deployment_of, a_service
from tests.support.skipped_time import SkippedTime
from tests.support.yard import Yard

SERVICES = 50
MOST_SECONDS = 20.0
"""How long the limits may keep fifty Services waiting (docs/benchmarks.md)."""


def test_fifty_services_stay_within_the_limits(cluster: LocalCluster, tmp_path: Path) -> None:
    cluster.kubernetes.write_kubeconfig(tmp_path / "kubeconfig")
    time = SkippedTime()
    with (
        cluster.aws.limited(DOCUMENTED, time),
        Yard(cluster, str(tmp_path / "kubeconfig"), waits=time.waits) as yard,
    ):
        with yard.kubernetes.one_step():
            yard.kubernetes.apply(a_deployment_of())
            for number in range(SERVICES):
                yard.kubernetes.apply(a_service(f"web-{number}"))
        yard.settle(within=120.0)

        assert all(yard.hostnames(f"web-{number}") for number in range(SERVICES))
        assert [call.error_code for call in cluster.aws.calls if "Throttl" in call.error_code] == []
        calls = Counter(f"{call.service}:{call.operation}" for call in cluster.aws.calls)
        assert seconds_within_limits(calls) <= MOST_SECONDS
        for number in range(SERVICES):
            yard.delete("service", f"web-{number}")
        yard.settle(within=120.0)
        assert [call.error_code for call in cluster.aws.calls if "Throttl" in call.error_code] == []
    yard.remove_all_objects()


def seconds_within_limits(calls: Counter[str]) -> float:
    """Return how long calls take at least where all of them are made as fast as AWS allows."""
    return max(
        (
            sum(
                times
                for name, times in calls.items()
                if re.fullmatch(f"{limit.service}:{limit.operations}", name)
            )
            - limit.burst
        )
        / limit.rate
        for limit in DOCUMENTED
    )
