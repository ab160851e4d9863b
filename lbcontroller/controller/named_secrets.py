"""Reads the Secrets that groups need, each by its name. No listing of Secrets is ever asked for.

A Secret is read when a group first needs it, and followed from then on until no group needs it any more.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping

from lbcontroller.cluster.secret import Secret
from lbcontroller.controller.ingress_cache import IngressCache
from lbcontroller.errors import LbControllerError
from lbcontroller.keys import ObjectName, StackKey
from lbcontroller.kube.client import Client
from lbcontroller.kube.resources import ResourceType


class NamedSecrets:
    """Keeps the cache filled with the Secrets that groups need. For any thread."""

    def __init__(
        self,
        client: Client,
        cache: IngressCache,
        follow: Callable[[frozenset[ObjectName]], None],
        *,
        label: str,
    ) -> None:
        """Read with `client`, into `cache`.

        Args:
            client: for the first read of each.
            cache: what the watches keep up to date.
            follow: keeps exactly the Secrets of these names in the cache from now on.
            label: `key=value` that Secrets must carry, as the flag says; empty: none.
        """
        self._client = client
        self._cache = cache
        self._follow = follow
        self._label = label
        self._lock = threading.Lock()
        self._followed: frozenset[ObjectName] = frozenset()

    def need(self, group: StackKey, names: Iterable[ObjectName]) -> Mapping[ObjectName, str]:
        """Make sure that the Secrets a group needs are in the cache, and stay there as long as it does.

        Returns:
            Why those could not be read that are not there.
        """
        wanted = frozenset(names)
        failures: dict[ObjectName, str] = {}
        for name in sorted(wanted):
            if not self._cache.knows_secret(name):
                try:
                    self._cache.put_secret(name, self._read(name))
                except LbControllerError as error:
                    failures[name] = str(error)
        with self._lock:
            needed = self._cache.need_secrets(group, wanted)
            if needed != self._followed:
                self._follow(needed)
                self._followed = needed
        return failures

    def _read(self, name: ObjectName) -> Secret | None:
        found = self._client.list(
            ResourceType.SECRETS,
            name.namespace,
            label_selector=self._label,
            field_selector=f"metadata.name={name.name}",
        )
        return next((Secret.from_object(obj) for obj in found), None)
