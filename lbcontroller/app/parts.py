"""Constructs every part of the program, once; nothing is started here."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, assert_never

import aiohttp

from lbcontroller.annotations.claims import Claimed
from lbcontroller.app.admission import Admission
from lbcontroller.app.aws_account import AwsAccount, connect_aws
from lbcontroller.app.binding_parts import ClusterOutlets, backend_rules_reconciler, binding_reconciler
from lbcontroller.app.leader import Fence, Leadership, replica_identity
from lbcontroller.app.queues import Queues, TargetKey
from lbcontroller.app.sweep import Sweep
from lbcontroller.app.watches import Watches
from lbcontroller.build.service import claim
from lbcontroller.controller.address_publisher import AddressPublisher
from lbcontroller.controller.backend_group import BackendGroupReconciler, BackendGroupUsers
from lbcontroller.controller.backend_rules import BackendRulesReconciler, RuleLedger
from lbcontroller.controller.bindings import BindingReconciler
from lbcontroller.controller.cache import ClusterCache
from lbcontroller.controller.outcomes import Outcomes
from lbcontroller.controller.publish import Publisher, Subject, holds_finalizer
from lbcontroller.controller.refusals import Refusals
from lbcontroller.controller.stacks import StackReconciler
from lbcontroller.controller.steps import StepExecutor
from lbcontroller.keys import (
    BACKEND_SECURITY_GROUP_KEY,
    BackendRulesKey,
    BindingKey,
    Key,
    StackKey,
    StackKind,
)
from lbcontroller.kube.client import Client
from lbcontroller.kube.connection import Connection
from lbcontroller.kube.events import EventRecorder
from lbcontroller.kube.writes import ObjectWriter
from lbcontroller.model.identity import stack_key
from lbcontroller.plan.policies import PlanPolicy
from lbcontroller.settings import Settings
from lbcontroller.telemetry.metrics import Metrics

MOST_TOLD: Final = 20
"""Bindings that are told of one failure on rules that all of them share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconcilers:
    """What works on each kind of key."""

    stacks: StackReconciler
    backend_group: BackendGroupReconciler
    bindings: BindingReconciler
    backend_rules: BackendRulesReconciler


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Every part, constructed and connected."""

    settings: Settings
    connection: Connection
    identity: str
    metrics: Metrics
    fence: Fence
    stopping: threading.Event
    cache: ClusterCache
    queues: Queues
    watches: Watches
    events: EventRecorder
    outcomes: Outcomes
    aws: AwsAccount
    reconcilers: Reconcilers
    sweep: Sweep
    admission: Admission

    def load(self) -> None:
        """Read AWS in bulk.

        Raises:
            LbControllerError: AWS cannot be used.
        """
        self.aws.access.inventory.load()
        self.aws.loader.load()

    def leadership(self, session: aiohttp.ClientSession) -> Leadership:
        """Return the part this replica takes in the election."""
        namespace = self.connection.namespace
        return Leadership.of(self.settings, session, namespace, self.identity, self.fence)

    def reconcile_stack(self, key: StackKey) -> float | None:
        """Work on a key of the stacks' queue."""
        match key.kind:
            case StackKind.SERVICE:
                return self.reconcilers.stacks.reconcile(key)
            case StackKind.INGRESS:
                return None
            case StackKind.BACKEND_SECURITY_GROUP:
                return self.reconcilers.backend_group.reconcile()
            case _:
                assert_never(key.kind)

    def reconcile_targets(self, key: TargetKey) -> float | None:
        """Work on a key of the targets' queue."""
        match key:
            case BindingKey():
                return self.reconcilers.bindings.reconcile(key)
            case BackendRulesKey():
                self.reconcilers.backend_rules.reconcile()
                return None
            case _:
                assert_never(key)

    def refresh_gauges(self) -> None:
        """Bring the metrics that are states, not counts, up to date."""
        for name, queue in (("stacks", self.queues.stacks), ("targets", self.queues.targets)):
            self.metrics.queue_state(name, queue.depth, queue.oldest_wait())
        for resource, views in self.cache.contents().items():
            self.metrics.cached_objects(resource, len(views))


def assemble(
    settings: Settings,
    connection: Connection,
    environment: Mapping[str, str],
    *,
    clock: Callable[[], float] = time.monotonic,
) -> Parts:
    """Construct the program.

    Args:
        settings: its flags.
        connection: the API server.
        environment: the process's variables, for the discovery of region and VPC.
        clock: what decides when work is due and what is too old; real sleep and real waits do not follow it.

    Raises:
        LbControllerError: region or VPC cannot be found out.
    """
    metrics, fence, stopping = Metrics(), Fence(), threading.Event()
    cache, queues, identity = ClusterCache(), Queues.of(settings, clock), replica_identity()
    aws = connect_aws(
        settings,
        environment,
        metrics,
        fence,
        on_lost=lambda stack: queues.stacks.add(stack_key(stack)),
        clock=clock,
    )
    client = Client(connection, may_write=fence.may_write)
    events = EventRecorder(client, metrics, instance=identity, clock=time.monotonic, now=_now)
    publisher = Publisher(writer=ObjectWriter(client), events=events)
    executor = StepExecutor(
        applier=aws.applier, writer=publisher.writer, cache=cache, stopping=stopping.is_set
    )
    outlets = ClusterOutlets.of(publisher, client, metrics)
    bindings = binding_reconciler(settings, aws.access, cache, queues, outlets, clock=clock)
    rules, subjects = backend_rules_reconciler(bindings, aws, metrics), _Subjects(cache, bindings.ledger)
    return Parts(
        settings=settings,
        connection=connection,
        identity=identity,
        metrics=metrics,
        fence=fence,
        stopping=stopping,
        cache=cache,
        queues=queues,
        watches=Watches(
            cache=cache,
            enqueue=queues.take_up,
            namespace=settings.watch_namespace,
            quic_variable=settings.quic_environment_variable_name,
        ),
        events=events,
        outcomes=Outcomes(publisher=publisher, metrics=metrics, subjects_of=subjects),
        aws=aws,
        reconcilers=_reconcilers(settings, aws, queues, executor, bindings, rules),
        sweep=Sweep(aws=aws, cache=cache, queues=queues, settings=settings, metrics=metrics),
        admission=Admission.of(settings, cache, aws, events, fence, metrics),
    )


def _reconcilers(
    settings: Settings,
    aws: AwsAccount,
    queues: Queues,
    executor: StepExecutor,
    bindings: BindingReconciler,
    backend_rules: BackendRulesReconciler,
) -> Reconcilers:
    cache = bindings.cache
    users = BackendGroupUsers(wake=lambda: queues.stacks.add(BACKEND_SECURITY_GROUP_KEY))

    def policy() -> PlanPolicy:
        return PlanPolicy.of(settings, _now())

    return Reconcilers(
        stacks=StackReconciler(
            cache=cache,
            aws=aws.access,
            executor=executor,
            publisher=bindings.publisher,
            addresses=AddressPublisher(publisher=bindings.publisher),
            backend_group_users=users,
            refusals=Refusals(clock=time.monotonic),
            settings=settings,
            policy=policy,
        ),
        backend_group=BackendGroupReconciler(
            aws=aws.access,
            executor=executor,
            users=users,
            holders=lambda: _holders(cache, settings),
            wake_stack=queues.stacks.add,
            settings=settings,
            policy=policy,
        ),
        bindings=bindings,
        backend_rules=backend_rules,
    )


def _holders(cache: ClusterCache, settings: Settings) -> Iterator[StackKey]:
    """Yield the stacks of Services that are ours or still carry our finalizer."""
    for service in cache.services():
        if holds_finalizer(service) or isinstance(claim(service, settings), Claimed):
            yield StackKey(StackKind.SERVICE, service.meta.name)


def _now() -> datetime:
    return datetime.now(UTC)


class _Subjects:
    """Finds the objects whose users are to know that the work on a key failed."""

    def __init__(self, cache: ClusterCache, ledger: RuleLedger) -> None:
        self._cache = cache
        self._ledger = ledger

    def __call__(self, key: Key) -> tuple[Subject, ...]:
        return tuple(subject for subject in self._candidates(key) if subject is not None)

    def _candidates(self, key: Key) -> Iterator[Subject | None]:
        match key:
            case StackKey(kind=StackKind.SERVICE, name=name):
                yield self._cache.service(name)
            case BindingKey(name=name):
                yield self._cache.binding(name)
            case BackendRulesKey():
                for name in sorted(self._ledger.affected)[:MOST_TOLD]:
                    yield self._cache.binding(name)
            case _:
                pass
