"""The reference pages of metrics and of the fields of log lines."""

from __future__ import annotations

import ast
import inspect
import itertools
import textwrap
from collections.abc import Iterator
from typing import Final

from prometheus_client.metrics import MetricWrapperBase

from lbcontroller.cli.markdown import GENERATED, code, one_line, table
from lbcontroller.telemetry.fields import LogFields
from lbcontroller.telemetry.metrics import Metrics

_METRICS: Final = """\
# Metrics

Served at `/metrics` on `--metrics-bind-addr`, together with the `process_*` metrics of the Prometheus client.
What the AWS Load Balancer Controller (LBC) measures too has its name and labels; ours begin with
`lbcontroller_`. No label has the name of a user's object.
"""
_LOG_FIELDS: Final = """\
# Fields of log lines

A log line has an event, which is a constant name, and some of these fields. There are no others, so searches,
alerts and dashboards can rely on them.
"""


def metrics_page() -> str:
    """Return the page of metrics as Markdown."""
    return _page(_METRICS, table(("Metric", "Type", "Labels", "Meaning"), sorted(_metric_rows())))


def log_fields_page() -> str:
    """Return the page of fields as Markdown."""
    rows = ((code(name), one_line(meaning)) for name, meaning in _fields())
    return _page(_LOG_FIELDS, table(("Field", "Meaning"), rows))


def _page(introduction: str, lines: Iterator[str]) -> str:
    return "\n".join((GENERATED, "", introduction, *lines)) + "\n"


def _metric_rows() -> Iterator[tuple[str, ...]]:
    # The client publishes neither the collectors of a registry nor the label names of a metric.
    for collector in Metrics().registry._collector_to_names:  # noqa: SLF001 - see above
        if isinstance(collector, MetricWrapperBase):
            labels = ", ".join(code(label) for label in collector._labelnames)  # noqa: SLF001 - see above
            for family in collector.describe():
                suffix = "_total" if family.type == "counter" else ""
                yield code(f"{family.name}{suffix}"), family.type, labels, family.documentation


def _fields() -> Iterator[tuple[str, str]]:
    """Yield name and docstring of each field, which exist in the source only."""
    (declaration,) = ast.parse(textwrap.dedent(inspect.getsource(LogFields))).body
    members = declaration.body if isinstance(declaration, ast.ClassDef) else []
    for field, described in itertools.pairwise(members):
        match field, described:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(meaning))):
                yield name, meaning
            case _:
                pass
