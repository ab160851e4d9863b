from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from lbcontroller.local.aws.iam_policy import Check
from lbcontroller.local.cluster import LocalCluster
from tests.support.cluster_fixtures import CLUSTER_NAME, yard
from tests.support.clusters import a_cluster
from tests.support.courses import Course

__all__ = ["cluster", "course", "whole_course", "yard"]
CLASS = "class of faults"


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """A cluster that bears deletions of what is gone.

    One whose answer was lost is tried again. AWS, too, denies it then: what is gone has no tag.
    """
    with a_cluster(CLUSTER_NAME, tolerated=_deletes_what_is_gone, connections_to_aws=True) as running:
        yield running


def _deletes_what_is_gone(denied: Check) -> bool:
    return denied.action.startswith("elasticloadbalancing:Delete") and not denied.exists


@pytest.fixture(scope="module")
def whole_course(cluster: LocalCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Course]:
    """One cluster and one controller for all lives of a module."""
    one = Course(cluster, tmp_path_factory.mktemp("course"))
    one.begin()
    yield one
    one.end()


@pytest.fixture
def course(whole_course: Course) -> Course:
    """The same, as new."""
    whole_course.refresh()
    return whole_course


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is marked as nightly, unless it is asked for."""
    if config.getoption("--nightly"):
        return
    left_out = [item for item in items if item.get_closest_marker("nightly")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many runs there were of each class of faults; a test names its class as a property."""
    runs = Counter(
        str(value)
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, ())
        if report.when == "call"
        for name, value in report.user_properties
        if name == CLASS
    )
    if runs:
        terminalreporter.section("fault runs")
        for name, count in sorted(runs.items()):
            terminalreporter.write_line(f"{count:5} {name}")
        terminalreporter.write_line(f"{runs.total():5} altogether")
