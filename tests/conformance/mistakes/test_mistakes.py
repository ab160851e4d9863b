"""One of three teams makes a mistake: the two others go on, it keeps what it had, is told, and mends it.

The teams are in teams.yaml and the mistakes in mistakes.yaml. All three ask for a new path with every change,
so that it shows who goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lbcontroller.local.apiserver import ApiServerSettings, WorkloadSettings
from tests.support.clusters import a_cluster
from tests.support.sites import problems, warnings
from tests.support.state_differences import differences
from tests.support.teams import Teams
from tests.support.yard import Yard

HERE = Path(__file__).parent
MISTAKES: list[dict[str, Any]] = yaml.safe_load((HERE / "mistakes.yaml").read_text("utf-8"))
BOTH_FAMILIES = ApiServerSettings(
    service_cidrs=("10.96.0.0/16", "fd00:10:96::/112"), workloads=WorkloadSettings()
)
ASKED_OF_ONE_CONTROLLER = 12
FLAGS = {"external-managed-tags": "owner"}
ELSEWHERE = {
    2: "an Ingress that never was a member is in nobody's way: tests/integration/test_group_members.py",
    4: "needs two default classes: tests/integration/test_group_members.py",
    6: "the API server refuses a finalizer: tests/integration/test_group_refusals.py",
    7: "deletion protection is told on the group that is going: tests/integration/test_group_protection.py",
    14: "certificates are not requested: tests/cases/ingresses/requested-certificates-are-not-built-yet",
    15: "as above: no issuance is waited for",
    37: "needs a feature gate: tests/cases/ingresses/several-target-groups-are-refused-without-their-gate",
    38: "AWS refuses it: tests/integration/test_group_refusals.py",
    39: "not ours without the tag, so that it is left alone: tests/unit/model/test_identity_and_stacks.py",
    40: "nothing waits inside of a reconcile: what is in use is deleted by a later plan",
    41: "the API server refuses a status: tests/integration/test_group_refusals.py",
    42: "the shared group is let go of by itself: tests/unit/controller/test_shared_state.py",
    43: "is no mistake: steps that wait are postponed",
    44: "is refused when it is written: tests/integration/webhooks",
    45: "as above, and by the schema of IngressClassParams",
    46: "ends the process at its start: tests/unit/test_settings.py",
}
"""Why a row of the specification has no line in mistakes.yaml."""
ROWS = 46


@pytest.fixture(scope="module")
def teams(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Teams]:
    """One cluster of both address families for all mistakes: each test ends with the mistake mended."""
    kubeconfig = tmp_path_factory.mktemp("teams") / "kubeconfig"
    with a_cluster("yard", api_server=BOTH_FAMILIES) as cluster:
        cluster.kubernetes.write_kubeconfig(kubeconfig)
        manifests = list(yaml.safe_load_all(cluster.world.fill((HERE / "teams.yaml").read_text("utf-8"))))
        with Yard(cluster, str(kubeconfig), FLAGS) as yard:
            yield Teams(yard=yard, manifests=manifests)


@pytest.fixture(autouse=True)
def _events_to_spare(teams: Teams) -> None:
    """Start the controller anew now and then: it gives an object 25 events at once, and few after that."""
    if teams.asked - teams.asked_before_start > ASKED_OF_ONE_CONTROLLER:
        teams.yard.start_controller()
        teams.asked_before_start = teams.asked


def test_every_class_of_mistakes_is_made_or_said_to_be_elsewhere() -> None:
    made = {mistake["row"] for mistake in MISTAKES}
    assert made.isdisjoint(ELSEWHERE)
    assert made | ELSEWHERE.keys() == set(range(1, ROWS + 1))


@pytest.mark.parametrize(
    "mistake", MISTAKES, ids=[f"{mistake['row']:02}-{mistake['id']}" for mistake in MISTAKES]
)
def test_a_mistake_of_one_team_is_its_own_until_it_is_mended(teams: Teams, mistake: dict[str, Any]) -> None:
    yard, of_first = teams.yard, {"annotations": mistake.get("of_first", {})}
    if mistake.get("of_first") or not teams.at_peace:
        teams.ask({"a": of_first})
    teams.at_peace = False
    assert {team: problems(yard, team) for team in "abc"} == dict.fromkeys("abc")
    had = teams.look()
    heard = {team: warnings(yard, team) for team in "abc"}

    wrong = {"annotations": mistake.get("asks", {}), "spec": mistake.get("spec", {})}
    teams.ask({"a": of_first, "b": wrong})

    news = [teams.news, "/*"]
    has = teams.look()
    assert has.paths("a") == {"80/HTTP": news, "443/HTTPS": news}
    assert has.paths("c") == {"80/HTTP": news}
    assert differences(had.shared(), has.shared()) == []
    if mistake.get("goes_on"):
        assert has.paths("b")["443/HTTPS"] == news
    else:
        assert (has.rules("b"), has.target_groups("b")) == (had.rules("b"), had.target_groups("b"))
    told = [message for reason, message in warnings(yard, "b") if (reason, message) not in heard["b"]]
    assert told == [problems(yard, "b")]
    (message,) = told
    words = [yard.cluster.world.fill(word) for word in mistake["told"]]
    assert [word for word in words if word not in message] == [], message
    assert [warnings(yard, team) for team in "ac"] == [heard[team] for team in "ac"]

    teams.ask()
    assert teams.look().paths("b") == {"443/HTTPS": [teams.news, "/*"]}
    assert [problems(yard, team) for team in "abc"] == [None, None, None]
    teams.at_peace = True
