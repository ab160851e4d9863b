"""Ingresses: refused for what LBC refuses; of everything else that is wrong their authors are warned. Pure.

Warnings come from the models that read Ingresses at every reconcile, so nothing is told here that holds no
longer there. An update is refused only for what it makes wrong: whoever adds a label or takes off a finalizer
did not write the rest.

| refused for                              | when created                 | when updated                     |
|------------------------------------------|------------------------------|----------------------------------|
| its class, where there is no such class  | always                       | when it was another one before   |
| the class annotation, where switched off | when it names our class      | when it did not name ours before |
| the group annotation, where switched off | when it is there             | when it is not what it was       |
| conditions that say nothing              | when a path names their name | when they were not there before  |
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Final

from lbcontroller.annotations.ingress import IngressAnnotations
from lbcontroller.annotations.ingress_conditions import ConditionField
from lbcontroller.build.ingress_classes import CLASS_ANNOTATION, NotOurs, Unclear, ingress_class
from lbcontroller.build.ingress_groups import GROUP_ANNOTATION, GroupMember, Ours, classify
from lbcontroller.build.ingress_members import read_alone
from lbcontroller.cluster.ingress import WRITTEN_ANNOTATIONS, Ingress, ServiceBackend
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.errors import Problem
from lbcontroller.settings import Settings
from lbcontroller.webhooks.objections import Objection, told, verdict
from lbcontroller.webhooks.review import Admitted, Verdict

_VALUES: Final = ("values", "regexvalues")


class Check(StrEnum):
    """What an Ingress is refused for; the words of LBC, as the label of its metric."""

    CLASS = "checkIngressClass"
    CLASS_ANNOTATION = "checkIngressClassAnnotationUsage"
    GROUP_ANNOTATION = "checkGroupNameAnnotationUsage"
    CONDITIONS = "checkIngressAnnotationConditions"


def check_ingress(
    ingress: Ingress, before: Ingress | None, snapshot: Snapshot, settings: Settings
) -> Verdict:
    """Return what is answered about an Ingress, with everything that is wrong; one of others is admitted.

    Args:
        ingress: as it is to be stored.
        before: as it is stored; None when it is being created.
        snapshot: every IngressClass and IngressClassParams, and the Ingress's Namespace.
        settings: the flags.
    """
    if ingress.meta.deleting or (before is not None and _asked(before) == _asked(ingress)):
        return Admitted()
    whose = ingress_class(ingress, snapshot, settings.ingress_class)
    if isinstance(whose, NotOurs):
        return Admitted()
    if isinstance(whose, Unclear) and ingress.class_name not in snapshot.ingress_classes:
        # It may be meant for another controller, so nothing else is said about it.
        return _without_class(ingress, before, whose)
    objections = tuple(_objections(ingress, before, snapshot, settings))
    return verdict(objections, _warnings(ingress, snapshot, settings))


def _asked(ingress: Ingress) -> tuple[object, ...]:
    """Return all that an Ingress asks for."""
    annotations = {
        key: text for key, text in ingress.meta.annotations.items() if key not in WRITTEN_ANNOTATIONS
    }
    return annotations, ingress.class_name, ingress.default_backend, ingress.rules, ingress.tls


def _without_class(ingress: Ingress, before: Ingress | None, whose: Unclear) -> Verdict:
    named = ingress.class_name
    if named is None or (before is not None and before.class_name == named):
        return verdict((), map(told, whose.problems))
    return verdict(Objection(Check.CLASS, problem) for problem in whose.problems)


def _objections(
    ingress: Ingress, before: Ingress | None, snapshot: Snapshot, settings: Settings
) -> Iterator[Objection]:
    annotations = ingress.meta.annotations
    stored: Mapping[str, str] = {} if before is None else before.meta.annotations
    if settings.disable_ingress_class_annotation and _is_annotated_anew(ingress, before, snapshot, settings):
        hint = "name an IngressClass in spec.ingressClassName"
        yield Objection(Check.CLASS_ANNOTATION, _switched_off(ingress, CLASS_ANNOTATION, hint))
    group = annotations.get(GROUP_ANNOTATION)
    if settings.disable_ingress_group_name_annotation and group not in (None, stored.get(GROUP_ANNOTATION)):
        hint = "use a class whose IngressClassParams name the group"
        yield Objection(Check.GROUP_ANNOTATION, _switched_off(ingress, GROUP_ANNOTATION, hint))
    had = frozenset() if before is None else frozenset(_empty_conditions(before))
    for problem in _empty_conditions(ingress):
        if problem not in had:
            yield Objection(Check.CONDITIONS, problem)


def _is_annotated_anew(
    ingress: Ingress, before: Ingress | None, snapshot: Snapshot, settings: Settings
) -> bool:
    """Return whether an Ingress of ours names our class by its annotation, and did not before."""
    if CLASS_ANNOTATION not in ingress.meta.annotations:
        return False
    if before is None or CLASS_ANNOTATION not in before.meta.annotations:
        return True
    return isinstance(ingress_class(before, snapshot, settings.ingress_class), NotOurs)


def _switched_off(ingress: Ingress, annotation: str, hint: str) -> Problem:
    return Problem(
        subject=ingress.subject,
        field=annotation,
        value=ingress.meta.annotations[annotation],
        expected="must not be used by any more Ingresses of this cluster",
        hint=hint,
    )


def _empty_conditions(ingress: Ingress) -> Iterator[Problem]:
    """Yield the problems of conditions that LBC refuses: of Services in paths, and without any values."""
    annotations = ingress.meta.annotations
    keys = {IngressAnnotations.key_of("conditions", name) for name in _names_in_paths(ingress)}
    empty = {key for key in keys & annotations.keys() if not _say_something(annotations[key])}
    if empty:
        read = IngressAnnotations.parse_leniently(ingress.subject, annotations)
        yield from (problem for problem in read.problems if problem.field in empty)


def _names_in_paths(ingress: Ingress) -> Iterator[str]:
    for rule in ingress.rules:
        for path in rule.paths:
            if isinstance(path.backend, ServiceBackend):
                yield path.backend.service


def _say_something(text: str) -> bool:
    """Return whether LBC takes a text for conditions. It does not look into values, nor at unknown fields."""
    try:
        conditions = json.loads(text)
    except ValueError:
        return False
    return isinstance(conditions, list) and all(
        isinstance(condition, dict) and _has_values({name.lower(): part for name, part in condition.items()})
        for condition in conditions
    )


def _has_values(condition: Mapping[str, Any]) -> bool:
    field = condition.get("field")
    if field not in set(ConditionField):
        return True
    config = condition.get(f"{field.replace('-', '')}config")
    return isinstance(config, dict) and any(config[name] for name in config if name.lower() in _VALUES)


def _warnings(ingress: Ingress, snapshot: Snapshot, settings: Settings) -> Iterator[str]:
    match classify(ingress, snapshot, settings):
        case Ours(params=params):
            member = GroupMember(ingress=ingress, params=params, order=0)
        case Unclear(problems=problems, params=params):
            member = GroupMember(ingress=ingress, params=params, order=0, problems=problems)
        case NotOurs():
            return
    read = read_alone(member)
    yield from map(told, read.problems)
    yield from (f"{finding.subject}: {finding.message}" for finding in read.findings)
