"""Constructs the admission webhooks and serves them, on every replica."""

from __future__ import annotations

import asyncio
import logging
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

import aiohttp

from lbcontroller.app.aws_account import AwsAccount
from lbcontroller.app.leader import Fence
from lbcontroller.app.webhook_certificate import listening
from lbcontroller.cluster.binding import Binding
from lbcontroller.controller.cache import ClusterCache
from lbcontroller.controller.publish import reference
from lbcontroller.errors import Transient
from lbcontroller.keys import ObjectName
from lbcontroller.kube.connection import Connection
from lbcontroller.kube.events import EventRecorder, EventType
from lbcontroller.kube.informer import Informer
from lbcontroller.kube.resources import ObjectRef
from lbcontroller.kube.version import Release, read_release
from lbcontroller.model.fields import UNKNOWN, Attributes
from lbcontroller.model.findings import Finding, FindingReason
from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import ObservedTargetGroup, TargetGroupFact
from lbcontroller.settings import Settings
from lbcontroller.telemetry.logs import event
from lbcontroller.telemetry.metrics import Metrics
from lbcontroller.webhooks.bindings import Sought
from lbcontroller.webhooks.drain import DrainPolicy
from lbcontroller.webhooks.endpoints import Policy, endpoints
from lbcontroller.webhooks.facts import ClassLookup, Facts, TargetGroupLookup
from lbcontroller.webhooks.server import Listening, WebhookServer

LOGGER: Final = logging.getLogger(__name__)
SLEEP_ACTION_SINCE: Final = Release(1, 30)
"""The release in which `preStop.sleep` is on by default (Kubernetes enhancement 3960)."""
TELL_AGAIN_SECONDS: Final = 600.0
"""The pods of one rollout are told about once, and the next rollout again."""
_REMEMBERED: Final = 1024
_VERSION_RETRY_SECONDS: Final = 1.0

Record: TypeAlias = Callable[[ObjectRef, EventType, FindingReason, str], None]
"""Has an event of an object written soon."""


@dataclass(slots=True, kw_only=True)
class Admission:
    """The webhooks of this replica."""

    settings: Settings
    cache: ClusterCache
    aws: AwsAccount
    metrics: Metrics
    findings: FindingTeller
    listening: Listening | None
    """None: webhooks are not wanted."""
    _server: WebhookServer | None = None

    @classmethod
    def of(
        cls,
        settings: Settings,
        cache: ClusterCache,
        aws: AwsAccount,
        findings: FindingTeller,
        connection: Connection,
        metrics: Metrics,
    ) -> Admission:
        """Prepare; nothing is opened yet."""
        return cls(
            settings=settings,
            cache=cache,
            aws=aws,
            metrics=metrics,
            findings=findings,
            listening=listening(settings, connection),
        )

    def trouble(self) -> str | None:
        """Return why webhooks are not served although they are wanted."""
        if self.listening is None:
            return None
        return "webhooks are not served yet" if self._server is None else self._server.trouble()

    async def run(self, session: aiohttp.ClientSession, informers: Iterable[Informer[object]]) -> None:
        """Serve from the moment the caches are filled: an answer from empty ones would be wrong.

        Raises:
            InvalidConfig: the port is taken.
        """
        if self.listening is None:
            event(LOGGER, logging.INFO, "webhooks_off", reason="no certificate")
            return
        for informer in informers:
            await informer.synced.wait()
        release = await _release(session)
        lookup = TargetGroupLookup(self._read_target_group)
        self._server = WebhookServer(
            self.listening,
            endpoints(self._facts(lookup), policy_of(self.settings, release)),
            self.metrics,
            self.findings.tell,
        )
        try:
            await self._server.run()
        finally:
            lookup.close()

    def _facts(self, lookup: TargetGroupLookup) -> Facts:
        return Facts(
            services_in=self.cache.services_in,
            bindings_of_service=self.cache.bindings_of_service,
            same_target_group=self.cache.bindings_of_target_group,
            attributes=self._attributes,
            target_group=lookup,
            classes=ClassLookup(self.cache.ingresses.deciding, self.settings.ingress_class),
            own_vpc=self.aws.loader.vpc_id,
        )

    def _read_target_group(self, sought: Sought) -> TargetGroupFact | None:
        accounts = self.aws.access.target_accounts
        facts = accounts.of_role(sought.role_arn or None, sought.external_id or None).facts
        return facts.of_arn(Arn(sought.arn)) if sought.arn else facts.of_name(sought.name)

    def _attributes(self, binding: Binding) -> Attributes:
        found = self.aws.loader.mirror.find(Arn(str(binding.spec.target_group)))
        if not isinstance(found, ObservedTargetGroup) or found.resource.attributes is UNKNOWN:
            return {}
        return found.resource.attributes


def policy_of(settings: Settings, release: Release) -> Policy:
    """Return what the settings say about webhooks on an API server of a release."""
    return Policy(
        readiness_gates=settings.enable_pod_readiness_gate_inject,
        drain=DrainPolicy(
            application_seconds=math.ceil(settings.drain_sleep_alb),
            network_seconds=math.ceil(settings.drain_sleep_nlb),
            sleep_is_known=release >= SLEEP_ACTION_SINCE,
        ),
        server_id_variable=settings.quic_environment_variable_name,
        load_balancer_class=settings.load_balancer_class,
        settings=settings,
    )


async def _release(session: aiohttp.ClientSession) -> Release:
    while True:
        try:
            return await read_release(session)
        except Transient as error:
            event(LOGGER, logging.WARNING, "release_unknown", error=error)
            await asyncio.sleep(_VERSION_RETRY_SECONDS)


class FindingTeller:
    """Tells findings of webhooks: each once for all pods of a rollout, as an event of its Service."""

    def __init__(
        self,
        cache: ClusterCache,
        record: Record,
        *,
        may_write: Callable[[], bool],
        clock: Callable[[], float],
    ) -> None:
        """Find Services in `cache`, and `record` events of them while this replica may write."""
        self._cache, self._record = cache, record
        self._may_write, self._clock = may_write, clock
        self._lock = threading.Lock()
        self._told: OrderedDict[Finding, float] = OrderedDict()

    def tell(self, findings: Iterable[Finding]) -> None:
        """Log the findings that were not told a moment ago, and record events of those about Services."""
        for finding in findings:
            if not self._is_news(finding):
                continue
            event(
                LOGGER,
                logging.INFO,
                "finding",
                subject=finding.subject,
                reason=finding.reason,
                message=finding.message,
            )
            service = self._cache.service(_service_name(finding.subject))
            if service is not None and self._may_write():
                self._record(reference(service), EventType.WARNING, finding.reason, finding.message)

    def _is_news(self, finding: Finding) -> bool:
        now = self._clock()
        with self._lock:
            told_at = self._told.get(finding)
            if told_at is not None and now - told_at < TELL_AGAIN_SECONDS:
                return False
            self._told[finding] = now
            self._told.move_to_end(finding)
            while len(self._told) > _REMEMBERED:
                self._told.popitem(last=False)
            return True


def teller(cache: ClusterCache, events: EventRecorder, fence: Fence) -> FindingTeller:
    """Return what tells the Services in `cache` by events, which only the leader records."""
    return FindingTeller(cache, events.record, may_write=fence.may_write, clock=time.monotonic)


def _service_name(subject: str) -> ObjectName:
    """Return the name in a subject `Service namespace/name`; one that no Service has for other subjects."""
    namespace, _, name = subject.removeprefix("Service ").partition("/")
    return ObjectName(namespace, name)
