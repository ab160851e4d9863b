"""The reconcile of a stack: snapshot → build → observe → plan → apply → publish.

A Service is in one of four states, and each has one arm:

|               | holds our finalizer                 | does not                        |
|---------------|-------------------------------------|---------------------------------|
| wants a stack | make it as wanted                   | add the finalizer, then make it |
| wants none    | clean up, then remove the finalizer | nothing to do                   |

Every run starts from what is observed, so it does not matter where an earlier one stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from lbcontroller.annotations.claims import Claimed, IncompleteClaim
from lbcontroller.annotations.service import ServiceAnnotations
from lbcontroller.aws.attributes import AttributesRefused
from lbcontroller.build.result import BuildResult
from lbcontroller.build.service import build_service_stack, claim
from lbcontroller.cluster.service import Service
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.controller.access import AwsAccess
from lbcontroller.controller.address_publisher import AddressPublisher
from lbcontroller.controller.backend_group import BackendGroupUsers
from lbcontroller.controller.binding_objects import observed_bindings
from lbcontroller.controller.cache import ClusterCache
from lbcontroller.controller.publish import Publisher, holds_finalizer
from lbcontroller.controller.refusals import Refusals, Wish
from lbcontroller.controller.refused_attributes import with_annotations
from lbcontroller.controller.steps import Executed, StepExecutor
from lbcontroller.errors import Denied, InvalidConfig, NotReady, Refused
from lbcontroller.keys import StackKey
from lbcontroller.model.findings import FindingReason
from lbcontroller.model.identity import StackId, stack_id
from lbcontroller.model.ids import Arn
from lbcontroller.model.inventory import Inventory
from lbcontroller.model.observed import Observed, ObservedLoadBalancer
from lbcontroller.model.references import Kind, ResourceId
from lbcontroller.model.resources import Stack, security_groups_in
from lbcontroller.plan.announcements import announcements
from lbcontroller.plan.planner import plan
from lbcontroller.plan.policies import PlanPolicy, is_serving
from lbcontroller.plan.steps import Delete, Plan
from lbcontroller.settings import Settings

CERTIFICATE_KEY = ServiceAnnotations.key_of("ssl_cert")
"""Certificates are read once a Service names one: many accounts have none, or many."""
BINDING_GONE_SECONDS = 5.0
"""A binding that goes away wakes its stack; this is for the case that its event was lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackReconciler:
    """Reconciles the stacks of Services."""

    cache: ClusterCache
    aws: AwsAccess
    executor: StepExecutor
    publisher: Publisher
    addresses: AddressPublisher
    backend_group_users: BackendGroupUsers
    refusals: Refusals
    settings: Settings
    policy: Callable[[], PlanPolicy]
    """The planner's policy of the moment."""

    def reconcile(self, key: StackKey) -> float | None:
        """Bring the stack of one Service to what it wants; return after how many seconds to look again.

        Raises:
            InvalidConfig: the Service asks for something that cannot be done; nothing was applied.
            NotReady: something it needs is on its way.
            Transient: AWS or the API server could not answer.
            Denied: a permission or a quota is missing.
        """
        service = self.cache.service(key.name)
        if service is None:
            self._remove_late_bindings(key)
            self.backend_group_users.forget(key)
            self.refusals.forget(key)
            return None
        claimed = claim(service, self.settings)
        if isinstance(claimed, Claimed):
            return self._ensure(key, service)
        if isinstance(claimed, IncompleteClaim):
            # Somebody who mistypes an annotation does not ask for the end of the load balancer.
            self.publisher.findings(service, (claimed.finding,))
            return None
        if holds_finalizer(service):
            return self._clean_up(key, service)
        self.backend_group_users.leave(key)
        return None

    def _remove_late_bindings(self, key: StackKey) -> None:
        """Delete bindings that were made for a Service and reported only after it was cleaned up and gone."""
        late = tuple(observed_bindings(self.cache.stack_snapshot(key).bindings.values(), ()))
        if late:
            self.executor.run(plan(Stack(stack_id(key)), late, self.policy()))

    def _ensure(self, key: StackKey, service: Service) -> float | None:
        snapshot = self.cache.stack_snapshot(key)
        built = self._build(key, service, snapshot)
        planned = self._plan(service, built, snapshot)
        self.publisher.hold(service)
        wish = Wish.of(service.meta, built.stack, built.attribute_fields)
        executed = self._apply(key, wish, planned)
        published = self._publish(service, built, executed.arns)
        if executed.refused:
            raise with_annotations(executed.refused, wish.attribute_fields)
        if planned.steps or published:
            self.publisher.succeeded(service)
        return _next_look(planned)

    def _plan(self, service: Service, built: BuildResult, snapshot: Snapshot) -> Plan:
        """Plan from facts that are known, and tell what the user should know before it happens."""
        stack = built.stack.id
        self.aws.observer.read_unknown(built.stack)
        if self._is_replaced(stack):
            self.aws.observer.refresh_protection(stack)
            self.aws.observer.refresh_states(stack)
        observed = self._observe(stack, snapshot)
        planned = plan(built.stack, observed, self.policy())
        notices = announcements(planned, stack, observed)
        self.publisher.findings(service, (*built.findings, *planned.findings, *notices))
        self.publisher.deletion_blocked(service, None)
        return planned

    def _apply(self, key: StackKey, wish: Wish, planned: Plan) -> Executed:
        stack = wish.stack
        was_replaced = self._is_replaced(stack.id)
        executed = self._run(key, wish, planned)
        if not (planned.postponed or self._uses_backend_group(stack)):
            self.backend_group_users.leave(key)
        if not was_replaced and self._is_replaced(stack.id):
            self.aws.observer.refresh_states(stack.id)
        return executed

    def _run(self, key: StackKey, wish: Wish, planned: Plan) -> Executed:
        try:
            return self.executor.run(planned)
        except AttributesRefused as error:
            refused = with_annotations((error,), wish.attribute_fields)
            self.refusals.remember(key, wish, refused)
            raise refused from error
        except (Refused, Denied) as error:
            self.refusals.remember(key, wish, error)
            raise

    def _is_replaced(self, stack: StackId) -> bool:
        """Whether one load balancer of the stack takes the place of another."""
        return len(_load_balancers(self.aws.observer.observe(stack))) > 1

    def _build(self, key: StackKey, service: Service, snapshot: Snapshot) -> BuildResult:
        inventory = self._inventory(key, service)
        try:
            built = self._build_with_newest_facts(key, service, snapshot, inventory)
        except NotReady:
            if inventory.backend_security_group is None:
                self.backend_group_users.want(key)
            raise
        self.refusals.check(key, Wish.of(service.meta, built.stack, built.attribute_fields))
        if self._uses_backend_group(built.stack):
            self.backend_group_users.use(key)
        return built

    def _uses_backend_group(self, stack: Stack) -> bool:
        group = self.aws.inventory.for_stack(stack.id).backend_security_group
        return group is not None and group in security_groups_in(stack)

    def _build_with_newest_facts(
        self, key: StackKey, service: Service, snapshot: Snapshot, inventory: Inventory
    ) -> BuildResult:
        """Build, and once more if what was refused exists in AWS by now."""
        try:
            return build_service_stack(service, snapshot, inventory, self.settings)
        except InvalidConfig:
            newest = self._inventory(key, service) if self.aws.inventory.refresh(str(key)) else inventory
            if newest == inventory:
                raise
        return build_service_stack(service, snapshot, newest, self.settings)

    def _inventory(self, key: StackKey, service: Service) -> Inventory:
        if CERTIFICATE_KEY in service.meta.annotations:
            self.aws.inventory.want_certificates()
        return self.aws.inventory.for_stack(stack_id(key))

    def _observe(self, stack: StackId, snapshot: Snapshot) -> tuple[Observed, ...]:
        observed = self.aws.observer.observe(stack)
        return (*observed, *observed_bindings(snapshot.bindings.values(), observed))

    def _publish(self, service: Service, built: BuildResult, arns: Mapping[ResourceId, Arn]) -> bool:
        """Write the addresses of the load balancer that serves; return whether that was news."""
        serving = _serving(_load_balancers(self.aws.observer.observe(built.stack.id)), arns)
        if serving is None:
            return False
        return self.addresses.publish(service, serving, built.status_addresses)

    def _clean_up(self, key: StackKey, service: Service) -> float | None:
        """Delete everything of the stack; annotations are not read, so a bad one cannot block it."""
        stack = Stack(stack_id(key))
        wish = Wish.of(service.meta, stack, {})
        self.refusals.check(key, wish)
        snapshot = self.cache.stack_snapshot(key)
        self.aws.observer.refresh_protection(stack.id)
        observed = self._observe(stack.id, snapshot)
        planned = plan(stack, observed, self.policy())
        self.publisher.findings(service, (*planned.findings, *announcements(planned, stack.id, observed)))
        self.publisher.deletion_blocked(service, _blocked(planned))
        self._run(key, wish, planned)
        if planned.postponed:
            return _next_look(planned)
        if _deletes_bindings(planned):
            return BINDING_GONE_SECONDS
        self.publisher.addresses(service, ())
        self.publisher.let_go(service)
        self.backend_group_users.leave(key)
        return None


def _load_balancers(observed: Iterable[Observed]) -> list[ObservedLoadBalancer]:
    return [item for item in observed if isinstance(item, ObservedLoadBalancer)]


def _serving(
    load_balancers: Sequence[ObservedLoadBalancer], arns: Mapping[ResourceId, Arn]
) -> ObservedLoadBalancer | None:
    """Return the load balancer to publish: the desired one, or its predecessor until that one serves."""
    kept = next((item for item in load_balancers if item.arn == arns.get(item.resource.id)), None)
    if kept is None or is_serving(kept):
        return kept
    return next((item for item in load_balancers if item.arn != kept.arn and is_serving(item)), kept)


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
