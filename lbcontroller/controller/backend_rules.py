"""The rules on security groups of nodes and pods: what each binding needs, and their union's reconcile."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from lbcontroller.aws.backend_rules import BackendRules
from lbcontroller.aws.errors import is_rule_limit
from lbcontroller.build.backend_rules import merge_rules
from lbcontroller.errors import Denied, LbControllerError
from lbcontroller.keys import ObjectName
from lbcontroller.model.identity import CLUSTER_TAG, CLUSTER_TAG_PREFIX
from lbcontroller.model.ids import SecurityGroupId
from lbcontroller.model.ingress_rules import SHARED_RULE_DESCRIPTION, IngressRule
from lbcontroller.model.inventory import SecurityGroupFact
from lbcontroller.model.limits import RULES_PER_SECURITY_GROUP
from lbcontroller.plan.backend_rules import RevokeScope, RuleChanges, plan_backend_rules

SPARE_RULES: Final = 5
"""Rules that a group has left at least, as far as joining ranges of ours can see to it."""

RulesByGroup = Mapping[SecurityGroupId, frozenset[IngressRule]]


@dataclass(slots=True)
class RuleLedger:
    """What each binding needs, as its last reconcile computed it; for any thread."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _needs: dict[ObjectName, RulesByGroup] = field(default_factory=dict)

    def enter(self, binding: ObjectName, rules: RulesByGroup) -> bool:
        """Note what a binding needs; return whether that is news."""
        with self._lock:
            known = self._needs.get(binding)
            self._needs[binding] = rules
            return known != rules

    def strike(self, binding: ObjectName) -> bool:
        """Note that a binding is gone; return whether it had an entry."""
        with self._lock:
            return self._needs.pop(binding, None) is not None

    def union(self) -> RulesByGroup:
        """Return what all bindings need together."""
        with self._lock:
            needs = tuple(self._needs.values())
        union: defaultdict[SecurityGroupId, set[IngressRule]] = defaultdict(set)
        for rules in needs:
            for group, wanted in rules.items():
                union[group] |= wanted
        return {group: frozenset(wanted) for group, wanted in union.items()}

    def knows(self, bindings: Iterable[ObjectName]) -> bool:
        """Return whether every one of `bindings` has an entry."""
        with self._lock:
            return all(binding in self._needs for binding in bindings)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendRulesReconciler:
    """Brings each security group to the union of what the bindings need."""

    ledger: RuleLedger
    rules: BackendRules
    bindings: Callable[[], Iterable[ObjectName]]
    """Every binding there is; until each was reconciled once, nothing is revoked."""
    facts: Callable[[], Mapping[SecurityGroupId, SecurityGroupFact]]
    """The security groups of the VPC."""
    cluster: str

    def reconcile(self) -> None:
        """Authorize what is missing, then revoke what nobody needs, on every group.

        Raises:
            LbControllerError: the first failure, after every other group was brought forward.
        """
        scope = RevokeScope.UNNEEDED if self.ledger.knows(self.bindings()) else RevokeScope.NOTHING
        union, facts = self.ledger.union(), self.facts()
        groups = union.keys() | {group for group, fact in facts.items() if self._is_of_cluster(fact)}
        failure: LbControllerError | None = None
        for group, observed in sorted(self.rules.describe_rules(groups).items()):
            ours = frozenset(rule for rule in observed if not self._is_of_other_cluster(rule, facts))
            wanted = merge_rules(union.get(group, frozenset()), _room(observed, ours))
            try:
                self._change(group, plan_backend_rules(wanted, ours, revoke=scope))
            except LbControllerError as error:
                failure = failure or error
        if failure is not None:
            raise failure

    def _change(self, group: SecurityGroupId, changes: RuleChanges) -> None:
        revoke = changes.revoke
        if changes.authorize:
            try:
                self.rules.authorize(group, changes.authorize)
            except Denied as error:
                if not is_rule_limit(error) or not revoke:
                    raise
                # Others left no room to open before closing: now what is no longer needed has to go first.
                self.rules.revoke(group, revoke)
                self.rules.authorize(group, changes.authorize)
                return
        if revoke:
            self.rules.revoke(group, revoke)

    def _is_of_cluster(self, fact: SecurityGroupFact) -> bool:
        return f"{CLUSTER_TAG_PREFIX}{self.cluster}" in fact.tags

    def _is_of_other_cluster(
        self, rule: IngressRule, facts: Mapping[SecurityGroupId, SecurityGroupFact]
    ) -> bool:
        """Return whether a controller of another cluster, which shares the group with us, made a rule."""
        fact = facts.get(SecurityGroupId(rule.peer.value))
        return fact is not None and fact.tags.get(CLUSTER_TAG, self.cluster) != self.cluster


def _room(observed: frozenset[IngressRule], ours: frozenset[IngressRule]) -> int:
    """Return how many rules we may have in a group beside those of others.

    Some stay free, so that a range can be opened before the rules that it replaces are closed.
    """
    foreign = len(observed) - sum(rule.description == SHARED_RULE_DESCRIPTION for rule in ours)
    return max(1, RULES_PER_SECURITY_GROUP - SPARE_RULES - foreign)
