"""Constructs what works on TargetGroupBindings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from lbcontroller.app.aws_account import AwsAccount
from lbcontroller.app.queues import Queues
from lbcontroller.build.target_quotas import balances_across_zones
from lbcontroller.cluster.binding import Binding
from lbcontroller.cluster.service import Service
from lbcontroller.controller.access import AwsAccess
from lbcontroller.controller.backend_rules import BackendRulesReconciler, RuleLedger
from lbcontroller.controller.bindings import BindingReconciler
from lbcontroller.controller.cache import ClusterCache
from lbcontroller.controller.checkpoints import Checkpoint, Checkpoints
from lbcontroller.controller.claimed_targets import ClaimedTargets
from lbcontroller.controller.departures import Departures
from lbcontroller.controller.news import News, read_service
from lbcontroller.controller.publish import Publisher, Topic
from lbcontroller.controller.queue import Priority
from lbcontroller.controller.readiness import GateWriter, HealthPolls
from lbcontroller.controller.registration import Registrar
from lbcontroller.controller.target_groups import HeldTargetGroups, TargetGroupFinder
from lbcontroller.controller.target_quotas import TargetQuotas
from lbcontroller.keys import BackendRulesKey, BindingKey, ObjectName
from lbcontroller.kube.client import Client
from lbcontroller.settings import Settings
from lbcontroller.telemetry.metrics import DriftOutcome, Metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterOutlets:
    """What reconciles of bindings write to in the cluster."""

    publisher: Publisher
    claims: ClaimedTargets
    gates: GateWriter
    read_service: Callable[[ObjectName], Service | None]
    """Asks the API server for a Service, whatever the watches say."""
    count_drift: Callable[[str, DriftOutcome, int], None]
    """Counts what somebody else changed in AWS, by the kind of resource."""

    @classmethod
    def of(cls, publisher: Publisher, client: Client, metrics: Metrics) -> ClusterOutlets:
        """Write with the publisher's writer."""
        return cls(
            publisher=publisher,
            claims=ClaimedTargets(client, publisher.writer),
            gates=GateWriter(
                publisher.writer, now=lambda: datetime.now(UTC), opened=metrics.readiness_gate_opened
            ),
            read_service=partial(read_service, client),
            count_drift=metrics.drifted,
        )


def binding_reconciler(
    settings: Settings,
    access: AwsAccess,
    cache: ClusterCache,
    queues: Queues,
    outlets: ClusterOutlets,
    *,
    clock: Callable[[], float],
) -> BindingReconciler:
    """Return the reconciler of TargetGroupBindings."""
    finder = TargetGroupFinder(cache=cache, accounts=access.target_accounts)
    polls = HealthPolls(settings.targetgroupbinding_requeue_duration)
    return BindingReconciler(
        cache=cache,
        aws=access,
        publisher=outlets.publisher,
        finder=finder,
        registrar=Registrar(
            finder=finder,
            claims=outlets.claims,
            polls=polls,
            departures=Departures(cache, hold_down=settings.empty_endpoints_hold_down, clock=clock),
            most_targets=settings.max_targets_per_target_group,
            checkpoints=Checkpoints(kind=Checkpoint.TARGETS, writer=outlets.publisher.writer),
            count_drift=outlets.count_drift,
        ),
        claims=outlets.claims,
        polls=polls,
        gates=outlets.gates,
        missing=News(clock),
        read_service=outlets.read_service,
        held=HeldTargetGroups(),
        quotas=TargetQuotas(
            balances_across_zones=lambda stack: balances_across_zones(access.observer.observe(stack))
        ),
        ledger=RuleLedger(),
        wake_rules=lambda: queues.targets.add(BackendRulesKey(), Priority.HIGH),
        look_again=queues.targets.add_after,
        settings=settings,
    )


def backend_rules_reconciler(
    bindings: BindingReconciler, aws: AwsAccount, metrics: Metrics
) -> BackendRulesReconciler:
    """Return the reconciler of the rules that all bindings need together."""
    publisher = bindings.publisher
    return BackendRulesReconciler(
        ledger=bindings.ledger,
        rules=aws.rules,
        bindings=lambda: _bindings_with_rules(bindings.cache),
        facts=lambda: aws.access.inventory.security_groups,
        cluster=bindings.settings.cluster_name,
        tell=lambda binding, findings: publisher.findings(binding, findings, about=Topic.RULES),
        count_held=metrics.backend_rules_held,
        repaired=publisher.news,
        count_drift=metrics.drifted,
        awaits_rules=publisher.awaits_rules,
        wake=lambda name: bindings.look_again(BindingKey(name), 0.0),
    )


def _bindings_with_rules(cache: ClusterCache) -> Iterator[Binding]:
    """Yield the bindings that may need rules; one that is being deleted needs none any more."""
    for binding in cache.bindings():
        if binding.spec.networking is not None and not binding.meta.deleting:
            yield binding
