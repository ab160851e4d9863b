"""The reconcile of a stack: snapshot → build → observe → plan → apply → publish.

Whoever wants the stack, a Service or a group of Ingresses, stands to it in one of four ways, and each has one
arm:

| the owner | what is done                                                                                |
|-----------|---------------------------------------------------------------------------------------------|
| wants it  | add the finalizer, make it as wanted, publish it, let go of objects that left               |
| left it   | remove everything, then the finalizer                                                       |
| is unsure | leave everything as it is, and say why                                                      |
| has none  | nothing                                                                                     |

Every run starts from what is observed, so it does not matter where an earlier one stopped.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from lbcontroller.aws.attributes import AttributesRefused
from lbcontroller.aws.protections import ProtectionRefused
from lbcontroller.build.result import BuildResult
from lbcontroller.controller.access import AwsAccess
from lbcontroller.controller.backend_group import BackendGroupUsers
from lbcontroller.controller.binding_objects import observed_bindings
from lbcontroller.controller.cache import ClusterCache
from lbcontroller.controller.checkpoints import Checkpoints
from lbcontroller.controller.refusals import Refusals, Wish
from lbcontroller.controller.refused_attributes import with_annotations
from lbcontroller.controller.stack_owner import Attempt, Done, StackOwner, Standing
from lbcontroller.controller.steps import Executed, StepExecutor
from lbcontroller.errors import Denied, InvalidConfig, NotReady, Refused, Transient
from lbcontroller.keys import StackKey, StackKind
from lbcontroller.model.digests import stack_digest
from lbcontroller.model.drift_mode import DriftMode
from lbcontroller.model.findings import Finding, FindingReason
from lbcontroller.model.identity import StackId, stack_id
from lbcontroller.model.ids import Arn
from lbcontroller.model.inventory import Inventory
from lbcontroller.model.observed import Observed, ObservedLoadBalancer
from lbcontroller.model.references import Kind, ResourceId
from lbcontroller.model.resources import LoadBalancerTarget, Stack, security_groups_in
from lbcontroller.plan.announcements import announcements
from lbcontroller.plan.drift import drift_repaired, drift_reported
from lbcontroller.plan.planner import plan
from lbcontroller.plan.policies import PlanPolicy, is_serving
from lbcontroller.plan.steps import Delete, Plan
from lbcontroller.telemetry.logs import event
from lbcontroller.telemetry.metrics import DriftOutcome

LOGGER = logging.getLogger(__name__)
REFUSED_SETTING_SECONDS = 300.0
"""Until AWS is asked again for a setting that it did not take, unless somebody changes something before."""
BINDING_GONE_SECONDS = 5.0
"""A binding that goes away wakes its stack; this is for the case that its event was lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackReconciler:
    """Reconciles the stacks of Services and of groups of Ingresses."""

    owner_of: Callable[[StackKey], StackOwner | None]
    """Returns whoever may want a stack, as the cluster is now; None: nobody is there."""
    cache: ClusterCache
    aws: AwsAccess
    executor: StepExecutor
    backend_group_users: BackendGroupUsers
    refusals: Refusals
    checkpoints: Checkpoints
    count_drift: Callable[[str, DriftOutcome], None]
    """Counts what somebody else changed in AWS, by the kind of resource."""
    policy: Callable[[], PlanPolicy]
    """The planner's policy of the moment."""

    def reconcile(self, key: StackKey) -> float | None:
        """Bring one stack to what its owner wants; return after how many seconds to look again.

        Raises:
            InvalidConfig: the owner asks for something that cannot be done; nothing was applied.
            NotReady: something it needs is on its way.
            Transient: AWS or the API server could not answer.
            Denied: a permission or a quota is missing.
        """
        owner = self.owner_of(key)
        if owner is None:
            self._remove_late_bindings(key)
            self._forget(key)
            return None
        match owner.standing:
            case Standing.WANTED:
                return self._ensure(owner)
            case Standing.LEFT:
                return self._clean_up(owner)
            case Standing.UNCLAIMED:
                if not self.aws.observer.observe(stack_id(key)):
                    self._remove_late_bindings(key)
                self._forget(key)
                return owner.explain()
            case Standing.UNDECIDED:
                return owner.explain()

    def _remove_late_bindings(self, key: StackKey) -> None:
        """Delete bindings that were reported only after everything else of their stack was cleaned up."""
        late = tuple(observed_bindings(self.cache.stack_snapshot(key).bindings.values(), ()))
        if late:
            self.executor.run(plan(Stack(stack_id(key)), late, self.policy()))

    def _forget(self, key: StackKey) -> None:
        self.backend_group_users.forget(key)
        self.refusals.forget(key)

    def _ensure(self, owner: StackOwner) -> float | None:
        built = self._build(owner)
        unread = self._read_facts(owner, built)
        planned = self._plan(owner, built)
        owner.hold(built)
        try:
            executed = self._apply(owner, built, planned)
        except (Refused, Denied) as error:
            attempt = Attempt(built=built, planned=planned, observed=self._observe(owner))
            if owner.goes_on_without(error, attempt):
                raise NotReady(
                    f"the others go on without what was refused: {error}", retry_after=0.0
                ) from error
            raise
        done = self._done(built, planned, executed, unread)
        owner.publish(done)
        if not planned.postponed and done.refused is None:
            self.checkpoints.note(
                stack_digest(built.stack), owner.snapshot.bindings.values(), withdrawn=bool(planned.steps)
            )
        refused = None if done.refused is None else REFUSED_SETTING_SECONDS
        looks = (_next_look(planned), owner.release(planned), built.look_again, refused)
        return min((seconds for seconds in looks if seconds is not None), default=None)

    def _build(self, owner: StackOwner) -> BuildResult:
        inventory = self._inventory(owner)
        try:
            built = self._build_with_newest_facts(owner, inventory)
        except NotReady:
            if inventory.backend_security_group is None:
                self.backend_group_users.want(owner.key)
            raise
        self.refusals.check(owner.key, _wish(owner, built))
        if self._uses_backend_group(built.stack):
            self.backend_group_users.use(owner.key)
        return built

    def _build_with_newest_facts(self, owner: StackOwner, inventory: Inventory) -> BuildResult:
        """Build, and once more if what was refused exists in AWS by now."""
        try:
            built = owner.build(inventory)
        except InvalidConfig:
            newest = self._newest_facts(owner, inventory)
            if newest is None:
                raise
        else:
            newest = self._newest_facts(owner, inventory) if owner.has_new_problems(built) else None
            if newest is None:
                return built
        return owner.build(newest)

    def _newest_facts(self, owner: StackOwner, known: Inventory) -> Inventory | None:
        """Read the facts for a build again; None: they are as known, were read a moment ago, or cannot be."""
        try:
            changed = self.aws.inventory.refresh(str(owner.key))
        except (Transient, Denied) as error:
            # What is known is good enough for everything but what misses a fact, which is tried again.
            event(LOGGER, logging.WARNING, "inventory_not_read", key=owner.key, error=error)
            return None
        newest = self._inventory(owner) if changed else known
        return None if newest == known else newest

    def _inventory(self, owner: StackOwner) -> Inventory:
        owner.look_up(self.aws.inventory)
        stack = stack_id(owner.key)
        if owner.key.kind is StackKind.INGRESS:
            # A member that cannot be understood keeps its certificates, so the build has to know them.
            self.aws.observer.read_certificates(stack)
            self.aws.observer.refresh_requests(stack)
        return self.aws.inventory.for_stack(stack)

    def _uses_backend_group(self, stack: Stack) -> bool:
        """Whether the shared group is needed; what is retained is not looked into and may well need it."""
        group = self.aws.inventory.for_stack(stack.id).backend_security_group
        return group is not None and (bool(stack.retained) or group in security_groups_in(stack))

    def _plan(self, owner: StackOwner, built: BuildResult) -> Plan:
        """Plan from facts that are known, and tell what users should know before it happens."""
        stack = built.stack.id
        if self._is_replaced(stack):
            self.aws.observer.refresh_protection(stack)
            self.aws.observer.refresh_states(stack)
        elif _registers_load_balancer(built.stack):
            self.aws.observer.refresh_states(stack)
        observed = self._observe(owner)
        planned = self._planned(owner, built, observed)
        drift = self._drift(owner, built, planned)
        if drift and built.drift is DriftMode.REPORT:
            planned = replace(planned, steps=(), postponed=())
        notices = (*announcements(planned, stack, observed), *drift)
        owner.tell(built, (*built.findings, *planned.findings, *notices))
        owner.deletion_blocked(None)
        return planned

    def _drift(self, owner: StackOwner, built: BuildResult, planned: Plan) -> tuple[Finding, ...]:
        """Tell of a plan that brings about again what was brought about before: somebody else undid it."""
        if not planned.steps or not self._was_brought_about(owner, built):
            return ()
        is_left = built.drift is DriftMode.REPORT
        for step in planned.steps:
            self.count_drift(step.subject.kind, DriftOutcome.REPORTED if is_left else DriftOutcome.REPAIRED)
        tell = drift_reported if is_left else drift_repaired
        return (tell(built.stack.id, planned.steps),)

    def _was_brought_about(self, owner: StackOwner, built: BuildResult) -> bool:
        bindings = owner.snapshot.bindings.values()
        return self.checkpoints.says(stack_digest(built.stack), bindings)

    def _planned(self, owner: StackOwner, built: BuildResult, observed: tuple[Observed, ...]) -> Plan:
        policy = self.policy().for_object(allowed=built.may_be_replaced, setting=built.may_be_replaced_field)
        drift = policy.for_drift(built.drift, brought_about=self._was_brought_about(owner, built))
        return plan(built.stack, observed, drift)

    def _read_facts(self, owner: StackOwner, built: BuildResult) -> tuple[ProtectionRefused, ...]:
        """Read what a plan needs to know of what exists; return what may not be read.

        A stack that was only partly read is read exactly before anything of it is changed. What costs a call
        for each resource the process before had verified; the sweep asks for it again.
        """
        observer, stack = self.aws.observer, built.stack
        if observer.is_partly_read(stack.id) and self._was_brought_about(owner, built):
            unread = observer.read_unknown(stack) if observer.was_doubted(stack.id) else ()
            if self._planned(owner, built, self._observe(owner)).is_settled:
                return unread
        observer.complete(stack.id)
        return observer.read_unknown(stack)

    def _observe(self, owner: StackOwner) -> tuple[Observed, ...]:
        observed = self.aws.observer.observe(stack_id(owner.key))
        return (*observed, *observed_bindings(owner.snapshot.bindings.values(), observed))

    def _is_replaced(self, stack: StackId) -> bool:
        """Whether one load balancer of the stack takes the place of another."""
        names = Counter(item.resource.id for item in _load_balancers(self.aws.observer.observe(stack)))
        return any(count > 1 for count in names.values())

    def _apply(self, owner: StackOwner, built: BuildResult, planned: Plan) -> Executed:
        stack = built.stack
        was_replaced = self._is_replaced(stack.id)
        if planned.steps:
            self.checkpoints.withdraw(owner.snapshot.bindings.values())
        executed = self._run(owner.key, _wish(owner, built), planned)
        if not (planned.postponed or self._uses_backend_group(stack)):
            self.backend_group_users.leave(owner.key)
        if not was_replaced and self._is_replaced(stack.id):
            self.aws.observer.refresh_states(stack.id)
        return executed

    def _run(self, key: StackKey, wish: Wish, planned: Plan) -> Executed:
        try:
            return self.executor.run(planned)
        except AttributesRefused as error:
            refused = with_annotations((error,), wish.attribute_fields, wish.attribute_speakers)
            refused.about = error.about
            self.refusals.remember(key, wish, refused)
            raise refused from error
        except (Refused, Denied) as error:
            self.refusals.remember(key, wish, error)
            raise

    def _done(
        self, built: BuildResult, planned: Plan, executed: Executed, unread: tuple[ProtectionRefused, ...]
    ) -> Done:
        refused = (*unread, *executed.refused)
        load_balancers = _load_balancers(self.aws.observer.observe(built.stack.id))
        return Done(
            built=built,
            serving=_serving(load_balancers, executed.arns),
            changed=bool(planned.steps),
            waiting=planned.waiting,
            refused=with_annotations(refused, built.attribute_fields, built.attribute_speakers)
            if refused
            else None,
        )

    def _clean_up(self, owner: StackOwner) -> float | None:
        """Delete everything of the stack; annotations are not read, so a bad one cannot block it."""
        stack = Stack(stack_id(owner.key))
        wish = Wish(stack=stack, touches=owner.touches())
        self.refusals.check(owner.key, wish)
        self.aws.observer.complete(stack.id)
        self.aws.observer.refresh_protection(stack.id)
        observed = self._observe(owner)
        planned = plan(stack, observed, self.policy())
        owner.tell(None, (*planned.findings, *announcements(planned, stack.id, observed)))
        owner.deletion_blocked(_blocked(planned))
        self._run(owner.key, wish, planned)
        if planned.postponed:
            return _next_look(planned)
        if _deletes_bindings(planned):
            return BINDING_GONE_SECONDS
        owner.withdraw()
        self.backend_group_users.leave(owner.key)
        return None


def _wish(owner: StackOwner, built: BuildResult) -> Wish:
    return Wish(
        stack=built.stack,
        touches=owner.touches(),
        attribute_fields=built.attribute_fields,
        attribute_speakers=built.attribute_speakers,
    )


def _registers_load_balancer(stack: Stack) -> bool:
    """Whether a load balancer is a target, which AWS takes only when it is set up."""
    return any(isinstance(resource, LoadBalancerTarget) for resource in stack.resources)


def _load_balancers(observed: Iterable[Observed]) -> list[ObservedLoadBalancer]:
    return [item for item in observed if isinstance(item, ObservedLoadBalancer)]


def _serving(
    load_balancers: Sequence[ObservedLoadBalancer], arns: Mapping[ResourceId, Arn]
) -> Mapping[str, ObservedLoadBalancer]:
    """Return the load balancers to publish: the desired ones, or predecessors until those serve."""
    desired = {item.resource.id: item for item in load_balancers if item.arn == arns.get(item.resource.id)}
    older = {item.resource.id: item for item in load_balancers if is_serving(item)}
    return {id_.name: item if is_serving(item) else older.get(id_, item) for id_, item in desired.items()}


def _blocked(planned: Plan) -> str | None:
    """Return why load balancers are not deleted that should be; None when nothing keeps them."""
    protected = (item for item in planned.findings if item.reason is FindingReason.DELETION_PROTECTED)
    return "; ".join(item.message for item in protected) or None


def _deletes_bindings(planned: Plan) -> bool:
    return any(
        isinstance(step, Delete) and step.id.kind is Kind.TARGET_GROUP_BINDING for step in planned.steps
    )


def _next_look(planned: Plan) -> float | None:
    return min((step.retry_after for step in planned.postponed), default=None)
