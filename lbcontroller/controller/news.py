"""Whether what is missing is really missing, or was only not reported yet.

Each kind of object comes by its own watch. An Ingress may be reported before its class, and a binding before
its Service; and a listing that is not whole may take away what exists.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from lbcontroller.cluster.service import Service
from lbcontroller.keys import ObjectName
from lbcontroller.kube.client import Client
from lbcontroller.kube.resources import ResourceType
from lbcontroller.plan.deregistration import NEWS_SECONDS


def read_service(client: Client, name: ObjectName) -> Service | None:
    """Return a Service as the API server has it, whatever the watches say; None: it does not exist.

    Raises:
        LbControllerError: as the client does.
    """
    found = client.get(ResourceType.SERVICES, name)
    return None if found is None else Service.from_object(found)


class News:
    """Remembers since when an object waits for another one that no watch reports. For any thread."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Measure with `clock`, in seconds."""
        self._clock = clock
        self._lock = threading.Lock()
        self._since: dict[ObjectName, float] = {}

    def wait(self, waiting: ObjectName) -> float:
        """Return for how many seconds more the object may just not have been reported; at most 0: none."""
        now = self._clock()
        with self._lock:
            return self._since.setdefault(waiting, now) + NEWS_SECONDS - now

    def forget(self, waiting: ObjectName) -> None:
        """Note that it waits no more: the object is there, or nobody wants it."""
        with self._lock:
            self._since.pop(waiting, None)
