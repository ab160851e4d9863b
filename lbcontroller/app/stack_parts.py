"""Constructs what works on stacks: those of Services, of groups of Ingresses, and the one they share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import assert_never

from lbcontroller.annotations.claims import Claimed
from lbcontroller.app.aws_account import AwsAccount
from lbcontroller.app.queues import Queues
from lbcontroller.build.ingress_groups import Ours, classify, groups_of_finalizers
from lbcontroller.build.service import claim
from lbcontroller.cluster.service import Service
from lbcontroller.controller.address_publisher import AddressPublisher
from lbcontroller.controller.backend_group import BackendGroupReconciler, BackendGroupUsers
from lbcontroller.controller.cache import ClusterCache
from lbcontroller.controller.checkpoints import Checkpoint, Checkpoints
from lbcontroller.controller.group_owner import GroupOwners
from lbcontroller.controller.ingress_publisher import IngressPublisher
from lbcontroller.controller.member_refusals import MemberRefusals
from lbcontroller.controller.named_secrets import NamedSecrets
from lbcontroller.controller.news import News, read_service
from lbcontroller.controller.publish import Publisher, holds_finalizer
from lbcontroller.controller.refusals import Refusals
from lbcontroller.controller.service_owner import ServiceOwners
from lbcontroller.controller.stack_owner import StackOwner
from lbcontroller.controller.stacks import StackReconciler
from lbcontroller.controller.steps import StepExecutor
from lbcontroller.keys import BACKEND_SECURITY_GROUP_KEY, ObjectName, StackKey, StackKind
from lbcontroller.kube.client import Client
from lbcontroller.plan.policies import PlanPolicy
from lbcontroller.settings import Settings
from lbcontroller.telemetry.metrics import DriftOutcome, Metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class StackOutlets:
    """What reconciles of stacks use of the cluster."""

    cache: ClusterCache
    publisher: Publisher
    ingresses: IngressPublisher
    secrets: NamedSecrets
    read_service: Callable[[ObjectName], Service | None]
    """Asks the API server for a Service, whatever the watches say."""
    count_drift: Callable[[str, DriftOutcome], None]
    """Counts what somebody else changed in AWS, by the kind of resource."""

    @classmethod
    def of(
        cls,
        client: Client,
        cache: ClusterCache,
        publisher: Publisher,
        follow: Callable[[frozenset[ObjectName]], None],
        settings: Settings,
        metrics: Metrics,
    ) -> StackOutlets:
        """Read Secrets with `client`, and have them kept up to date by `follow`."""
        label = settings.required_secrets_label
        return cls(
            cache=cache,
            publisher=publisher,
            ingresses=IngressPublisher(publisher=publisher, newest=cache.ingresses.ingress),
            secrets=NamedSecrets(client, cache.ingresses, follow, label=label),
            read_service=partial(read_service, client),
            count_drift=metrics.drifted,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StackReconcilers:
    """What works on each kind of stack."""

    owned: StackReconciler
    """Those of Services and of groups of Ingresses."""
    backend_group: BackendGroupReconciler

    @classmethod
    def of(
        cls,
        settings: Settings,
        aws: AwsAccount,
        queues: Queues,
        executor: StepExecutor,
        outlets: StackOutlets,
        *,
        clock: Callable[[], float],
    ) -> StackReconcilers:
        """Construct them; `clock` decides what is too old."""
        users = BackendGroupUsers(wake=lambda: queues.add(BACKEND_SECURITY_GROUP_KEY))

        def policy() -> PlanPolicy:
            return PlanPolicy.of(settings, datetime.now(UTC))

        return cls(
            owned=StackReconciler(
                owner_of=_Owners.of(settings, outlets, clock),
                cache=outlets.cache,
                aws=aws.access,
                executor=executor,
                backend_group_users=users,
                refusals=Refusals(clock=clock),
                checkpoints=Checkpoints(kind=Checkpoint.STACK, writer=outlets.publisher.writer),
                count_drift=outlets.count_drift,
                policy=policy,
            ),
            backend_group=BackendGroupReconciler(
                aws=aws.access,
                executor=executor,
                users=users,
                holders=lambda: holders(outlets.cache, settings),
                wake_stack=queues.add,
                settings=settings,
                policy=policy,
            ),
        )

    def reconcile(self, key: StackKey) -> float | None:
        """Work on the key of a stack."""
        match key.kind:
            case StackKind.SERVICE | StackKind.INGRESS:
                return self.owned.reconcile(key)
            case StackKind.BACKEND_SECURITY_GROUP:
                return self.backend_group.reconcile()
            case _:
                assert_never(key.kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Owners:
    """Finds whoever wants a stack, by its kind."""

    services: ServiceOwners
    groups: GroupOwners

    @classmethod
    def of(cls, settings: Settings, outlets: StackOutlets, clock: Callable[[], float]) -> _Owners:
        return cls(
            services=ServiceOwners(
                cache=outlets.cache,
                publisher=outlets.publisher,
                addresses=AddressPublisher(publisher=outlets.publisher),
                settings=settings,
            ),
            groups=GroupOwners(
                cache=outlets.cache,
                publisher=outlets.ingresses,
                secrets=outlets.secrets,
                newcomers=News(clock),
                read_service=outlets.read_service,
                refusals=MemberRefusals(clock),
                settings=settings,
            ),
        )

    def __call__(self, key: StackKey) -> StackOwner | None:
        return self.groups.of(key) if key.kind is StackKind.INGRESS else self.services.of(key)


def holders(cache: ClusterCache, settings: Settings) -> Iterator[StackKey]:
    """Yield the stacks of Services and Ingresses that are ours or still carry our finalizer."""
    for service in cache.services():
        if holds_finalizer(service) or isinstance(claim(service, settings), Claimed):
            yield StackKey(StackKind.SERVICE, service.meta.name)
    everything = cache.ingresses.everything()
    for ingress in everything.ingresses.values():
        yield from groups_of_finalizers(ingress)
        classified = classify(ingress, everything, settings)
        if isinstance(classified, Ours):
            yield classified.group
