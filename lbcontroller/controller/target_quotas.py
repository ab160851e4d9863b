"""How many targets each load balancer has, as the last reconciles of its bindings computed them."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from lbcontroller.build.target_quotas import TargetsByZone, over_target_quotas, targets_by_zone
from lbcontroller.build.targets import TargetsResult
from lbcontroller.cluster.binding import Binding
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.keys import ObjectName
from lbcontroller.model.findings import Finding
from lbcontroller.model.identity import StackId, identify_labels

Owner: TypeAlias = StackId | ObjectName
"""A stack, which has one load balancer; or a binding that a user wrote, whose load balancer nobody knows."""
_Backend: TypeAlias = tuple[str, int | str]


@dataclass(frozen=True, slots=True)
class _Entry:
    backend: _Backend
    """Name of the Service and its port."""
    targets: TargetsByZone


@dataclass(slots=True, kw_only=True)
class TargetQuotas:
    """Sums up the targets of the bindings of each stack; for any thread."""

    balances_across_zones: Callable[[StackId], bool]
    """Whether the load balancer of a stack is known to do so."""
    _entries: defaultdict[Owner, dict[ObjectName, _Entry]] = field(default_factory=lambda: defaultdict(dict))
    _owners: dict[ObjectName, Owner] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def check(self, binding: Binding, wanted: TargetsResult, snapshot: Snapshot) -> tuple[Finding, ...]:
        """Note the targets of a binding, and return findings if its load balancer has more than usual."""
        stack = identify_labels(binding.meta.labels)
        targets = self._enter(binding, stack or binding.meta.name, targets_by_zone(wanted, snapshot))
        cross_zone = stack is not None and self.balances_across_zones(stack)
        return over_target_quotas(binding, targets, cross_zone=cross_zone)

    def forget(self, binding: ObjectName) -> None:
        """Note that a binding is gone, or has no targets any more."""
        with self._lock:
            self._forget(binding)

    def _enter(self, binding: Binding, owner: Owner, targets: TargetsByZone) -> TargetsByZone:
        """Note the targets of a binding and return those of its load balancer.

        While a target group takes the place of another one, two bindings have the same targets: they count
        once.
        """
        name, backend = binding.meta.name, (binding.spec.service, binding.spec.service_port)
        with self._lock:
            self._forget(name)
            self._owners[name] = owner
            self._entries[owner][name] = _Entry(backend, targets)
            entries = tuple(self._entries[owner].values())
        by_backend: defaultdict[_Backend, Counter[str]] = defaultdict(Counter)
        for entry in entries:
            by_backend[entry.backend] |= Counter(entry.targets)
        return sum(by_backend.values(), Counter[str]())

    def _forget(self, binding: ObjectName) -> None:
        owner = self._owners.pop(binding, None)
        if owner is not None:
            of_owner = self._entries[owner]
            del of_owner[binding]
            if not of_owner:
                del self._entries[owner]
