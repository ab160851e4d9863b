"""Finds the target group of a binding, and refuses bindings that cannot have theirs."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

from lbcontroller.aws.target_accounts import TargetAccount, TargetAccounts
from lbcontroller.build.target_group_facts import (
    arn_of,
    check_alone,
    complete_spec,
    is_rival,
    older_rival,
    taken,
    target_group_missing,
    target_group_name,
)
from lbcontroller.cluster.binding import Binding
from lbcontroller.controller.cache import ClusterCache
from lbcontroller.keys import ObjectName
from lbcontroller.model.identity import identify_labels
from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import TargetGroupFact
from lbcontroller.model.resources import BindingSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundTargetGroup:
    """A binding with every field of its spec, and where its target group is."""

    binding: Binding
    arn: Arn
    account: TargetAccount


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetGroupFinder:
    """Completes bindings by what AWS says about their target groups."""

    cache: ClusterCache
    accounts: TargetAccounts

    def find(self, binding: Binding) -> BoundTargetGroup:
        """Return the target group of a binding that may have it.

        Raises:
            InvalidConfig: it names none, one that does not exist or does not fit, or an older binding's.
            LbControllerError: AWS could not tell.
        """
        check_alone(binding)
        if holder := older_rival(binding, self._others(binding)):
            raise taken(binding, holder)
        account = self._account(binding.spec)
        if _is_complete(binding):
            return BoundTargetGroup(binding=binding, arn=arn_of(binding.spec), account=account)
        fact = _fact(account, binding.spec)
        if fact is None:
            raise target_group_missing(binding)
        complete = replace(binding, spec=complete_spec(binding, fact))
        return BoundTargetGroup(binding=complete, arn=fact.arn, account=account)

    def find_to_leave(self, binding: Binding) -> BoundTargetGroup | None:
        """Return the target group that a binding being deleted leaves behind, however odd its spec is.

        None when there is nothing to leave: the target group is gone, or another binding has it.

        Raises:
            LbControllerError: AWS could not tell.
        """
        if not binding.spec.multi_cluster and self._has_heir(binding):
            return None
        account = self._account(binding.spec)
        arn = arn_of(binding.spec) if binding.spec.target_group else None
        if arn is None and binding.spec.target_group_name:
            fact = account.facts.of_name(binding.spec.target_group_name)
            arn = fact.arn if fact is not None else None
        return BoundTargetGroup(binding=binding, arn=arn, account=account) if arn is not None else None

    def vanished(self, bound: BoundTargetGroup) -> None:
        """Note that AWS does not know the target group any more."""
        bound.account.facts.forget(bound.arn)

    def _has_heir(self, binding: Binding) -> bool:
        return any(is_rival(binding, other) and not other.meta.deleting for other in self._others(binding))

    def _others(self, binding: Binding) -> tuple[Binding, ...]:
        return self.cache.bindings_of_target_group(target_group_name(binding.spec))

    def _account(self, spec: BindingSpec) -> TargetAccount:
        return self.accounts.of_role(spec.role_arn, spec.role_external_id)


class HeldTargetGroups:
    """Which target group each binding had at its last reconcile. For any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[ObjectName, BoundTargetGroup] = {}

    def former(self, bound: BoundTargetGroup) -> BoundTargetGroup | None:
        """Return the target group that a binding had before it was changed; None when it has the same one."""
        with self._lock:
            before = self._held.get(bound.binding.meta.name)
        if before is None or before.arn == bound.arn:
            return None
        return before if before.binding.meta.uid == bound.binding.meta.uid else None

    def hold(self, bound: BoundTargetGroup) -> None:
        """Note which one a binding has now."""
        with self._lock:
            before = self._held.get(bound.binding.meta.name)
            self._held[bound.binding.meta.name] = bound
        if before is not None and before.arn != bound.arn:
            before.account.targets.forget(before.arn)

    def leave(self, binding: ObjectName) -> None:
        """Forget a binding that is gone, and what was remembered of its target group."""
        with self._lock:
            before = self._held.pop(binding, None)
        if before is not None:
            before.account.targets.forget(before.arn)


def _fact(account: TargetAccount, spec: BindingSpec) -> TargetGroupFact | None:
    if spec.target_group:
        return account.facts.of_arn(arn_of(spec))
    return account.facts.of_name(spec.target_group_name or "")


def _is_complete(binding: Binding) -> bool:
    """Whether a stack made the binding, with every field: there is nothing to ask AWS for."""
    spec = binding.spec
    return (
        identify_labels(binding.meta.labels) is not None
        and bool(spec.target_group)
        and None not in (spec.target_type, spec.protocol, spec.ip_address_type, spec.vpc_id)
    )
