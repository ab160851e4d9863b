"""What of this cluster exists in AWS, in memory: read once, then kept by writing through after each own call.

It has what carries the cluster's identity tags, and the listeners and rules of its load balancers, whoever
made them.
What belongs to other clusters or to nobody is not kept. Nothing in here calls AWS.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from lbcontroller.aws.mirror_index import Entry, MirrorIndex
from lbcontroller.model.enums import Protocol
from lbcontroller.model.fields import UNKNOWN, Mark
from lbcontroller.model.identity import StackId
from lbcontroller.model.ids import Arn, SecurityGroupId
from lbcontroller.model.ingress_rules import IngressRule
from lbcontroller.model.observed import (
    InAws,
    ObservedCertificate,
    ObservedListener,
    ObservedListenerRule,
    ObservedLoadBalancer,
    ObservedLoadBalancerTarget,
    ObservedRequestedCertificate,
    ObservedSecurityGroup,
    ObservedTargetGroup,
    Target,
    TargetHealth,
)
from lbcontroller.plan.targets import identifier

Targets = Mapping[Target, TargetHealth]
Rules = frozenset[IngressRule]

_COSTLY_FACTS: Final[Mapping[type[InAws], tuple[str, ...]]] = {
    ObservedSecurityGroup: (),
    ObservedCertificate: (),
    ObservedRequestedCertificate: (),
    ObservedLoadBalancer: ("attributes", "capacity_units", "web_acl", "web_acl_classic", "shield_protection"),
    ObservedTargetGroup: ("attributes",),
    ObservedListener: ("attributes", "certificates"),
    ObservedListenerRule: (),
    ObservedLoadBalancerTarget: (),
}
"""Fields that cost a call for each resource."""
_WITH_CERTIFICATES: Final = frozenset({Protocol.TLS, Protocol.HTTPS})
"""Of a listener with another protocol the bulk read tells that it has no certificates."""


@dataclass(slots=True, eq=False)
class Reading:
    """A read under way: whatever is written meanwhile is newer than its answer."""

    written: set[Arn] = field(default_factory=set)
    """Resources recorded or forgotten since it began, or taken over from a read that began later."""
    targets_written: set[Arn] = field(default_factory=set)
    """Target groups whose targets were changed or read since it began."""


class Mirror:
    """Thread-safe; the lock is never held during a call to AWS."""

    def __init__(self, *, on_lost: Callable[[StackId], None] = lambda _stack: None) -> None:
        """Begin empty; `on_lost` is told of stacks of which something vanished without our doing."""
        self._on_lost = on_lost
        self._lock = threading.RLock()
        self._index = MirrorIndex()
        self._targets: dict[Arn, dict[Target, TargetHealth]] = {}
        self._rules: dict[SecurityGroupId, Rules] = {}
        self._readings: list[Reading] = []
        self._partly_read: set[StackId] = set()
        self._undoubted: set[StackId] = set()
        """Those of which nobody doubted a fact that costs a call since a start read a part of them."""

    # Resources

    def observed(self, stack: StackId) -> tuple[InAws, ...]:
        """Return everything of a stack, ordered by ARN."""
        with self._lock:
            return tuple(self._shown(entry) for entry in self._index.of_stack(stack))

    def find(self, arn: Arn) -> InAws | None:
        """Return one resource."""
        with self._lock:
            entry = self._index.entry(arn)
            return None if entry is None else self._shown(entry)

    def parts(self, arn: Arn) -> frozenset[Arn]:
        """Return the listeners of a load balancer, or the rules of a listener."""
        with self._lock:
            return self._index.parts(arn)

    def stack_of(self, arn: Arn) -> StackId | None:
        """Return the stack a resource is part of."""
        with self._lock:
            entry = self._index.entry(arn)
            return entry.stack if entry else None

    def stacks(self) -> frozenset[StackId]:
        """Return every stack that has something in AWS."""
        with self._lock:
            return self._index.stacks()

    def record(self, stack: StackId, observed: InAws) -> None:
        """Note how a resource is now."""
        with self._lock:
            self._note_write(observed.arn)
            self._index.put(Entry(stack=stack, observed=observed))

    def amend(self, arn: Arn, **fields: Any) -> None:
        """Note new values of some fields of a resource, by their names in the model."""
        with self._lock:
            entry = self._index.entry(arn)
            if entry is None:
                return
            self._note_write(arn)
            # mypy cannot follow that each observed type holds its own resource type.
            resource: Any = replace(entry.observed.resource, **fields)
            self._index.put(replace(entry, observed=replace(entry.observed, resource=resource)))

    def forget(self, arn: Arn) -> None:
        """Note that a resource is gone, and with it what cannot be without it."""
        with self._lock:
            for part in self._index.parts(arn):
                self.forget(part)
            self._note_write(arn)
            self._remove(arn)

    def lose(self, arn: Arn) -> None:
        """Note that AWS does not know a resource any more although nobody here deleted it."""
        stack = self.stack_of(arn)
        self.forget(arn)
        self.forget_targets(arn)
        if stack is not None:
            self._on_lost(stack)

    def doubt(self, stack: StackId) -> int:
        """Mark as unknown what a bulk read does not verify, so that it is read again where it matters.

        Returns:
            How many facts were known, each of which costs a call to read again.
        """
        with self._lock:
            self._undoubted.discard(stack)
            doubted = 0
            for observed in (entry.observed for entry in self._index.of_stack(stack)):
                facts = [
                    fact
                    for fact in _costly_facts(observed)
                    if getattr(observed.resource, fact) is not UNKNOWN
                ]
                self.amend(observed.arn, **dict.fromkeys(facts, UNKNOWN))
                doubted += len(facts)
            return doubted

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """Hold the place of a read; any number may be under way at the same time."""
        reading = Reading()
        with self._lock:
            self._readings.append(reading)
        try:
            yield reading
        finally:
            with self._lock:
                self._readings.remove(reading)

    def replace_all(
        self, reading: Reading, found: Mapping[Arn, Entry], *, whole: bool = True
    ) -> frozenset[StackId]:
        """Take over what a bulk read found; return the stacks in which anything is different now.

        What was written through while the read was under way is newer and stays as it is.

        Args:
            reading: the read, held since before its first call.
            found: everything of this cluster.
            whole: whether nothing of a stack can be missing in `found`; otherwise stacks that were not known
                before are partly read, until `take_over` completes them.
        """
        with self._lock:
            new = {entry.stack for entry in found.values()} - self._index.stacks()
            changed = self._take_over(reading, found, instead_of=self._index.arns())
            if whole:
                self._partly_read.clear()
            else:
                self._partly_read |= new
                self._undoubted |= new
            self._partly_read &= self._index.stacks()
            self._undoubted &= self._index.stacks()
            return changed

    def take_over(
        self, reading: Reading, stack: StackId, found: Mapping[Arn, Entry], *, instead_of: Iterable[Arn]
    ) -> bool:
        """Take over what a read of one stack found; return whether anything is different now.

        Args:
            reading: the read, held since before its first call.
            stack: which is completely read by that.
            found: its resources, as far as they were read.
            instead_of: what is gone unless it was found.
        """
        with self._lock:
            self._partly_read.discard(stack)
            self._undoubted.discard(stack)
            return bool(self._take_over(reading, found, instead_of=instead_of))

    def is_partly_read(self, stack: StackId) -> bool:
        """Return whether there may be listeners or rules in a stack that nobody has read."""
        with self._lock:
            return stack in self._partly_read

    def was_doubted(self, stack: StackId) -> bool:
        """Return whether facts of a stack that cost a call were doubted, or all of it was read."""
        with self._lock:
            return stack not in self._undoubted

    # Registered targets

    def targets(self, target_group: Arn) -> Targets | Literal[Mark.UNKNOWN]:
        """Return the registered targets of any target group, ours or not; `UNKNOWN` when not read."""
        with self._lock:
            targets = self._targets.get(target_group)
            return UNKNOWN if targets is None else dict(targets)

    def record_targets(self, target_group: Arn, targets: Targets, reading: Reading) -> bool:
        """Note all targets of a target group as a read found them.

        Returns:
            False if they were changed while the read was under way: then nothing is noted.
        """
        with self._lock:
            if target_group in reading.targets_written:
                return False
            self._targets[target_group] = dict(targets)
            self._note_targets(target_group)
            return True

    def assume_targets(self, target_group: Arn, targets: Targets) -> None:
        """Note which targets a target group is believed to have, unless they are known."""
        with self._lock:
            self._targets.setdefault(target_group, dict(targets))

    def amend_targets(self, target_group: Arn, targets: Targets) -> None:
        """Note the health of some targets; zones do not tell targets apart."""
        with self._lock:
            self._note_targets(target_group)
            present = self._targets.get(target_group)
            if present is None:
                return
            renewed = {identifier(target) for target in targets}
            for target in [target for target in present if identifier(target) in renewed]:
                del present[target]
            present.update(targets)

    def forget_targets(self, target_group: Arn) -> None:
        """Read them again when they are asked for."""
        with self._lock:
            self._targets.pop(target_group, None)

    # Rules of security groups that are not ours

    def rules(self, group: SecurityGroupId) -> Rules | Literal[Mark.UNKNOWN]:
        """Return the inbound rules of a security group of nodes or pods; `UNKNOWN` when not read."""
        with self._lock:
            return self._rules.get(group, UNKNOWN)

    def record_rules(self, group: SecurityGroupId, rules: Rules) -> None:
        """Note all inbound rules of a security group."""
        with self._lock:
            self._rules[group] = rules

    def forget_rules(self, group: SecurityGroupId) -> None:
        """Read them again when they are asked for."""
        with self._lock:
            self._rules.pop(group, None)

    def forget_all_rules(self) -> None:
        """Read the rules of every group again when they are asked for."""
        with self._lock:
            self._rules.clear()

    # Inner workings; the lock is held

    def _take_over(
        self, reading: Reading, found: Mapping[Arn, Entry], *, instead_of: Iterable[Arn]
    ) -> frozenset[StackId]:
        changed: set[StackId] = set()
        for arn, entry in found.items():
            if arn in reading.written:
                continue
            if self._index.entry(arn) != entry:
                changed.add(entry.stack)
                self._index.put(entry)
            self._note_write(arn)
        for arn in [arn for arn in instead_of if arn not in found and arn not in reading.written]:
            gone = self._index.entry(arn)
            if gone is not None:
                changed.add(gone.stack)
                self._remove(arn)
            self._note_write(arn)
        return frozenset(changed)

    def _shown(self, entry: Entry) -> InAws:
        observed = entry.observed
        if isinstance(observed, ObservedTargetGroup):
            # Listeners are known exactly; what AWS said about the target group may be older.
            users = self._index.load_balancers(observed.arn)
            return replace(observed, load_balancers=observed.load_balancers | users)
        return observed

    def _remove(self, arn: Arn) -> None:
        self._index.remove(arn)
        self._targets.pop(arn, None)
        self._rules.pop(SecurityGroupId(arn), None)

    def _note_write(self, arn: Arn) -> None:
        for reading in self._readings:
            reading.written.add(arn)

    def _note_targets(self, target_group: Arn) -> None:
        for reading in self._readings:
            reading.targets_written.add(target_group)


def _costly_facts(observed: InAws) -> tuple[str, ...]:
    facts = _COSTLY_FACTS[type(observed)]
    if isinstance(observed, ObservedListener) and observed.resource.protocol not in _WITH_CERTIFICATES:
        return tuple(fact for fact in facts if fact != "certificates")
    return facts
