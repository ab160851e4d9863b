"""The files of the Helm chart that are made from the code: `make docs` writes them, a test keeps them fresh.

Names that an installation decides stand in them as template expressions, which the chart evaluates.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from lbcontroller.cli.chart_values import values_table
from lbcontroller.kube.crd import DEFINITIONS, render
from lbcontroller.kube.permissions import OwnObject, Place, rules
from lbcontroller.webhooks.registration import REGISTRATIONS, configurations

_HEADER: Final = "# Generated from the code by `make docs`. Do not edit.\n"
_NAME: Final = '{{ include "lbcontroller.name" . }}'
_SERVICE: Final = '{{ include "lbcontroller.webhookService" . }}'
_NAMES: Final = {
    OwnObject.LEASE: "{{ .Values.leaderElectionID }}",
    OwnObject.WEBHOOK_CERTIFICATE: '{{ include "lbcontroller.ownCertificate" . }}',
    OwnObject.WEBHOOK_CONFIGURATIONS: '{{ include "lbcontroller.fullname" . }}',
}
_TABLE_BEGINS: Final = "<!-- values: generated from values.schema.json by `make docs` -->\n"
_TABLE_ENDS: Final = "<!-- end of values -->\n"


def write_chart_files(chart: Path) -> None:
    """Write the generated files into the chart's directory."""
    for name, text in chart_files(chart).items():
        path = chart / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def chart_files(chart: Path) -> Mapping[str, str]:
    """Return what each generated file of the chart says, by its path in the chart."""
    return {
        **{f"crds/{file}": render(file) for file in DEFINITIONS},
        "files/permissions.yaml": _yaml({place.value: _plain(rules(place, _NAMES)) for place in Place}),
        "files/webhooks.yaml": _yaml(_webhooks()),
        "README.md": _with_values(chart),
    }


def _webhooks() -> Mapping[str, Any]:
    """Return the webhooks by the kind of the object that registers them."""

    def client_config(path: str) -> Mapping[str, Any]:
        place = {"namespace": "{{ .Release.Namespace }}", "name": _SERVICE, "path": path, "port": 443}
        return {"service": place}

    return {
        each["kind"]: each["webhooks"] for each in configurations(REGISTRATIONS, client_config, name=_NAME)
    }


def _with_values(chart: Path) -> str:
    """Return the chart's README with the table of values as the schema has it now."""
    before, _, rest = (chart / "README.md").read_text(encoding="utf-8").partition(_TABLE_BEGINS)
    _, _, after = rest.partition(_TABLE_ENDS)
    schema = json.loads((chart / "values.schema.json").read_text(encoding="utf-8"))
    defaults = yaml.safe_load((chart / "values.yaml").read_text(encoding="utf-8"))
    table = values_table(schema, defaults)
    return f"{before}{_TABLE_BEGINS}{table}{_TABLE_ENDS}{after}"


def _yaml(document: Mapping[str, Any]) -> str:
    return _HEADER + yaml.safe_dump(document, sort_keys=False, width=1000)


def _plain(listed: tuple[Mapping[str, Any], ...]) -> list[dict[str, Any]]:
    return [dict(rule) for rule in listed]
