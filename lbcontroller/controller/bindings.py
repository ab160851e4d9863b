"""The reconcile of a TargetGroupBinding: the targets of one target group, and the rules in front of them.

It never looks at load balancers or their annotations, so nothing at that level can keep a pod from being
registered. Registration comes before deregistration, and goes on when rules cannot be computed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lbcontroller.build.backend_rules import binding_rules
from lbcontroller.build.targets import BackendNotFound, TargetsResult, build_targets
from lbcontroller.cluster.binding import Binding
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.controller.access import AwsAccess
from lbcontroller.controller.backend_rules import RuleLedger
from lbcontroller.controller.cache import ClusterCache
from lbcontroller.controller.publish import Publisher, holds_finalizer
from lbcontroller.errors import LbControllerError
from lbcontroller.keys import BindingKey
from lbcontroller.model.identity import identify_labels
from lbcontroller.model.ids import Arn
from lbcontroller.plan.targets import plan_targets
from lbcontroller.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class BindingReconciler:
    """Reconciles TargetGroupBindings, those of stacks and those that users write."""

    cache: ClusterCache
    aws: AwsAccess
    publisher: Publisher
    ledger: RuleLedger
    wake_rules: Callable[[], None]
    """Asks for a reconcile of the backend rules."""
    settings: Settings

    def reconcile(self, key: BindingKey) -> float | None:
        """Register and deregister until the target group has the targets of its Service.

        Raises:
            InvalidConfig: the binding and its Service do not fit together.
            NotReady: something is on its way.
            Transient: AWS or the API server could not answer.
            Denied: a permission or a quota is missing.
        """
        snapshot = self.cache.binding_snapshot(key)
        binding = snapshot.bindings.get(key.name)
        if binding is None:
            self._strike(key)
        elif binding.meta.deleting:
            self._clean_up(key, binding)
        else:
            self._ensure(key, binding, snapshot)
        return None

    def _ensure(self, key: BindingKey, binding: Binding, snapshot: Snapshot) -> None:
        self.publisher.hold(binding)
        wanted = self._wanted(binding, snapshot)
        failure = self._enter_rules(key, binding, wanted, snapshot)
        changed = self._register(binding, wanted)
        self.publisher.binding_reconciled(binding)
        if changed:
            self.publisher.succeeded(binding)
        if failure is not None:
            raise failure

    def _wanted(self, binding: Binding, snapshot: Snapshot) -> TargetsResult:
        inventory = self.aws.inventory.vpc
        result = build_targets(
            binding,
            snapshot,
            (*inventory.cidrs, *inventory.ipv6_cidrs),
            fail_open=self.settings.feature_gates.endpoints_fail_open,
        )
        match result:
            case BackendNotFound():
                self.publisher.findings(binding, (result.finding,))
                return TargetsResult(targets=frozenset())
            case TargetsResult():
                self.publisher.findings(binding, result.findings)
                return result

    def _enter_rules(
        self, key: BindingKey, binding: Binding, wanted: TargetsResult, snapshot: Snapshot
    ) -> LbControllerError | None:
        """Note the rules that the targets need; return why that failed, because registration goes on."""
        if binding.spec.networking is None:
            self._strike(key)
            return None
        try:
            groups = self.aws.groups.of_targets(wanted, snapshot)
            rules = binding_rules(binding.spec, wanted, snapshot, groups)
        except LbControllerError as error:
            return error
        if self.ledger.enter(key.name, rules):
            self.wake_rules()
        return None

    def _register(self, binding: Binding, wanted: TargetsResult) -> bool:
        """Register what is missing, then deregister what is too much; return whether anything was done."""
        target_group = Arn(str(binding.spec.target_group))
        changes = plan_targets(wanted.targets, self.aws.targets.observed(target_group))
        self.aws.targets.register(target_group, changes.register)
        self.aws.targets.deregister(target_group, changes.deregister)
        return bool(changes.register or changes.deregister)

    def _clean_up(self, key: BindingKey, binding: Binding) -> None:
        if not holds_finalizer(binding):
            return
        if identify_labels(binding.meta.labels) is None:
            self._register(binding, TargetsResult(targets=frozenset()))
        # Targets of a stack's own target group stay: the group is deleted next, or gets its binding back.
        self._strike(key)
        self.publisher.let_go(binding)

    def _strike(self, key: BindingKey) -> None:
        if self.ledger.strike(key.name):
            self.wake_rules()
