"""Whether what is missing is really missing, or was only not reported yet.

Each kind of object comes by its own watch. An Ingress may be reported before its class or its Service, and a
listing that is not whole may take away what exists.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Final, Generic, TypeVar

from lbcontroller.keys import ObjectName, StackKey
from lbcontroller.kube.client import Client
from lbcontroller.kube.resources import ResourceType
from lbcontroller.plan.deregistration import NEWS_SECONDS

UNREPORTED_SECONDS: Final = 15.0
"""A Service that exists and that no watch reports is waited for so long; the watch reports it before."""

Waiting = TypeVar("Waiting")


def has_service(client: Client, name: ObjectName) -> bool:
    """Return whether the API server says that there is a Service, whatever the watches say.

    Raises:
        LbControllerError: as the client does.
    """
    return client.get(ResourceType.SERVICES, name) is not None


class News(Generic[Waiting]):
    """Remembers since when something waits for an object that no watch reports. For any thread."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Measure with `clock`, in seconds."""
        self._clock = clock
        self._lock = threading.Lock()
        self._since: dict[Waiting, float] = {}

    def wait(self, waiting: Waiting) -> float:
        """Return for how many seconds more the object may just not have been reported; at most 0: none."""
        now = self._clock()
        with self._lock:
            return self._since.setdefault(waiting, now) + NEWS_SECONDS - now

    def forget(self, waiting: Waiting) -> None:
        """Note that it waits no more: the object is there, or nobody wants it."""
        with self._lock:
            self._since.pop(waiting, None)


class MissingServices:
    """Tells which Services that groups of Ingresses send to may exist although none is reported.

    A rule that answers 503 in the meantime would be an outage of a Service that serves. For any thread.
    """

    def __init__(self, exists: Callable[[ObjectName], bool], clock: Callable[[], float]) -> None:
        """Ask the API server for a Service with `exists`, and measure with `clock`, in seconds."""
        self._exists = exists
        self._news = News[tuple[StackKey, ObjectName]](clock)
        self._lock = threading.Lock()
        self._missing: dict[StackKey, dict[ObjectName, bool]] = {}
        """Of each group, and whether the API server said of them that they do not exist."""

    def unsure(self, group: StackKey, missing: frozenset[ObjectName]) -> Mapping[ObjectName, float]:
        """Return those that may exist, and for how many seconds to wait for each.

        Args:
            group: the group.
            missing: all Services that its members send to and that no watch reports.

        Raises:
            LbControllerError: as the API server's client does.
        """
        with self._lock:
            before = self._missing.get(group, {})
        gone = {name: before.get(name, False) for name in missing}
        for name in before.keys() - missing:
            self._news.forget((group, name))
        waits: dict[ObjectName, float] = {}
        for name in sorted(name for name, is_gone in gone.items() if not is_gone):
            if (wait := self._news.wait((group, name))) > 0:
                waits[name] = wait
            elif self._exists(name):
                waits[name] = UNREPORTED_SECONDS
            else:
                gone[name] = True
        self._keep(group, gone)
        return waits

    def forget(self, group: StackKey) -> None:
        """Note that a group is gone."""
        self.unsure(group, frozenset())

    def _keep(self, group: StackKey, gone: dict[ObjectName, bool]) -> None:
        with self._lock:
            if gone:
                self._missing[group] = gone
            else:
                self._missing.pop(group, None)
