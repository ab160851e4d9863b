"""Which groups of Ingresses a change of an object asks for. Pure, as `triggers`.

| changed            | asks for the groups of                                                       |
|--------------------|------------------------------------------------------------------------------|
| Ingress            | itself, as it was and as it is; those whose finalizers it carries            |
| IngressClass       | Ingresses that name it; those without a class if it is, or was, a default    |
| IngressClassParams | Ingresses of the classes that refer to it                                    |
| Namespace          | its Ingresses, when its labels change                                        |
| Secret             | those that need it                                                           |

What is deleted together is looked at together: the deletion of an Ingress or of a Service waits a moment, and
so does a new Ingress for Services that are about to follow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lbcontroller.build.ingress_groups import groups_of_finalizers, groups_of_params
from lbcontroller.build.ingress_services import services_named
from lbcontroller.cluster.ingress import WRITTEN_ANNOTATIONS, Ingress
from lbcontroller.cluster.ingress_class import IngressClass, IngressClassParams, Namespace
from lbcontroller.controller.cache import ClusterCache
from lbcontroller.controller.queue import Priority
from lbcontroller.controller.triggers import TOGETHER_SECONDS, Trigger
from lbcontroller.keys import ObjectName, StackKey


def of_ingress(cache: ClusterCache, before: Ingress | None, after: Ingress | None) -> Iterator[Trigger]:
    """Yield the work that a new, changed or deleted Ingress asks for."""
    if before is not None and after is not None and _meaning(before) == _meaning(after):
        return
    views = [view for view in (before, after) if view is not None]
    groups = frozenset[StackKey]().union(*(cache.ingresses.groups_of(view) for view in views))
    yield from _work(groups, delay=TOGETHER_SECONDS if _is_followed(cache, before, after) else 0.0)


def _meaning(ingress: Ingress) -> tuple[object, ...]:
    """Return all that matters: neither the status nor what we write ourselves must wake us."""
    meta = ingress.meta
    return (
        meta.uid,
        meta.generation,
        {key: text for key, text in meta.annotations.items() if key not in WRITTEN_ANNOTATIONS},
        meta.deleting,
        groups_of_finalizers(ingress),
        ingress.class_name,
        ingress.default_backend,
        ingress.rules,
        ingress.tls,
    )


def _is_followed(cache: ClusterCache, before: Ingress | None, after: Ingress | None) -> bool:
    """Whether another change probably follows at once that concerns the same groups."""
    if after is None or after.meta.deleting:
        return True
    return before is None and any(
        cache.service(ObjectName(after.meta.name.namespace, name)) is None for name in services_named(after)
    )


def of_ingress_class(
    cache: ClusterCache, before: IngressClass | None, after: IngressClass | None
) -> Iterator[Trigger]:
    """Yield the work that a new, changed or deleted IngressClass asks for."""
    if before is not None and after is not None and _decides(before) == _decides(after):
        return
    groups: set[StackKey] = set()
    for view in (before, after):
        if view is None:
            continue
        ingresses = cache.ingresses.of_class(view.meta.name.name, by_default=view.is_default)
        if ingresses:
            groups |= cache.ingresses.groups_of_class(view)
        groups |= _groups_of(cache, ingresses)
    yield from _work(groups)


def _decides(view: IngressClass) -> tuple[object, ...]:
    return view.controller, view.parameters, view.is_default


def of_class_params(
    cache: ClusterCache, before: IngressClassParams | None, after: IngressClassParams | None
) -> Iterator[Trigger]:
    """Yield the work that a new, changed or deleted IngressClassParams asks for."""
    views = [view for view in (before, after) if view is not None]
    if before is not None and after is not None and before.spec == after.spec:
        return
    ingresses = cache.ingresses.of_params(views[0].meta.name.name) if views else ()
    groups = {group for view in views for group in groups_of_params(view)} if ingresses else set()
    yield from _work(groups | _groups_of(cache, ingresses))


def of_namespace(cache: ClusterCache, before: Namespace | None, after: Namespace | None) -> Iterator[Trigger]:
    """Yield the work that a new, changed or deleted Namespace asks for."""
    namespace = after or before
    if namespace is not None and before != after:
        yield from _work(_groups_of(cache, cache.ingresses.in_namespace(namespace.name)))


def of_secret(cache: ClusterCache, secret: ObjectName) -> Iterator[Trigger]:
    """Yield the work that a new, changed or deleted Secret asks for."""
    yield from _work(cache.ingresses.groups_needing(secret))


def _groups_of(cache: ClusterCache, ingresses: Iterable[Ingress]) -> set[StackKey]:
    return {group for ingress in ingresses for group in cache.ingresses.groups_of(ingress)}


def _work(groups: Iterable[StackKey], *, delay: float = 0.0) -> Iterator[Trigger]:
    for group in sorted(groups):
        yield Trigger(group, Priority.NORMAL, delay)
