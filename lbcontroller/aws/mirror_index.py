"""Resources in memory, and how they belong together: what is part of what, and who sends to which targets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from lbcontroller.model.identity import StackId
from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import (
    InAws,
    ObservedListener,
    ObservedListenerRule,
    ObservedLoadBalancerTarget,
)
from lbcontroller.plan.existing import forwarded_to

_Sender: TypeAlias = ObservedListener | ObservedListenerRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A resource and the stack it is part of."""

    stack: StackId
    observed: InAws


class MirrorIndex:
    """Not thread-safe: who has it holds a lock. What it returns does not change with it."""

    def __init__(self) -> None:
        """Begin empty."""
        self._entries: dict[Arn, Entry] = {}
        self._stacks: dict[StackId, set[Arn]] = {}
        self._parts: dict[Arn, set[Arn]] = {}
        """What cannot be without a load balancer, listener or target group, by the one it is part of."""
        self._senders: dict[Arn, set[Arn]] = {}

    def entry(self, arn: Arn) -> Entry | None:
        """Return a resource as it was put."""
        return self._entries.get(arn)

    def arns(self) -> tuple[Arn, ...]:
        """Return every resource."""
        return tuple(self._entries)

    def of_stack(self, stack: StackId) -> tuple[Entry, ...]:
        """Return the resources of a stack, ordered by ARN."""
        return tuple(self._entries[arn] for arn in sorted(self._stacks.get(stack, ())))

    def stacks(self) -> frozenset[StackId]:
        """Return every stack that has a resource."""
        return frozenset(self._stacks)

    def parts(self, arn: Arn) -> frozenset[Arn]:
        """Return the listeners of a load balancer, the rules of a listener, the targets of a group."""
        return frozenset(self._parts.get(arn, ()))

    def load_balancers(self, target_group: Arn) -> frozenset[Arn]:
        """Return the load balancers whose listeners or rules send to a target group."""
        senders = (self._load_balancer_of(arn) for arn in self._senders.get(target_group, ()))
        return frozenset(load_balancer for load_balancer in senders if load_balancer is not None)

    def put(self, entry: Entry) -> None:
        """Note a resource, instead of what was known of it."""
        arn, observed = entry.observed.arn, entry.observed
        self.remove(arn)
        self._entries[arn] = entry
        self._stacks.setdefault(entry.stack, set()).add(arn)
        for index, key in self._places(observed):
            index.setdefault(key, set()).add(arn)

    def remove(self, arn: Arn) -> None:
        """Forget a resource, if it is known."""
        entry = self._entries.pop(arn, None)
        if entry is None:
            return
        _discard(self._stacks, entry.stack, arn)
        for index, key in self._places(entry.observed):
            _discard(index, key, arn)

    def _places(self, observed: InAws) -> Iterator[tuple[dict[Arn, set[Arn]], Arn]]:
        """Yield the indexes a resource is in, each with the key."""
        if isinstance(observed, ObservedListener | ObservedListenerRule | ObservedLoadBalancerTarget):
            yield self._parts, _owner_of(observed)
        if isinstance(observed, ObservedListener | ObservedListenerRule):
            for target_group in _target_groups_of(observed):
                yield self._senders, target_group

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
