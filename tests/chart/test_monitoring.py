"""Alerts and the dashboard: right by the grammar of PromQL, and about metrics and labels that there are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import promql_parser
import pytest
import yaml

from tests.support.chart import CHART, of_kind, only, rendered
from tests.support.committed import ROOT

PAGE = ROOT / "docs" / "reference" / "metrics.md"
ROW = re.compile(r"^\| `(?P<name>\w+)` \| (?P<kind>\w+) \| (?P<labels>[^|]*) \|", re.MULTILINE)
OF_THE_CLIENT = {"process_cpu_seconds_total": "counter", "process_resident_memory_bytes": "gauge"}
"""Metrics of the process that every Prometheus client has."""
JOB = "job"
GRAFANA = {"$__rate_interval": "5m", "$job": "any"}
"""What Grafana puts in place of its variables, for the parser."""
RATES = {"rate", "increase"}


@dataclass(frozen=True, kw_only=True)
class Metric:
    """What the reference page says about a metric."""

    kind: str
    labels: frozenset[str]


def documented() -> Mapping[str, Metric]:
    """Return every series by its name, those of histograms each by its own."""
    found = {name: Metric(kind=kind, labels=frozenset({JOB})) for name, kind in OF_THE_CLIENT.items()}
    for row in ROW.finditer(PAGE.read_text("utf-8")):
        labels = frozenset(re.findall(r"`(\w+)`", row["labels"])) | {JOB}
        if row["kind"] != "histogram":
            found[row["name"]] = Metric(kind=row["kind"], labels=labels)
            continue
        for suffix in ("_sum", "_count"):
            found[row["name"] + suffix] = Metric(kind="counter", labels=labels)
        found[f"{row['name']}_bucket"] = Metric(kind="counter", labels=labels | {"le"})
    return found


def alerts() -> Sequence[Mapping[str, Any]]:
    (group,) = yaml.safe_load((CHART / "files" / "alerts.yaml").read_text("utf-8"))["groups"]
    listed: Sequence[Mapping[str, Any]] = group["rules"]
    return listed


def dashboard() -> Mapping[str, Any]:
    document: Mapping[str, Any] = json.loads((CHART / "files" / "dashboard.json").read_text("utf-8"))
    return document


def expressions() -> Iterator[str]:
    """Yield every expression, with the variables of Grafana filled in."""
    yield from (alert["expr"] for alert in alerts())
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", ()):
            text = target["expr"]
            for variable, value in GRAFANA.items():
                text = text.replace(variable, value)
            yield text


def nodes(expression: str) -> list[Any]:
    """Return every part of an expression, from the outside in."""
    found: list[Any] = []
    promql_parser.walk(promql_parser.parse(expression), found.append)
    return found


def series(parts: Sequence[Any]) -> list[Any]:
    return [part for part in parts if isinstance(part, promql_parser.VectorSelector)]


@pytest.mark.parametrize("expression", sorted(set(expressions())))
def test_an_expression_is_about_what_is_measured(expression: str) -> None:
    known, parts = documented(), nodes(expression)
    selectors = series(parts)

    assert [each.name for each in selectors if each.name not in known] == []
    for each in selectors:
        asked = {matcher.name for matcher in each.matchers.matchers}
        assert JOB in asked, "others have metrics of the same name"
        assert asked <= known[each.name].labels
    grouped = {
        label
        for part in parts
        if isinstance(part, promql_parser.AggregateExpr) and part.modifier is not None
        for label in part.modifier.labels
    }
    assert grouped <= frozenset.union(*(known[each.name].labels for each in selectors))


@pytest.mark.parametrize("expression", sorted(set(expressions())))
def test_counters_are_looked_at_by_their_rate_and_gauges_are_not(expression: str) -> None:
    known, parts = documented(), nodes(expression)
    rated = {
        each.name
        for part in parts
        if isinstance(part, promql_parser.Call) and part.func.name in RATES
        for each in series(nodes(str(part)))
    }
    assert rated == {each.name for each in series(parts) if known[each.name].kind == "counter"}


def test_what_is_shown_of_a_series_are_labels_that_it_is_grouped_by() -> None:
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", ()):
            shown = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
            by = re.search(r"by \(([\w, ]+)\)", target["expr"])
            assert shown == (set(by[1].split(", ")) - {"le"} if by else shown & {"pod"}), target["expr"]


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert["alert"])
def test_an_alert_tells_what_is_wrong_and_what_to_do(alert: Mapping[str, Any]) -> None:
    known = documented()
    named = set(re.findall(r"\$labels\.(\w+)", json.dumps(alert["annotations"])))

    assert alert["labels"]["severity"] in {"critical", "warning"}
    assert alert["annotations"].keys() == {"summary", "description"}
    for each in series(nodes(alert["expr"])):
        assert named <= known[each.name].labels


def test_every_alert_has_its_own_name() -> None:
    names = [alert["alert"] for alert in alerts()]
    assert len(set(names)) == len(names)


def test_the_alerts_are_about_the_job_of_the_installation() -> None:
    objects = rendered(prometheusRule={"enabled": True}, serviceMonitor={"enabled": True})
    (group,) = only(objects, "PrometheusRule")["spec"]["groups"]
    jobs = {
        matcher.value
        for alert in group["rules"]
        for each in series(nodes(alert["expr"]))
        for matcher in each.matchers.matchers
        if matcher.name == JOB
    }
    services = {service["metadata"]["name"] for service in of_kind(objects, "Service")}

    assert len(group["rules"]) == len(alerts())
    assert jobs == {"lbc-lbcontroller-metrics"}
    assert jobs <= services


def test_the_dashboard_is_installed_as_it_is() -> None:
    objects = rendered(grafanaDashboard={"enabled": True, "namespace": "monitoring"})
    config_map = only(objects, "ConfigMap")

    assert config_map["metadata"]["namespace"] == "monitoring"
    assert config_map["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert json.loads(config_map["data"]["lbcontroller.json"]) == dashboard()


def test_panels_do_not_overlap() -> None:
    taken = [
        (panel["gridPos"]["x"] + x, panel["gridPos"]["y"] + y)
        for panel in dashboard()["panels"]
        for x in range(panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["h"])
    ]
    assert len(set(taken)) == len(taken)
    assert max(x for x, _ in taken) < 24
