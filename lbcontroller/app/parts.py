"""Constructs every part of the program, once; nothing is started here."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import assert_never

import aiohttp

from lbcontroller.app.admission import Admission, teller
from lbcontroller.app.aws_account import AwsAccount, Surroundings, connect_aws
from lbcontroller.app.binding_parts import ClusterOutlets, backend_rules_reconciler, binding_reconciler
from lbcontroller.app.leader import Fence, Leadership, replica_identity
from lbcontroller.app.queues import Queues, TargetKey
from lbcontroller.app.secret_watches import SecretWatches
from lbcontroller.app.stack_parts import StackOutlets, StackReconcilers
from lbcontroller.app.subjects import Subjects
from lbcontroller.app.sweep import Sweep
from lbcontroller.app.waits import REAL_WAITS, Waits
from lbcontroller.app.watches import Watches
from lbcontroller.controller.backend_rules import BackendRulesReconciler
from lbcontroller.controller.bindings import BindingReconciler
from lbcontroller.controller.cache import ClusterCache
from lbcontroller.controller.outcomes import Outcomes
from lbcontroller.controller.publish import Publisher
from lbcontroller.controller.steps import StepExecutor
from lbcontroller.keys import BackendRulesKey, BindingKey, StackKey
from lbcontroller.kube.client import Client
from lbcontroller.kube.connection import Connection
from lbcontroller.kube.events import EventRecorder
from lbcontroller.kube.writes import ObjectWriter
from lbcontroller.model.identity import stack_key
from lbcontroller.settings import Settings
from lbcontroller.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconcilers:
    """What works on each kind of key."""

    stacks: StackReconcilers
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
        self.aws.loader.survey()

    def leadership(self, session: aiohttp.ClientSession) -> Leadership:
        """Return the part this replica takes in the election."""
        namespace = self.connection.namespace
        return Leadership.of(self.settings, session, namespace, self.identity, self.fence)

    def reconcile_stack(self, key: StackKey) -> float | None:
        """Work on a key of the queues of stacks and of groups."""
        return self.reconcilers.stacks.reconcile(key)

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
        for name, queue in self.queues.by_name.items():
            self.metrics.queue_state(name, queue.depth, queue.oldest_wait())
        for resource, views in self.cache.contents().items():
            self.metrics.cached_objects(resource, len(views))


def assemble(
    settings: Settings,
    connection: Connection,
    environment: Mapping[str, str],
    *,
    clock: Callable[[], float] = time.monotonic,
    waits: Waits = REAL_WAITS,
) -> Parts:
    """Construct the program.

    Args:
        settings: its flags.
        connection: the API server.
        environment: the process's variables, for the discovery of region and VPC.
        clock: what decides when work is due and what is too old.
        waits: how everything else waits.

    Raises:
        LbControllerError: region or VPC cannot be found out.
    """
    metrics, fence, stopping = Metrics(), Fence(), threading.Event()
    cache, queues, identity = ClusterCache(), Queues.of(settings, clock), replica_identity()
    surroundings = _surroundings(fence, cache, queues)
    aws = connect_aws(settings, environment, metrics, surroundings, clock=clock, timing=waits.calls)
    client = Client(connection, may_write=fence.may_write)
    events = EventRecorder(client, metrics, instance=identity, clock=time.monotonic, now=_now)
    publisher = Publisher(writer=ObjectWriter(client), events=events)
    executor = StepExecutor(
        applier=aws.applier, writer=publisher.writer, cache=cache, stopping=stopping.is_set
    )
    secrets = SecretWatches.of(settings, cache, queues.take_up, metrics, rhythm=waits.watches)
    outlets = ClusterOutlets.of(publisher, client, metrics)
    stack_outlets = StackOutlets.of(client, cache, publisher, secrets.follow, settings, metrics)
    bindings = binding_reconciler(settings, aws.access, cache, queues, outlets, clock=clock)
    subjects = Subjects(cache=cache, ledger=bindings.ledger, settings=settings)
    return Parts(
        settings=settings,
        connection=connection,
        identity=identity,
        metrics=metrics,
        fence=fence,
        stopping=stopping,
        cache=cache,
        queues=queues,
        watches=Watches.of(
            settings, cache, queues.take_up, secrets, stack_outlets.ingresses.reported, rhythm=waits.watches
        ),
        events=events,
        outcomes=Outcomes(
            publisher=publisher, ingresses=stack_outlets.ingresses, metrics=metrics, subjects_of=subjects
        ),
        aws=aws,
        reconcilers=Reconcilers(
            stacks=StackReconcilers.of(settings, aws, queues, executor, stack_outlets, clock=clock),
            bindings=bindings,
            backend_rules=backend_rules_reconciler(bindings, aws, metrics),
        ),
        sweep=Sweep.of(settings, aws, cache, queues, metrics, stopping),
        admission=Admission.of(settings, cache, aws, teller(cache, events, fence), connection, metrics),
    )


def _surroundings(fence: Fence, cache: ClusterCache, queues: Queues) -> Surroundings:
    return Surroundings(
        fence=fence, secrets=cache.ingresses.key_pair, on_lost=lambda stack: queues.add(stack_key(stack))
    )


def _now() -> datetime:
    return datetime.now(UTC)
