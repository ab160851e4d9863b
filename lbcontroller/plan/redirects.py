"""Which listener sends its clients to which other one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lbcontroller.model.actions import RedirectAction
from lbcontroller.model.references import Ref, ResourceId
from lbcontroller.model.resources import Listener, ListenerRule, Stack
from lbcontroller.plan.existing import Sender, actions_of

_SAME_HOST = frozenset({None, "", "#{host}"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirects:
    """The desired listeners of a stack, with their rules, and how they depend on each other."""

    listeners: Mapping[ResourceId, Listener]
    rules: Mapping[ResourceId, tuple[ListenerRule, ...]]
    """The rules of each listener, by priority."""

    @classmethod
    def of(cls, stack: Stack) -> Redirects:
        """Sort out the listeners of a stack."""
        listeners = {item.id: item for item in stack.resources if isinstance(item, Listener)}
        rules = [item for item in stack.resources if isinstance(item, ListenerRule)]
        rules.sort(key=lambda rule: (rule.priority, rule.id))
        return cls(
            listeners=listeners,
            rules={id_: tuple(rule for rule in rules if rule.listener == Ref(id_)) for id_ in listeners},
        )

    def senders(self, listener: ResourceId) -> Sequence[Sender]:
        """Return a listener and its rules."""
        return (self.listeners[listener], *self.rules[listener])

    def destinations(self, listener: ResourceId, sender: Sender) -> Iterator[ResourceId]:
        """Yield the other listeners that one of a listener's senders redirects to."""
        own = self.listeners[listener]
        ports = set(redirected_ports(sender))
        for other in self.listeners.values():
            if other.load_balancer == own.load_balancer and other.port in ports and other.id != own.id:
                yield other.id

    def in_order(self, first: Sequence[ResourceId]) -> Sequence[Listener]:
        """Return the listeners, each behind those that it redirects to as far as that is possible.

        Args:
            first: listeners that come first where nothing else decides.
        """
        ordered: dict[ResourceId, Listener] = {}
        begun: set[ResourceId] = set()

        def visit(id_: ResourceId) -> None:
            if id_ in begun:
                return
            begun.add(id_)
            for sender in self.senders(id_):
                for destination in self.destinations(id_, sender):
                    visit(destination)
            ordered[id_] = self.listeners[id_]

        for id_ in (*first, *self.listeners):
            visit(id_)
        return tuple(ordered.values())


def redirected_ports(sender: Sender) -> Iterator[int]:
    """Yield the ports of the same host that a listener by itself, or a rule, redirects to."""
    for action in actions_of(sender):
        if isinstance(action, RedirectAction) and action.host in _SAME_HOST:
            port = action.port or ""
            if port.isascii() and port.isdecimal():
                yield int(port)
