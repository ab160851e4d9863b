"""Two replicas as processes: one leads at a time, and whoever takes over knows what the other did."""

from __future__ import annotations

import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from lbcontroller.local.aws.recorder import mutating
from lbcontroller.local.cluster import LocalCluster
from tests.integration.test_service_life import WEB
from tests.support.process import process, wait_for_event
from tests.support.yard import Yard

AT_ONCE = 8.0
"""Seconds; less than the 15 for which a lease that nobody gave back is left alone."""
EXPIRED = 30.0
"""Seconds; a lease of 15 that was renewed a moment ago, an attempt every two, and a busy machine."""

Start = Callable[[str], subprocess.Popen[str]]


@pytest.fixture
def start(cluster: LocalCluster, tmp_path: Path) -> Iterator[Start]:
    """Starts replicas; each calls AWS with an access key of its own."""
    with ExitStack() as replicas:

        def start_replica(access_key: str) -> subprocess.Popen[str]:
            return replicas.enter_context(
                process(
                    cluster,
                    tmp_path / access_key,
                    "--leader-election-namespace=kube-system",
                    variables={"AWS_ACCESS_KEY_ID": access_key},
                )
            )

        yield start_replica


@pytest.fixture
def user(cluster: LocalCluster, tmp_path: Path) -> Iterator[Yard]:
    user = Yard(cluster, str(tmp_path / "user"))
    yield user
    user.remove_all_objects()


def holder(user: Yard) -> str:
    lease = user.kubernetes.find("leases", "aws-load-balancer-controller-leader", namespace="kube-system")
    return "" if lease is None else str(lease["spec"]["holderIdentity"])


def wait_for_a_holder_beside(user: Yard, before: str, timeout: float) -> None:
    user.kubernetes.wait_for(lambda: holder(user) not in ("", before), timeout=timeout)


def writes_of(user: Yard, access_key: str) -> list[str]:
    return [
        call.operation for call in mutating(user.cluster.aws.calls) if call.request.access_key == access_key
    ]


def is_served(user: Yard) -> bool:
    """Whether the load balancer is published, has every pod as a target, and may reach them."""
    state = user.state()
    return (
        bool(user.hostnames("web"))
        and user.registered_ips() == user.pod_ips("web")
        and bool(state["security_groups"]["nodes"]["ingress"])
        and all(balancer["listeners"] for balancer in state["load_balancers"].values())
    )


def test_a_standby_takes_over_at_once_from_a_leader_that_ends(start: Start, user: Yard) -> None:
    first = start("FIRST")
    wait_for_event(first, "workers_started")
    second = start("SECOND")
    wait_for_event(second, "standing_by")
    user.apply(WEB)
    user.kubernetes.wait_for(lambda: bool(user.hostnames("web")), timeout=30)
    leader = holder(user)

    first.send_signal(signal.SIGTERM)
    wait_for_a_holder_beside(user, leader, AT_ONCE)
    assert first.wait(30) == 0
    wait_for_event(second, "workers_started")
    user.delete("service", "web")
    user.kubernetes.wait_for(lambda: user.find("service", "web") is None, timeout=30)

    # What the first one made while the second stood by is known to it: nothing is made twice or left over.
    assert [name for name in writes_of(user, "SECOND") if name.startswith("Create")] == []
    assert user.state()["load_balancers"] == {}


def test_a_standby_takes_over_from_a_leader_that_is_killed(start: Start, user: Yard) -> None:
    first = start("FIRST")
    wait_for_event(first, "workers_started")
    second = start("SECOND")
    wait_for_event(second, "standing_by")
    pristine, leader = user.state(), holder(user)
    user.forget_calls()
    user.apply(WEB)
    user.kubernetes.wait_for(lambda: "CreateTargetGroup" in writes_of(user, "FIRST"), timeout=30)

    first.kill()
    wait_for_a_holder_beside(user, leader, EXPIRED)
    user.kubernetes.wait_for(lambda: is_served(user), timeout=30)
    made = Counter(name for who in ("FIRST", "SECOND") for name in writes_of(user, who))
    user.delete("service", "web")
    user.kubernetes.wait_for(lambda: user.find("service", "web") is None, timeout=30)
    user.kubernetes.wait_for(lambda: user.state() == pristine, timeout=30)

    # Nothing was missing, so nothing was made twice either: the two of them made one of each together.
    assert {name: count for name, count in made.items() if name.startswith("Create")} == {
        "CreateSecurityGroup": 2,
        "CreateTargetGroup": 1,
        "CreateLoadBalancer": 1,
        "CreateListener": 1,
    }
    assert user.names("targetgroupbindings") == []


def test_a_leader_that_slept_through_its_loss_writes_nothing_any_more(start: Start, user: Yard) -> None:
    first = start("FIRST")
    wait_for_event(first, "workers_started")
    second = start("SECOND")
    wait_for_event(second, "standing_by")
    leader = holder(user)
    user.apply(WEB)
    user.kubernetes.wait_for(lambda: "CreateLoadBalancer" in writes_of(user, "FIRST"), timeout=30)

    first.send_signal(signal.SIGSTOP)
    wait_for_a_holder_beside(user, leader, EXPIRED)
    user.kubernetes.wait_for(lambda: bool(user.hostnames("web")), timeout=30)
    user.delete("service", "web")
    user.kubernetes.wait_for(lambda: user.find("service", "web") is None, timeout=30)
    user.forget_calls()
    first.send_signal(signal.SIGCONT)

    assert first.wait(60) == 1
    assert first.stderr is not None
    assert "leadership_lost" in first.stderr.read()
    assert writes_of(user, "FIRST") == []
    assert user.names("targetgroupbindings") == []
    assert user.state()["load_balancers"] == {}
