"""What carries the cluster's tags in AWS and belongs to no object of the cluster any more."""

from __future__ import annotations

from collections.abc import Iterable

from lbcontroller.controller.cache import ClusterCache
from lbcontroller.model.identity import SHARED_STACK, StackId, stack_key


def orphaned_stacks(
    stacks: Iterable[StackId], cache: ClusterCache, namespace: str = ""
) -> tuple[StackId, ...]:
    """Return those of `stacks` that no Service and no Ingress has anything to do with, in order.

    An object that exists is not asked whether it still wants its stack: as long as it is there, its own
    reconcile decides. What the cluster shares is never an orphan.

    Args:
        stacks: what has something in AWS.
        cache: the Services and Ingresses of the cluster, all of them.
        namespace: the only one that is known; empty for all of them. What others may have is left out.
    """
    wanted = cache.stacks()
    return tuple(
        sorted(
            stack
            for stack in stacks
            if stack != SHARED_STACK
            and (key := stack_key(stack)) not in wanted
            and namespace in ("", key.name.namespace)
        )
    )
