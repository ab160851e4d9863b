"""`lbcontroller orphans` on a cluster in which a Service went away without its load balancer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from click.testing import CliRunner, Result

from lbcontroller.cli.orphan_finder import OrphanFinder, connect
from lbcontroller.cli.orphans import ExitCode, command
from lbcontroller.settings import Settings
from tests.integration.test_service_life import WEB
from tests.support.yard import Yard

OTHER = WEB.rpartition("---")[2].replace("name: web\n", "name: other\n")


@pytest.fixture
def abandoned(yard: Yard) -> Iterator[Yard]:
    """Two Services, of which one is gone as if its finalizer had been removed by hand."""
    yard.apply(WEB)
    yard.apply(OTHER)
    yard.settle()
    yard.stop_controller()
    binding = next(name for name in yard.names("targetgroupbindings") if "-web-" in name)
    for kind, name in (("service", "web"), ("targetgroupbinding", binding)):
        yard.patch(kind, name, {"metadata": {"finalizers": None}})
        yard.delete(kind, name)
    yield yard
    yard.start_controller()


def orphans(yard: Yard, *arguments: str, answer: str = "") -> Result:
    def connected(settings: Settings) -> OrphanFinder:
        found = connect(settings, yard.cluster.aws.environment())
        return OrphanFinder(
            client=found.client, aws=found.aws, settings=settings, sleep=lambda _seconds: None
        )

    with TemporaryDirectory() as directory:
        kubeconfig = Path(directory) / "kubeconfig"
        yard.cluster.kubernetes.write_kubeconfig(kubeconfig)
        given = {**yard.cluster.flags(), "kubeconfig": str(kubeconfig)}
        flags = [f"--{name}={value}" for name, value in given.items()]
        environment = yard.cluster.aws.environment()
        return CliRunner(env=environment).invoke(command(connected), [*flags, *arguments], input=answer)


def listed(result: Result) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(result.stdout)
    return rows


def test_what_belongs_to_no_object_is_listed_with_its_age_and_cost(abandoned: Yard) -> None:
    result = orphans(abandoned, "--output=json")

    rows = listed(result)
    assert result.exit_code == ExitCode.FINE
    assert {row["stack"] for row in rows} == {"service.k8s.aws default/web"}
    assert sorted(row["kind"] for row in rows) == ["Listener", "LoadBalancer", "SecurityGroup", "TargetGroup"]
    (balancer,) = [row for row in rows if row["kind"] == "LoadBalancer"]
    assert (balancer["ageDays"], balancer["monthlyDollars"]) == (0, 16.43)
    assert "us-east-1" in balancer["priceSource"]
    assert "$16.43 a month" in orphans(abandoned).stdout


def test_only_orphans_are_deleted_and_only_when_confirmed(abandoned: Yard) -> None:
    before = abandoned.state()
    assert orphans(abandoned, "--delete", answer="n\n").exit_code == ExitCode.LEFT
    assert abandoned.state() == before

    result = orphans(abandoned, "--delete", "--yes")

    assert result.exit_code == ExitCode.FINE, result.output
    assert "service.k8s.aws default/web: deleted" in result.stderr
    assert [name for name in abandoned.state()["load_balancers"] if "web" in name] == []
    assert len(abandoned.state()["load_balancers"]) == 1
    assert listed(orphans(abandoned, "--output=json")) == []


def test_what_is_in_use_or_protected_stays(abandoned: Yard) -> None:
    elbv2 = abandoned.cluster.aws.client("elbv2")
    (balancer,) = [
        found
        for found in elbv2.describe_load_balancers()["LoadBalancers"]
        if "-web-" in found["LoadBalancerName"]
    ]
    attribute = {"Key": "deletion_protection.enabled", "Value": "true"}
    elbv2.modify_load_balancer_attributes(LoadBalancerArn=balancer["LoadBalancerArn"], Attributes=[attribute])

    result = orphans(abandoned, "--delete", "--yes")

    assert result.exit_code == ExitCode.LEFT
    assert "protection" in result.stderr
    elbv2.modify_load_balancer_attributes(
        LoadBalancerArn=balancer["LoadBalancerArn"], Attributes=[{**attribute, "Value": "false"}]
    )


def test_the_controller_counts_them(abandoned: Yard) -> None:
    abandoned.start_controller()
    assert abandoned.controller is not None

    abandoned.sweep()

    registry = abandoned.controller.parts.metrics.registry
    assert registry.get_sample_value("lbcontroller_orphans", {"kind": "LoadBalancer"}) == 1
    assert registry.get_sample_value("lbcontroller_orphans", {"kind": "SecurityGroup"}) == 1


def test_a_cluster_that_cannot_be_read_has_no_orphans(abandoned: Yard) -> None:
    given = {**abandoned.cluster.flags(), "kubeconfig": "/nowhere"}
    flags = [f"--{name}={value}" for name, value in given.items()]

    result = CliRunner().invoke(command(), [*flags, "--delete", "--yes"])

    assert result.exit_code == ExitCode.FAILED
    assert "/nowhere" in result.stderr
