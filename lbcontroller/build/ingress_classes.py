"""Which Ingresses are of a class of ours. No other annotation is read, so that no mistake in one loses any.

annotated with a class               → ours when it is the configured one, whatever `spec` says
spec.ingressClassName                → that class
neither, and one class is a default  → that class
neither, and several are             → unclear
neither, and none is                 → ours when the configured class is empty

a class that does not exist          → unclear
a class of another controller        → not ours
a class whose parameters do not exist, or do not let the namespace in → unclear
any other class                      → ours, with its parameters
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lbcontroller.build.label_selectors import selects
from lbcontroller.cluster.ingress import Ingress
from lbcontroller.cluster.ingress_class import (
    CONTROLLER,
    DEFAULT_CLASS_ANNOTATION,
    IngressClass,
    IngressClassParams,
)
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.errors import InvalidConfig, Problem, did_you_mean

CLASS_ANNOTATION: Final = "kubernetes.io/ingress.class"
"""What Ingresses named their class by before `spec.ingressClassName`."""
_CLASS_FIELD: Final = "spec.ingressClassName"
_USUAL_CLASS: Final = "alb"
_PARAMETERS_GROUP: Final = "elbv2.k8s.aws"
_PARAMETERS_KIND: Final = "IngressClassParams"
_SELECTOR: Final = "spec.namespaceSelector"


@dataclass(frozen=True, slots=True)
class OfOurClass:
    """The Ingress is ours to serve."""

    params: IngressClassParams | None
    """Those of its class."""


@dataclass(frozen=True, slots=True)
class NotOurs:
    """The Ingress is being deleted, or belongs to another controller or to none."""


@dataclass(frozen=True, slots=True)
class Unclear:
    """Nobody can tell what becomes of the Ingress before its owner, or that of its class, acts."""

    problems: tuple[Problem, ...]
    """At least one."""
    params: IngressClassParams | None = None
    """Those of its class, if that much is clear."""


def ingress_class(ingress: Ingress, snapshot: Snapshot, configured: str) -> OfOurClass | NotOurs | Unclear:
    """Return whether an Ingress that is not being deleted is of a class of ours.

    Args:
        ingress: the Ingress.
        snapshot: every IngressClass and IngressClassParams, and the Ingress's Namespace.
        configured: the value of the class annotation that is ours; empty: an Ingress needs no class.
    """
    annotated = ingress.meta.annotations.get(CLASS_ANNOTATION)
    if annotated is not None:
        ours = annotated == configured or (not configured and annotated == _USUAL_CLASS)
        return OfOurClass(None) if ours else NotOurs()
    name = ingress.class_name
    if name is None:
        defaults = sorted(name for name, item in snapshot.ingress_classes.items() if item.is_default)
        if not defaults:
            return NotOurs() if configured else OfOurClass(None)
        if len(defaults) > 1:
            return Unclear((_several_defaults(ingress, defaults),))
        name = defaults[0]
    found = snapshot.ingress_classes.get(name)
    if found is None:
        return Unclear((_no_such_class(ingress, name, snapshot),))
    if found.controller != CONTROLLER:
        return NotOurs()
    return _with_parameters(ingress, found, snapshot)


def parameters_name(found: IngressClass) -> str | None:
    """Return the IngressClassParams that a class refers to; None when it refers to none."""
    reference = found.parameters
    if reference is None or (reference.api_group, reference.kind) != (_PARAMETERS_GROUP, _PARAMETERS_KIND):
        return None
    return reference.name


def _with_parameters(
    ingress: Ingress, found: IngressClass, snapshot: Snapshot
) -> OfOurClass | NotOurs | Unclear:
    reference = found.parameters
    if reference is None:
        return OfOurClass(None)
    name = parameters_name(found)
    if name is None:
        written = f"{reference.kind} {reference.name} of {reference.api_group or 'no API group'}"
        expected = f"must be an {_PARAMETERS_KIND} of {_PARAMETERS_GROUP}"
        return Unclear((_problem(ingress, f"{found.subject} spec.parameters", written, expected),))
    params = snapshot.class_params.get(name)
    if params is None:
        hint = did_you_mean(name, snapshot.class_params)
        expected = f"there is no {_PARAMETERS_KIND} of that name"
        return Unclear((_problem(ingress, f"{found.subject} spec.parameters", name, expected, hint),))
    shut_out = _shut_out(ingress, params, snapshot)
    return Unclear((shut_out,)) if shut_out is not None else OfOurClass(params)


def _shut_out(ingress: Ingress, params: IngressClassParams, snapshot: Snapshot) -> Problem | None:
    """Return why the namespace of the Ingress may not use a class; None when it may."""
    selector = params.spec.get("namespaceSelector")
    if selector is None:
        return None
    field, name = f"{params.subject} {_SELECTOR}", ingress.meta.name.namespace
    namespace = snapshot.namespaces.get(name)
    if namespace is None:
        return _problem(ingress, field, name, "the labels of this namespace are not known")
    try:
        selected = selects(selector, namespace.labels, subject=ingress.subject, field=field)
    except InvalidConfig as error:
        return error.problems[0]
    if selected:
        return None
    return _problem(ingress, field, name, "does not select this namespace", "label it, or use another class")


def _several_defaults(ingress: Ingress, names: list[str]) -> Problem:
    return _problem(
        ingress,
        _CLASS_FIELD,
        "",
        f"is missing, and several IngressClasses are marked as the default: {', '.join(names)}",
        f"name one, or let only one be annotated {DEFAULT_CLASS_ANNOTATION}",
    )


def _no_such_class(ingress: Ingress, name: str, snapshot: Snapshot) -> Problem:
    expected = "there is no IngressClass of that name"
    return _problem(ingress, _CLASS_FIELD, name, expected, did_you_mean(name, snapshot.ingress_classes))


def _problem(ingress: Ingress, field: str, value: str, expected: str, hint: str = "") -> Problem:
    return Problem(subject=ingress.subject, field=field, value=value, expected=expected, hint=hint)
