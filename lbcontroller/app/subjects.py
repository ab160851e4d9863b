"""Finds the objects whose users are to know that the work on a key failed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lbcontroller.build.ingress_groups import ingress_group
from lbcontroller.cluster.ingress import Ingress
from lbcontroller.controller.backend_rules import RuleLedger
from lbcontroller.controller.cache import ClusterCache
from lbcontroller.controller.publish import Subject
from lbcontroller.keys import BackendRulesKey, BindingKey, Key, StackKey, StackKind
from lbcontroller.settings import Settings

MOST_TOLD: Final = 20
"""Bindings that are told of one failure on rules that all of them share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subjects:
    """Looks them up in the cache."""

    cache: ClusterCache
    ledger: RuleLedger
    settings: Settings

    def __call__(self, key: Key) -> tuple[Subject, ...]:
        """Return the objects that a key stands for, as far as they are still there."""
        return tuple(subject for subject in self._candidates(key) if subject is not None)

    def _candidates(self, key: Key) -> Iterator[Subject | None]:
        match key:
            case StackKey(kind=StackKind.SERVICE, name=name):
                yield self.cache.service(name)
            case StackKey(kind=StackKind.INGRESS):
                yield from self._ingresses(key)
            case BindingKey(name=name):
                yield self.cache.binding(name)
            case BackendRulesKey():
                for name in sorted(self.ledger.affected)[:MOST_TOLD]:
                    yield self.cache.binding(name)
            case _:
                pass

    def _ingresses(self, key: StackKey) -> Iterator[Ingress]:
        """Yield the members of a group; those that are leaving when it has none."""
        group = ingress_group(key, self.cache.ingresses.snapshot(key), self.settings)
        yield from (member.ingress for member in group.members)
        if not group.members:
            yield from group.leaving
