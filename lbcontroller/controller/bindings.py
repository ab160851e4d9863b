"""The reconcile of a TargetGroupBinding: the targets of one target group, and the rules in front of them.

It never looks at load balancers or their annotations, so nothing at that level can keep a pod from being
registered. Registration comes before deregistration, and goes on when rules cannot be computed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, assert_never

from lbcontroller.build.backend_rules import binding_rules
from lbcontroller.build.target_group_facts import moved
from lbcontroller.build.targets import BackendNotFound, TargetsResult, build_targets
from lbcontroller.cluster.binding import Binding
from lbcontroller.cluster.service import Service
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.controller.access import AwsAccess
from lbcontroller.controller.backend_rules import RuleLedger
from lbcontroller.controller.cache import ClusterCache
from lbcontroller.controller.claimed_targets import ClaimedTargets
from lbcontroller.controller.news import News
from lbcontroller.controller.publish import Publisher, holds_finalizer
from lbcontroller.controller.readiness import GateWriter, HealthPolls
from lbcontroller.controller.registration import Registrar, Registration
from lbcontroller.controller.target_groups import BoundTargetGroup, HeldTargetGroups, TargetGroupFinder
from lbcontroller.controller.target_quotas import TargetQuotas
from lbcontroller.errors import LbControllerError, NotReady, Stage, during
from lbcontroller.keys import BindingKey, ObjectName
from lbcontroller.kube.resources import ResourceType
from lbcontroller.model.findings import Finding
from lbcontroller.model.identity import identify_labels
from lbcontroller.plan.readiness import plan_gates, release_gates
from lbcontroller.settings import Settings

UNREPORTED_SECONDS: Final = 15.0
"""A Service that exists and that no watch reports is waited for so long; the watch reports it before."""

CHECKPOINT_SECONDS: Final = 10.0
"""Targets that have not changed for so long are noted in the checkpoint: once for a whole rollout."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BindingReconciler:
    """Reconciles TargetGroupBindings, those of stacks and those that users write."""

    cache: ClusterCache
    aws: AwsAccess
    publisher: Publisher
    finder: TargetGroupFinder
    registrar: Registrar
    claims: ClaimedTargets
    polls: HealthPolls
    gates: GateWriter
    missing: News
    """About the backends of bindings."""
    read_service: Callable[[ObjectName], Service | None]
    """Asks the API server for a Service, whatever the watches say."""
    held: HeldTargetGroups
    quotas: TargetQuotas
    ledger: RuleLedger
    wake_rules: Callable[[], None]
    """Asks for a reconcile of the backend rules."""
    look_again: Callable[[BindingKey, float], None]
    """Asks for a reconcile of a binding after some seconds, whatever else becomes of it."""
    settings: Settings

    def reconcile(self, key: BindingKey) -> float | None:
        """Register and deregister until the target group has the targets of its Service.

        Returns:
            After how many seconds to look again, if something is left to do.

        Raises:
            InvalidConfig: the binding, its target group and its Service do not fit together.
            NotReady: something is on its way.
            Transient: AWS or the API server could not answer.
            Denied: a permission or a quota is missing.
        """
        snapshot = self.cache.binding_snapshot(key)
        binding = snapshot.bindings.get(key.name)
        if binding is None:
            self._forget(key)
            return None
        if binding.meta.deleting:
            with during(Stage.CLEANUP):
                self._clean_up(key, binding)
            return None
        try:
            return self._ensure(key, binding, snapshot)
        except Exception as error:
            if binding.spec.networking is not None and self.ledger.fail(key.name, error):
                self.wake_rules()
            raise

    def _ensure(self, key: BindingKey, binding: Binding, snapshot: Snapshot) -> float | None:
        bound = self.finder.find(binding)
        self.publisher.hold(binding)
        if not binding.spec.multi_cluster:
            self.claims.drop(binding)
        result = build_targets(
            bound.binding,
            snapshot,
            self.aws.target_accounts.address_blocks(bound.binding.spec.vpc_id),
            fail_open=self.settings.feature_gates.endpoints_fail_open,
        )
        match result:
            case BackendNotFound():
                self._abandon(key, bound, result, snapshot)
                return None
            case TargetsResult():
                self.missing.forget(key.name)
                return self._serve(key, bound, result, snapshot)
            case _:
                assert_never(result)

    def _serve(
        self, key: BindingKey, bound: BoundTargetGroup, wanted: TargetsResult, snapshot: Snapshot
    ) -> float | None:
        binding = bound.binding
        rules_failure = self._enter_rules(key, binding, wanted, snapshot)
        quotas = self.quotas.check(binding, wanted, snapshot)
        done = self.registrar.register(bound, wanted, snapshot)
        moves = self._leave_former(snapshot.bindings[key.name], bound, done)
        self.publisher.findings(binding, (*wanted.findings, *quotas, *done.findings, *moves))
        waiting = self._publish_gates(binding, wanted, done, snapshot)
        waits = (done.retry_after, waiting, CHECKPOINT_SECONDS if done.changed else None)
        again = min((wait for wait in waits if wait is not None), default=None)
        failure = done.failure or rules_failure
        if failure is not None:
            if again is not None:
                self.look_again(key, again)
            if rules_failure is not None and failure is not rules_failure:
                self.publisher.failed(binding, rules_failure, failures=0)
            raise failure
        if done.changed:
            self.publisher.note_change(binding)
        if not self.ledger.is_outstanding(key.name):
            # Whoever changes the load balancer's security groups waits for this.
            self.publisher.binding_reconciled(binding)
            self.publisher.tell_success(binding)
        return again

    def _enter_rules(
        self, key: BindingKey, binding: Binding, wanted: TargetsResult, snapshot: Snapshot
    ) -> LbControllerError | None:
        """Note the rules that the targets need; return why that failed, because registration goes on."""
        if binding.spec.networking is None:
            self._strike(key)
            return None
        try:
            with during(Stage.NETWORK):
                groups = self.aws.groups.of_targets(wanted, snapshot)
                rules = binding_rules(binding.spec, wanted, snapshot, groups)
        except LbControllerError as error:
            return error
        if self.ledger.enter(key.name, rules):
            self.wake_rules()
        return None

    def _leave_former(
        self, binding: Binding, bound: BoundTargetGroup, done: Registration
    ) -> tuple[Finding, ...]:
        """Take the targets out of the target group that a binding had before it was changed.

        Webhooks refuse such a change. Without them it is followed, as if the binding had been made anew.
        """
        former = self.held.former(bound)
        if former is not None and done.failure is not None:
            return ()  # what serves is left alone until its successors are registered
        told: tuple[Finding, ...] = ()
        if former is not None and identify_labels(binding.meta.labels) is None:
            if left := self.finder.find_to_leave(former.binding):
                self.registrar.empty(left)
            told = (moved(binding, former.arn),)
        self.held.hold(bound)
        return told

    def _publish_gates(
        self, binding: Binding, wanted: TargetsResult, done: Registration, snapshot: Snapshot
    ) -> float | None:
        """Write the conditions of gated pods; return after how many seconds to ask for their health again."""
        name = binding.meta.name
        pods = {target: snapshot.pods[pod] for target, pod in wanted.pods.items() if pod in snapshot.pods}
        planned = plan_gates(name.name, pods, done.observed)
        self.gates.write(planned.updates)
        if not planned.waiting:
            self.polls.forget(name)
            return None
        if done.was_read or done.changed:
            self.polls.learned(name, planned.waiting)
        return self.polls.interval(name)

    def _abandon(
        self, key: BindingKey, bound: BoundTargetGroup, missing: BackendNotFound, snapshot: Snapshot
    ) -> None:
        """Take everything back that was done for a Service, or a port of it, that is not there any more."""
        if (wait := self.missing.wait(key.name)) > 0:
            raise NotReady(missing.finding.message, retry_after=wait)
        service = ObjectName(key.name.namespace, bound.binding.spec.service)
        if service not in snapshot.services and self.read_service(service) is not None:
            raise NotReady(
                f"no watch reports Service {service}, which exists", retry_after=UNREPORTED_SECONDS
            )
        self.publisher.findings(bound.binding, (missing.finding,))
        self.registrar.empty(bound)
        self.quotas.forget(key.name)
        self._strike(key)
        self._release_gates(key)
        self.publisher.binding_reconciled(bound.binding)

    def _clean_up(self, key: BindingKey, binding: Binding) -> None:
        if not holds_finalizer(binding):
            return
        if identify_labels(binding.meta.labels) is None and (bound := self.finder.find_to_leave(binding)):
            self.registrar.empty(bound)
        # Targets of a stack's own target group stay: the group is deleted next, or gets its binding back.
        self.claims.close(binding)
        self._strike_out(key)
        self._release_gates(key)
        self.publisher.let_go(binding)

    def _release_gates(self, key: BindingKey) -> None:
        self.gates.write(release_gates(key.name.name, self.cache.pods_in(key.name.namespace)))

    def _forget(self, key: BindingKey) -> None:
        self._strike_out(key)
        self.quotas.forget(key.name)
        self.polls.forget(key.name)
        self.missing.forget(key.name)
        self.registrar.departures.forget(key.name)
        self.held.leave(key.name)
        self.publisher.forget(ResourceType.TARGET_GROUP_BINDINGS, key.name)

    def _strike(self, key: BindingKey) -> None:
        if self.ledger.strike(key.name):
            self.wake_rules()

    def _strike_out(self, key: BindingKey) -> None:
        """Strike a binding that goes; rules of it may be there even if this process never looked at it."""
        self.ledger.strike(key.name)
        self.wake_rules()
