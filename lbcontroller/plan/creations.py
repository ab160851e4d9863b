"""What is created, under which name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from lbcontroller.keys import ObjectName
from lbcontroller.model.references import Ref, ResourceId
from lbcontroller.model.resources import LoadBalancer, Resource, Stack, TargetGroup, TargetGroupBinding
from lbcontroller.plan.matched import Matching, Replaced
from lbcontroller.plan.names import free_name
from lbcontroller.plan.steps import Create


def creations(stack: Stack, matching: Matching) -> Mapping[ResourceId, Create]:
    """Return the creation of each desired resource that does not exist or cannot become the desired one.

    A resource whose name is still taken by what it replaces gets another one (`names.replacement_name`), and
    the binding of a target group is called like the target group.
    """
    named = _named(stack, matching)
    return {
        resource.id: _create(resource, named[resource.id], matching.replaced.get(resource.id))
        for resource in stack.resources
        if resource.id in named
    }


def _create(desired: Resource, named: Resource, replaced: Replaced | None) -> Create:
    reason = replaced.reason if replaced else "does not exist yet"
    if isinstance(desired, TargetGroup | LoadBalancer | TargetGroupBinding) and named != desired:
        reason += f" (the name {desired.name} is still taken)"
    return Create(resource=named, reason=reason, replaces=replaced.arn if replaced else None)


def _named(stack: Stack, matching: Matching) -> Mapping[ResourceId, Resource]:
    """Return what is to be created, with names that are free: target groups first, bindings follow them."""
    existing = matching.existing
    new = [resource for resource in stack.resources if resource.id not in matching.kept]
    load_balancers = {item.resource.name for item in existing.load_balancers}
    target_groups = {item.resource.name for item in existing.target_groups}
    bindings = {item.resource.name for item in existing.bindings}
    named: dict[ResourceId, Resource] = {resource.id: resource for resource in new}
    for resource in new:
        if isinstance(resource, LoadBalancer):
            named[resource.id] = replace(resource, name=_take(resource.name, load_balancers))
        elif isinstance(resource, TargetGroup):
            named[resource.id] = replace(resource, name=_take(resource.name, target_groups))
    followed = _target_group_names(stack, matching, named)
    for resource in new:
        if isinstance(resource, TargetGroupBinding):
            name = _binding_name(resource, followed, bindings)
            bindings.add(name)
            named[resource.id] = replace(resource, name=name)
    return named


def _take(name: str, taken: set[str]) -> str:
    free = free_name(name, taken)
    taken.add(free)
    return free


def _target_group_names(
    stack: Stack, matching: Matching, named: Mapping[ResourceId, Resource]
) -> Mapping[ResourceId, tuple[str, str]]:
    """Return the desired name of each target group, and the one it has or gets."""
    names = {}
    for resource in stack.resources:
        kept = matching.kept.get(resource.id)
        present = kept.resource if kept else named[resource.id]
        if isinstance(resource, TargetGroup) and isinstance(present, TargetGroup):
            names[resource.id] = (resource.name, present.name)
    return names


def _binding_name(
    binding: TargetGroupBinding, followed: Mapping[ResourceId, tuple[str, str]], taken: Collection[ObjectName]
) -> ObjectName:
    namespace, name = binding.name
    target_group = binding.spec.target_group
    if isinstance(target_group, Ref):
        desired, present = followed[target_group.to]
        name = present if name == desired else name
    return ObjectName(
        namespace, free_name(name, {other.name for other in taken if other.namespace == namespace})
    )
