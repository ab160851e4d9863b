"""Publishes the addresses of load balancers in the status of Services.

An IP address in the status of a Service means to kube-proxy that it may take traffic of the cluster to that
address straight to the pods, past the load balancer with its TLS, its proxy protocol and its source ranges;
`ipMode: Proxy` forbids that. An API server that does not know the field drops it without a word. So the first
time that addresses are to be published, the API server is asked in a dry run whether it keeps the field, and
where it does not, only the hostname is published.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from lbcontroller.annotations.service import ServiceAnnotations
from lbcontroller.cluster.service import PublishedAddress, Service
from lbcontroller.controller.addresses import addresses, as_json
from lbcontroller.controller.publish import Publisher, Topic, reference
from lbcontroller.kube import patches
from lbcontroller.model.findings import Finding, FindingReason, Severity
from lbcontroller.model.observed import ObservedLoadBalancer
from lbcontroller.settings import StatusAddresses

ASK_AGAIN: Final = timedelta(hours=1)
"""How long an API server that drops `ipMode` is taken to do so: it may be upgraded while we run."""


@dataclass(slots=True, kw_only=True)
class AddressPublisher:
    """Writes addresses of load balancers; for any thread."""

    publisher: Publisher
    _stored: bool | None = None
    """Whether the API server keeps `ipMode`; None: it was not asked yet."""
    _asked_at: datetime | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def publish(self, service: Service, serving: ObservedLoadBalancer, wanted: StatusAddresses) -> bool:
        """Write what is wanted of the load balancer that serves; return whether that was news."""
        entries = addresses(service, serving, wanted)
        findings: tuple[Finding, ...] = ()
        if not self._is_stored(service, entries):
            entries = addresses(service, serving, StatusAddresses.HOSTNAME)
            findings = (_without_ip_mode(service, wanted),)
        self.publisher.findings(service, findings, about=Topic.ADDRESSES)
        return self.publisher.addresses(service, entries)

    def _is_stored(self, service: Service, entries: tuple[PublishedAddress, ...]) -> bool:
        """Return whether the API server keeps every field of the entries."""
        if not any(entry.ip_mode for entry in entries):
            return True
        if any(entry.ip_mode for entry in service.published):
            return True  # which it filled in itself, or kept
        now = self.publisher.now()
        with self._lock:
            if self._stored or (self._asked_at is not None and now - self._asked_at < ASK_AGAIN):
                return bool(self._stored)
        stored = self._keeps_ip_mode(service, entries)
        with self._lock:
            self._stored, self._asked_at = stored, now
        return stored

    def _keeps_ip_mode(self, service: Service, entries: tuple[PublishedAddress, ...]) -> bool:
        status = patches.load_balancer_status(as_json(entries))
        stored = self.publisher.writer.try_status(reference(service), status)
        return stored is None or any(entry.ip_mode for entry in Service.from_object(stored).published)


def _without_ip_mode(service: Service, wanted: StatusAddresses) -> Finding:
    asked_by = f"{ServiceAnnotations.key_of('status_addresses')} or --status-addresses"
    return Finding(
        severity=Severity.WARNING,
        subject=service.subject,
        reason=FindingReason.IGNORED_SETTING,
        message=f"the status shows the hostname only, although {asked_by} asks for {wanted}: this API server "
        "does not store the field ipMode, without which kube-proxy takes traffic to these addresses past the "
        "load balancer. Kubernetes knows ipMode from 1.30 on, 1.29 with the feature gate LoadBalancerIPMode: "
        "upgrade, or ask for hostname",
    )
