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
from typing import Any, Final, Literal, TypeAlias

from lbcontroller.model.enums import Protocol
from lbcontroller.model.fields import UNKNOWN, Mark
from lbcontroller.model.identity import StackId
from lbcontroller.model.ids import Arn, SecurityGroupId
from lbcontroller.model.ingress_rules import IngressRule
from lbcontroller.model.observed import (
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
from lbcontroller.plan.existing import forwarded_to
from lbcontroller.plan.targets import identifier

InAws = (
    ObservedSecurityGroup
    | ObservedCertificate
    | ObservedRequestedCertificate
    | ObservedLoadBalancer
    | ObservedTargetGroup
    | ObservedListener
    | ObservedListenerRule
    | ObservedLoadBalancerTarget
)
"""What the mirror holds: everything observed but the bindings, which are in the cluster."""
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
_Sender: TypeAlias = ObservedListener | ObservedListenerRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A resource and the stack it is part of."""

    stack: StackId
    observed: InAws


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
        self._entries: dict[Arn, Entry] = {}
        self._stacks: dict[StackId, set[Arn]] = {}
        self._parts: dict[Arn, set[Arn]] = {}
        """What cannot be without a load balancer, listener or target group, by the one it is part of."""
        self._senders: dict[Arn, set[Arn]] = {}
        self._targets: dict[Arn, dict[Target, TargetHealth]] = {}
        self._rules: dict[SecurityGroupId, Rules] = {}
        self._readings: list[Reading] = []
        self._partly_read: set[StackId] = set()

    # Resources

    def observed(self, stack: StackId) -> tuple[InAws, ...]:
        """Return everything of a stack, ordered by ARN."""
        with self._lock:
            return tuple(self._shown(arn) for arn in sorted(self._stacks.get(stack, ())))

    def find(self, arn: Arn) -> InAws | None:
        """Return one resource."""
        with self._lock:
            return self._shown(arn) if arn in self._entries else None

    def parts(self, arn: Arn) -> frozenset[Arn]:
        """Return the listeners of a load balancer, or the rules of a listener."""
        with self._lock:
            return frozenset(self._parts.get(arn, ()))

    def stack_of(self, arn: Arn) -> StackId | None:
        """Return the stack a resource is part of."""
        with self._lock:
            entry = self._entries.get(arn)
            return entry.stack if entry else None

    def stacks(self) -> frozenset[StackId]:
        """Return every stack that has something in AWS."""
        with self._lock:
            return frozenset(stack for stack, arns in self._stacks.items() if arns)

    def record(self, stack: StackId, observed: InAws) -> None:
        """Note how a resource is now."""
        with self._lock:
            self._note_write(observed.arn)
            self._put(Entry(stack=stack, observed=observed))

    def amend(self, arn: Arn, **fields: Any) -> None:
        """Note new values of some fields of a resource, by their names in the model."""
        with self._lock:
            entry = self._entries.get(arn)
            if entry is None:
                return
            self._note_write(arn)
            # mypy cannot follow that each observed type holds its own resource type.
            resource: Any = replace(entry.observed.resource, **fields)
            self._put(replace(entry, observed=replace(entry.observed, resource=resource)))

    def forget(self, arn: Arn) -> None:
        """Note that a resource is gone, and with it what cannot be without it."""
        with self._lock:
            for part in tuple(self._parts.get(arn, ())):
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
            doubted = 0
            for arn in tuple(self._stacks.get(stack, ())):
                observed = self._entries[arn].observed
                facts = [
                    fact
                    for fact in _costly_facts(observed)
                    if getattr(observed.resource, fact) is not UNKNOWN
                ]
                self.amend(arn, **dict.fromkeys(facts, UNKNOWN))
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
            new = {entry.stack for entry in found.values()} - self._stacks.keys()
            changed = self._take_over(reading, found, instead_of=tuple(self._entries))
            if whole:
                self._partly_read.clear()
            else:
                self._partly_read |= new
            self._partly_read &= self._stacks.keys()
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
            return bool(self._take_over(reading, found, instead_of=instead_of))

    def is_partly_read(self, stack: StackId) -> bool:
        """Return whether there may be listeners or rules in a stack that nobody has read."""
        with self._lock:
            return stack in self._partly_read

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
            if self._entries.get(arn) != entry:
                changed.add(entry.stack)
                self._put(entry)
            self._note_write(arn)
        for arn in [arn for arn in instead_of if arn not in found and arn not in reading.written]:
            if arn in self._entries:
                changed.add(self._entries[arn].stack)
                self._remove(arn)
            self._note_write(arn)
        return frozenset(changed)

    def _shown(self, arn: Arn) -> InAws:
        observed = self._entries[arn].observed
        if isinstance(observed, ObservedTargetGroup):
            # Listeners are known exactly; what AWS said about the target group may be older.
            return replace(observed, load_balancers=observed.load_balancers | self._users(arn))
        return observed

    def _users(self, target_group: Arn) -> frozenset[Arn]:
        senders = (self._load_balancer_of(arn) for arn in self._senders.get(target_group, ()))
        return frozenset(load_balancer for load_balancer in senders if load_balancer is not None)

    def _load_balancer_of(self, sender: Arn) -> Arn | None:
        """Return the load balancer of a listener or rule; None while a rule's listener is not known."""
        entry = self._entries.get(sender)
        match entry.observed if entry else None:
            case ObservedListener() as listener:
                return _owner_of(listener)
            case ObservedListenerRule() as rule:
                return self._load_balancer_of(_owner_of(rule))
            case _:
                return None

    def _put(self, entry: Entry) -> None:
        arn, observed = entry.observed.arn, entry.observed
        self._remove_index(arn)
        self._entries[arn] = entry
        self._stacks.setdefault(entry.stack, set()).add(arn)
        if isinstance(observed, ObservedListener | ObservedListenerRule | ObservedLoadBalancerTarget):
            self._parts.setdefault(_owner_of(observed), set()).add(arn)
        if isinstance(observed, ObservedListener | ObservedListenerRule):
            for target_group in _target_groups_of(observed):
                self._senders.setdefault(target_group, set()).add(arn)

    def _remove(self, arn: Arn) -> None:
        self._remove_index(arn)
        self._entries.pop(arn, None)
        self._targets.pop(arn, None)
        self._rules.pop(SecurityGroupId(arn), None)

    def _remove_index(self, arn: Arn) -> None:
        entry = self._entries.get(arn)
        if entry is None:
            return
        observed = entry.observed
        _discard(self._stacks, entry.stack, arn)
        if isinstance(observed, ObservedListener | ObservedListenerRule | ObservedLoadBalancerTarget):
            _discard(self._parts, _owner_of(observed), arn)
        if isinstance(observed, ObservedListener | ObservedListenerRule):
            for target_group in _target_groups_of(observed):
                _discard(self._senders, target_group, arn)

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


def _owner_of(part: _Sender | ObservedLoadBalancerTarget) -> Arn:
    """Return what a part belongs to: a listener's load balancer, a rule's listener, a target's group."""
    match part:
        case ObservedListener(resource=listener):
            reference = listener.load_balancer
        case ObservedListenerRule(resource=rule):
            reference = rule.listener
        case ObservedLoadBalancerTarget(resource=target):
            reference = target.target_group
    if not isinstance(reference, str):
        raise TypeError(f"an observed resource with an unresolved reference: {part.arn}")
    return Arn(reference)


def _target_groups_of(sender: _Sender) -> frozenset[Arn]:
    return frozenset(Arn(to) for to in forwarded_to(sender.resource) if isinstance(to, str))


def _discard(index: dict[Any, set[Arn]], key: StackId | Arn, arn: Arn) -> None:
    members = index.get(key, set())
    members.discard(arn)
    if not members:
        index.pop(key, None)
