"""The Helm chart, rendered by Helm itself."""

from __future__ import annotations

import faulthandler
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).parents[2] / "helm" / "lbcontroller"
RELEASE = "lbc"
NAMESPACE = "kube-system"
REQUIRED = {"clusterName": "shop", "image": {"repository": "registry.example.com/lbcontroller"}}

Object = dict[str, Any]


@cache
def chart() -> Any:
    """Return the chart as Helm loaded it."""
    # Some mistakes in templates are faults, which Helm turns into errors, unless Python ends the process.
    faulthandler.disable()
    from helm_python import Chart  # noqa: PLC0415 - only `make test-chart` installs it

    return Chart.load(CHART)


def rendered(**values: Any) -> Sequence[Object]:
    """Return the objects that an installation with these values makes, besides the definitions."""
    files: Mapping[str, str] = chart().render(
        {**REQUIRED, **values}, name=RELEASE, namespace=NAMESPACE, is_install=True
    )
    return [
        obj
        for name, text in files.items()
        if name.endswith(".yaml")
        for obj in yaml.safe_load_all(text)
        if obj
    ]


def of_kind(objects: Sequence[Object], kind: str) -> Sequence[Object]:
    """Return the objects of a kind."""
    return [obj for obj in objects if obj["kind"] == kind]


def only(objects: Sequence[Object], kind: str) -> Object:
    """Return the only object of a kind."""
    (found,) = of_kind(objects, kind)
    return found


def pod_of(objects: Sequence[Object]) -> Object:
    """Return the template of the controller's pods."""
    template: Object = only(objects, "Deployment")["spec"]["template"]
    return template


def container_of(objects: Sequence[Object]) -> Object:
    """Return the container of the controller."""
    (container,) = pod_of(objects)["spec"]["containers"]
    found: Object = container
    return found


def flags_of(objects: Sequence[Object]) -> Mapping[str, str]:
    """Return the flags that the controller is started with, without the dashes in front."""
    command, *arguments = container_of(objects)["args"]
    assert command == "run"
    named = [argument.removeprefix("--").partition("=") for argument in arguments]
    assert len({name for name, _, _ in named}) == len(named), "a flag is given twice"
    return {name: value for name, _, value in named}
