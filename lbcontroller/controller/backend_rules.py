"""The rules on security groups of nodes and pods: what each binding needs, and their union's reconcile."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from lbcontroller.aws.backend_rules import BackendRules
from lbcontroller.aws.errors import is_rule_limit
from lbcontroller.build.backend_rules import merge_rules, possible_rules, rules_held
from lbcontroller.cluster.binding import Binding
from lbcontroller.controller.publish import TOLD_AFTER_FAILURES
from lbcontroller.errors import Denied, LbControllerError, NotReady, Stage, Transient, during
from lbcontroller.keys import ObjectName
from lbcontroller.model.findings import Finding
from lbcontroller.model.identity import CLUSTER_TAG, CLUSTER_TAG_PREFIX
from lbcontroller.model.ids import SecurityGroupId
from lbcontroller.model.ingress_rules import SHARED_RULE_DESCRIPTION, IngressRule
from lbcontroller.model.inventory import SecurityGroupFact
from lbcontroller.model.limits import RULES_PER_SECURITY_GROUP
from lbcontroller.plan.backend_rules import RuleChanges, meets_any, plan_backend_rules
from lbcontroller.plan.drift import rules_repaired
from lbcontroller.telemetry.metrics import DriftOutcome

SPARE_RULES: Final = 5
"""Rules that a group has left at least, as far as joining ranges of ours can see to it."""

NOT_THERE_SECONDS: Final = 15.0
"""Until a security group is asked for again that AWS does not show."""

RulesByGroup = Mapping[SecurityGroupId, frozenset[IngressRule]]


@dataclass(slots=True)
class RuleLedger:
    """What each binding needs, as its last reconcile computed it, or why that failed; for any thread."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _needs: dict[ObjectName, RulesByGroup] = field(default_factory=dict)
    _failures: dict[ObjectName, _Failure] = field(default_factory=dict)
    """Of bindings whose needs were never computed: what others have may be theirs as well."""
    _affected: frozenset[ObjectName] = frozenset()
    _outstanding: set[ObjectName] = field(default_factory=set)
    """Bindings with rules that may not be in place yet."""

    def enter(self, binding: ObjectName, rules: RulesByGroup) -> bool:
        """Note what a binding needs; return whether that is news."""
        with self._lock:
            self._failures.pop(binding, None)
            is_news = self._needs.get(binding) != rules
            self._needs[binding] = rules
            if not rules:
                self._outstanding.discard(binding)
            elif is_news:
                self._outstanding.add(binding)
            return is_news

    def is_outstanding(self, binding: ObjectName) -> bool:
        """Return whether rules that a binding needs may not be in place yet."""
        with self._lock:
            return binding in self._outstanding

    def outstanding(self) -> Mapping[ObjectName, RulesByGroup]:
        """Return what is needed by the bindings whose rules may not be in place yet."""
        with self._lock:
            return {binding: self._needs[binding] for binding in self._outstanding}

    def settle(
        self, brought_about: Mapping[ObjectName, RulesByGroup], failed: Collection[SecurityGroupId]
    ) -> frozenset[ObjectName]:
        """Note needs that were brought about, but on some groups; return the bindings that have all."""
        with self._lock:
            settled = frozenset(
                binding
                for binding, rules in brought_about.items()
                if self._needs.get(binding) == rules and rules.keys().isdisjoint(failed)
            )
            self._outstanding -= settled
            return settled

    def strike(self, binding: ObjectName) -> bool:
        """Note that a binding is gone; return whether it had an entry."""
        with self._lock:
            failed = self._failures.pop(binding, None)
            self._outstanding.discard(binding)
            return self._needs.pop(binding, None) is not None or failed is not None

    def fail(self, binding: ObjectName, error: Exception) -> bool:
        """Note why it is not known what a binding needs; return whether there is something to tell now.

        Nothing is noted for one that has an entry: what it needed before is still allowed.
        """
        with self._lock:
            if binding in self._needs:
                return False
            before = self._failures.get(binding)
            failure = self._failures[binding] = _Failure.after(before, error)
            return failure.is_told and (before is None or not before.is_told or before.why != failure.why)

    def union(self) -> RulesByGroup:
        """Return what all bindings need together."""
        with self._lock:
            needs = tuple(self._needs.values())
        union: defaultdict[SecurityGroupId, set[IngressRule]] = defaultdict(set)
        for rules in needs:
            for group, wanted in rules.items():
                union[group] |= wanted
        return {group: frozenset(wanted) for group, wanted in union.items()}

    def needs(self, binding: ObjectName, group: SecurityGroupId) -> bool:
        """Return whether a binding needs rules on a security group."""
        with self._lock:
            return group in self._needs.get(binding, {})

    def unknown(self, bindings: Iterable[Binding]) -> tuple[Unknown, ...]:
        """Return those of `bindings` that have no entry."""
        with self._lock:
            missing = [binding for binding in bindings if binding.meta.name not in self._needs]
            failures = [self._failures.get(binding.meta.name) for binding in missing]
        return tuple(
            Unknown(binding, possible_rules(binding.spec), failure.why if failure and failure.is_told else "")
            for binding, failure in zip(missing, failures, strict=True)
        )

    @property
    def affected(self) -> frozenset[ObjectName]:
        """The bindings with rules on a group that could not be changed the last time."""
        with self._lock:
            return self._affected

    def note_affected(self, groups: Collection[SecurityGroupId]) -> None:
        """Note which groups could not be changed."""
        with self._lock:
            self._affected = frozenset(
                binding for binding, rules in self._needs.items() if not rules.keys().isdisjoint(groups)
            )


@dataclass(frozen=True, slots=True)
class Unknown:
    """A binding of which nobody knows what it needs."""

    binding: Binding
    possible: frozenset[IngressRule]
    """What it may need at most."""
    why: str
    """What to tell about it; empty while it has probably just not been looked at yet."""


@dataclass(frozen=True, slots=True)
class _Failure:
    why: str
    times: int
    is_told: bool

    @classmethod
    def after(cls, before: _Failure | None, error: Exception) -> _Failure:
        times = before.times + 1 if before is not None else 1
        goes_by_itself = isinstance(error, NotReady | Transient)
        return cls(str(error), times, is_told=times >= TOLD_AFTER_FAILURES or not goes_by_itself)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendRulesReconciler:
    """Brings each security group to the union of what the bindings need."""

    ledger: RuleLedger
    rules: BackendRules
    bindings: Callable[[], Iterable[Binding]]
    """Every binding that may need rules; what one may need whose needs are not known is not revoked."""
    facts: Callable[[], Mapping[SecurityGroupId, SecurityGroupFact]]
    """The security groups of the VPC."""
    cluster: str
    tell: Callable[[Binding, tuple[Finding, ...]], None]
    """Tells what there is to tell about a binding of which nobody knows what it needs; none: nothing."""
    count_held: Callable[[int], None]
    """Told how many rules stay that nobody is known to need."""
    repaired: Callable[[Binding, Finding], None]
    """Told of each binding whose rules somebody else had changed."""
    count_drift: Callable[[str, DriftOutcome, int], None]
    """Counts what somebody else changed in AWS."""
    awaits_rules: Callable[[Binding], bool]
    """Returns whether a binding is told something once its rules are in place."""
    wake: Callable[[ObjectName], None]
    """Asks for a reconcile of a binding whose rules are in place now."""
    brought_about: dict[SecurityGroupId, frozenset[IngressRule]] = field(default_factory=dict)
    """The rules that this process last made sure of: if they are missing later, that was not us."""

    def reconcile(self) -> None:
        """Authorize what is missing, then revoke what nobody needs, on every group.

        Raises:
            LbControllerError: the first failure, after every other group was brought forward.
        """
        with during(Stage.NETWORK):
            self._reconcile()

    def _reconcile(self) -> None:
        unknown = self.ledger.unknown(self.bindings())
        possible = frozenset(rule for each in unknown for rule in each.possible)
        outstanding = self.ledger.outstanding()  # before the union, which then has all of it
        union, facts = self.ledger.union(), self.facts()
        groups = union.keys() | {group for group, fact in facts.items() if self._is_of_cluster(fact)}
        described = self._describe(groups)
        failures: dict[SecurityGroupId, LbControllerError] = {
            group: _not_there(group) for group in sorted(union.keys() - described.keys())
        }
        held: set[IngressRule] = set()
        for group, observed in sorted(described.items()):
            ours = frozenset(rule for rule in observed if not self._is_of_other_cluster(rule, facts))
            wanted = merge_rules(union.get(group, frozenset()), _room(observed, ours))
            changes = plan_backend_rules(wanted, ours, possible=possible)
            held.update(changes.held)
            undone = len(changes.authorize) + len(changes.revoke)
            if undone and self.brought_about.pop(group, None) == wanted:
                self._tell_drift(group, undone)
            try:
                self._change(group, changes)
            except LbControllerError as error:
                failures[group] = error
            else:
                self.brought_about[group] = wanted
        self.ledger.note_affected(failures)
        self._wake(self.ledger.settle(outstanding, failures.keys()))
        self._tell_held(unknown, held)
        for failure in failures.values():
            raise failure

    def _wake(self, settled: Collection[ObjectName]) -> None:
        """Have it told of bindings that nothing is left to do for them."""
        for binding in self.bindings():
            if binding.meta.name in settled and self.awaits_rules(binding):
                self.wake(binding.meta.name)

    def _describe(self, groups: Collection[SecurityGroupId]) -> RulesByGroup:
        try:
            return self.rules.describe_rules(groups)
        except LbControllerError:
            self.ledger.note_affected(groups)
            raise

    def _tell_held(self, unknown: Iterable[Unknown], held: Collection[IngressRule]) -> None:
        self.count_held(len(held))
        for each in unknown:
            is_told = each.why and any(meets_any(rule, each.possible) for rule in held)
            self.tell(each.binding, (rules_held(each.binding, each.why),) if is_told else ())

    def _tell_drift(self, group: SecurityGroupId, count: int) -> None:
        self.count_drift("SecurityGroupRule", DriftOutcome.REPAIRED, count)
        for binding in self.bindings():
            if self.ledger.needs(binding.meta.name, group):
                self.repaired(binding, rules_repaired(binding.subject, group))

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


def _not_there(group: SecurityGroupId) -> NotReady:
    """Return what to wait for: a group of a node or pod that goes, which is forgotten, or one just made."""
    reason = f"security group {group}, which needs rules, is not there"
    return NotReady(reason, retry_after=NOT_THERE_SECONDS)


def _room(observed: frozenset[IngressRule], ours: frozenset[IngressRule]) -> int:
    """Return how many rules we may have in a group beside those of others.

    Some stay free, so that a range can be opened before the rules that it replaces are closed.
    """
    foreign = len(observed) - sum(rule.description == SHARED_RULE_DESCRIPTION for rule in ours)
    return max(1, RULES_PER_SECURITY_GROUP - SPARE_RULES - foreign)
