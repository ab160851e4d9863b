"""The CustomResourceDefinitions, in the vocabulary of the model.

The files in `crds/` are what this module renders; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import yaml

from lbcontroller.kube.binding_crd import target_group_bindings
from lbcontroller.kube.class_params_crd import ingress_class_params
from lbcontroller.kube.openapi import Schema

__all__ = ["DEFINITIONS", "ingress_class_params", "render", "target_group_bindings"]

DEFINITIONS: Final[Mapping[str, Callable[[], Schema]]] = {
    "ingressclassparams.yaml": ingress_class_params,
    "targetgroupbindings.yaml": target_group_bindings,
}
"""What makes each definition, by the name of its file."""


def render(file: str) -> str:
    """Return a file as it stands in `crds/`."""
    made_by = DEFINITIONS[file]
    header = f"# Rendered by {made_by.__module__.replace('.', '/')}.py: change it there.\n"
    return header + yaml.safe_dump(made_by(), sort_keys=False, width=110, allow_unicode=True)
