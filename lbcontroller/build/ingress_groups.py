"""Which group each Ingress belongs to, who the members of a group are, and in which order they come.

An Ingress carries the finalizer of each group that made something for it, which tells who is leaving:

| the Ingress                                      | with the group's finalizer | without      |
|--------------------------------------------------|----------------------------|--------------|
| asks for this group                              | active member              | active member |
| asks for another one, is not ours or is deleted  | leaving                    | no member    |
| is unclear: its class, its group or its order    | active member, held        | no member    |

Held means that what was made for it stays as it is: a class deleted by mistake takes no load balancer along.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, assert_never

from lbcontroller.annotations.codecs import Unreadable, integer
from lbcontroller.annotations.ingress_formats import GROUP_NAME
from lbcontroller.build.ingress_classes import NotOurs, OfOurClass, Unclear, ingress_class, parameters_name
from lbcontroller.cluster.ingress import Ingress
from lbcontroller.cluster.ingress_class import IngressClass, IngressClassParams
from lbcontroller.cluster.objects import mapping
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.errors import Problem
from lbcontroller.keys import ObjectName, StackKey, StackKind
from lbcontroller.settings import Settings

GROUP_ANNOTATION: Final = "alb.ingress.kubernetes.io/group.name"
ORDER_ANNOTATION: Final = "alb.ingress.kubernetes.io/group.order"
OWN_GROUP_FINALIZER: Final = "ingress.k8s.aws/resources"
"""On an Ingress that names no group."""
NAMED_GROUP_FINALIZER: Final = "group.ingress.k8s.aws/"
"""Followed by the name of the group."""
LOWEST_ORDER: Final = -1000
HIGHEST_ORDER: Final = 1000
_ORDER: Final = integer(LOWEST_ORDER, HIGHEST_ORDER)
_ANY_ORDER: Final = integer()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """The Ingress asks for a place in a group."""

    group: StackKey
    params: IngressClassParams | None
    """Those of its class."""
    order: int


Classification = Ours | NotOurs | Unclear


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMember:
    """An active member of a group."""

    ingress: Ingress
    params: IngressClassParams | None
    """Those of its class; None also while its class is unclear."""
    order: int
    problems: tuple[Problem, ...] = ()
    """Why it is held, before its other annotations are looked at."""
    refused: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)
    """Shared settings that AWS does not take, by field of the annotations: they stay as they are."""
    class_is_unclear: bool = False
    """Whether nobody knows what its class says for it."""

    @property
    def name(self) -> ObjectName:
        """Namespace and name of the Ingress."""
        return self.ingress.meta.name


@dataclass(frozen=True, slots=True, kw_only=True)
class IngressGroup:
    """The Ingresses that share a load balancer."""

    key: StackKey
    members: tuple[GroupMember, ...]
    """The active ones, those held included, in order: by `group.order`, then by `namespace/name`."""
    leaving: tuple[Ingress, ...]
    """Those that still carry the group's finalizer."""


def classify(ingress: Ingress, snapshot: Snapshot, settings: Settings) -> Classification:
    """Return to which group of ours an Ingress belongs.

    Args:
        ingress: the Ingress.
        snapshot: every IngressClass and IngressClassParams, and the Ingress's Namespace.
        settings: the flags.
    """
    if ingress.meta.deleting:
        return NotOurs()
    match ingress_class(ingress, snapshot, settings.ingress_class):
        case OfOurClass(params=params):
            return _ours(ingress, params)
        case NotOurs() | Unclear() as other:
            return other
        case never:
            assert_never(never)


def ingress_group(key: StackKey, snapshot: Snapshot, settings: Settings) -> IngressGroup:
    """Return who belongs to a group.

    Args:
        key: that of the group.
        snapshot: at least its members, every IngressClass and IngressClassParams, and the Namespaces of both.
        settings: the flags.
    """
    members, leaving = [], []
    for ingress in snapshot.ingresses.values():
        carries = key in groups_of_finalizers(ingress)
        match classify(ingress, snapshot, settings):
            case Ours(group=group, params=params, order=order) if group == key:
                members.append(GroupMember(ingress=ingress, params=params, order=order))
            case Unclear(problems=problems, params=params) if carries:
                found = ingress_class(ingress, snapshot, settings.ingress_class)
                members.append(
                    GroupMember(
                        ingress=ingress,
                        params=params,
                        order=_order_or_nearest(ingress),
                        problems=problems,
                        class_is_unclear=isinstance(found, Unclear),
                    )
                )
            case Ours() | NotOurs() if carries:
                leaving.append(ingress)
    return IngressGroup(
        key=key,
        members=tuple(sorted(members, key=lambda member: (member.order, str(member.name)))),
        leaving=tuple(sorted(leaving, key=lambda ingress: ingress.meta.name)),
    )


def finalizer_of(group: StackKey) -> str:
    """Return the finalizer on the members of a group."""
    return OWN_GROUP_FINALIZER if group.name.namespace else f"{NAMED_GROUP_FINALIZER}{group.name.name}"


def groups_of_finalizers(ingress: Ingress) -> frozenset[StackKey]:
    """Return the groups that made something for an Ingress."""
    return frozenset(_groups_of_finalizers(ingress))


def groups_it_may_join(ingress: Ingress) -> frozenset[StackKey]:
    """Return the groups that an Ingress may be in, as far as the object itself tells."""
    named = ingress.meta.annotations.get(GROUP_ANNOTATION)
    names = (named,) if named is not None and _is_group_name(named) else ()
    return frozenset((_own_group(ingress), *map(_named_group, names), *_groups_of_finalizers(ingress)))


def groups_of_class(
    class_name: str, classes: Mapping[str, IngressClass], params: Mapping[str, IngressClassParams]
) -> frozenset[StackKey]:
    """Return the group that the parameters of a class put its Ingresses in, if they do."""
    found = classes.get(class_name)
    referred = params.get((parameters_name(found) if found is not None else None) or "")
    return groups_of_params(referred) if referred is not None else frozenset()


def groups_of_params(params: IngressClassParams) -> frozenset[StackKey]:
    """Return the group that parameters put Ingresses in, if they do."""
    name = _group_of_params(params)
    return frozenset((_named_group(name),)) if name is not None and _is_group_name(name) else frozenset()


def classes_of(ingress: Ingress, classes: Iterable[IngressClass]) -> frozenset[str]:
    """Return the classes that may decide about an Ingress: the one it names, else those by default."""
    if ingress.class_name is not None:
        return frozenset((ingress.class_name,))
    return frozenset(item.meta.name.name for item in classes if item.is_default)


def _ours(ingress: Ingress, params: IngressClassParams | None) -> Ours | Unclear:
    group, group_problem = _group(ingress, params)
    order, order_problem = _order(ingress)
    problems = tuple(problem for problem in (group_problem, order_problem) if problem is not None)
    return Unclear(problems, params) if problems else Ours(group=group, params=params, order=order)


def _group(ingress: Ingress, params: IngressClassParams | None) -> tuple[StackKey, Problem | None]:
    name, field = ingress.meta.annotations.get(GROUP_ANNOTATION), GROUP_ANNOTATION
    if params is not None and (of_class := _group_of_params(params)) is not None:
        name, field = of_class, f"{params.subject} spec.group.name"
    if name is None:
        return _own_group(ingress), None
    try:
        return _named_group(GROUP_NAME.decode(name)), None
    except Unreadable as error:
        return _own_group(ingress), Problem(
            subject=ingress.subject, field=field, value=name, expected=error.faults[0].expected
        )


def _order(ingress: Ingress) -> tuple[int, Problem | None]:
    written = ingress.meta.annotations.get(ORDER_ANNOTATION)
    if written is None:
        return 0, None
    try:
        return _ORDER.decode(written), None
    except Unreadable as error:
        return 0, Problem(
            subject=ingress.subject, field=ORDER_ANNOTATION, value=written, expected=error.faults[0].expected
        )


def _order_or_nearest(ingress: Ingress) -> int:
    """Return the place that an Ingress most probably wants."""
    try:
        wanted = _ANY_ORDER.decode(ingress.meta.annotations.get(ORDER_ANNOTATION, "0"))
    except Unreadable:
        return 0
    return min(max(wanted, LOWEST_ORDER), HIGHEST_ORDER)


def _groups_of_finalizers(ingress: Ingress) -> Iterator[StackKey]:
    for finalizer in ingress.meta.finalizers:
        if finalizer == OWN_GROUP_FINALIZER:
            yield _own_group(ingress)
        elif finalizer.startswith(NAMED_GROUP_FINALIZER):
            yield _named_group(finalizer.removeprefix(NAMED_GROUP_FINALIZER))


def _group_of_params(params: IngressClassParams) -> str | None:
    group = params.spec.get("group")
    return None if group is None else str(mapping(params.spec, "group").get("name") or "")


def _is_group_name(name: str) -> bool:
    return GROUP_NAME.accepts(name)


def _own_group(ingress: Ingress) -> StackKey:
    return StackKey(StackKind.INGRESS, ingress.meta.name)


def _named_group(name: str) -> StackKey:
    return StackKey(StackKind.INGRESS, ObjectName("", name))
