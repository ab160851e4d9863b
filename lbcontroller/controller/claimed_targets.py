"""Which targets of a target group shared by several clusters are this cluster's.

The account is kept in a ConfigMap beside the binding, in the form of LBC, so that either may take over from
the other. What is not in it belongs to another cluster and is never deregistered.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from lbcontroller.cluster.binding import Binding
from lbcontroller.errors import Denied
from lbcontroller.keys import ObjectName
from lbcontroller.kube.client import Client
from lbcontroller.kube.resources import ObjectRef, ResourceType
from lbcontroller.kube.writes import ObjectWriter
from lbcontroller.model.observed import Target
from lbcontroller.plan.targets import identifier

NAME_PREFIX: Final = "aws-lbc-targets-"
_KEY: Final = "targets"


@dataclass(frozen=True, slots=True)
class _Account:
    uid: str
    targets: frozenset[str]


class ClaimedTargets:
    """Keeps the accounts; read once for each binding, then written through. For any thread."""

    def __init__(self, client: Client, writer: ObjectWriter) -> None:
        """Read with `client`, because no watch reports these objects, and write with `writer`."""
        self._client = client
        self._writer = writer
        self._lock = threading.Lock()
        self._accounts: dict[str, _Account] = {}
        """By the uid of the binding."""

    def of(self, binding: Binding) -> frozenset[str] | None:
        """Return the identifiers of this cluster's targets; None when no account was kept so far.

        Raises:
            LbControllerError: as the API server's client does.
        """
        account = self._account(binding)
        return account.targets if account is not None else None

    def keep(self, binding: Binding, targets: Iterable[Target]) -> None:
        """Write down which targets are this cluster's, unless it says so already.

        Raises:
            LbControllerError: as the API server's client does.
        """
        claimed = frozenset(identifier(target) for target in targets)
        account = self._account(binding)
        if account is not None and account.targets == claimed:
            return
        text = ",".join(sorted(claimed))
        self._forget(binding)
        if account is None:
            uid = self._create(binding, text)
        else:
            ref = _ref(binding, account.uid)
            self._writer.merge_patch(ref, {"data": {_KEY: text}})
            uid = account.uid
        with self._lock:
            self._accounts[binding.meta.uid] = _Account(uid, claimed)

    def drop(self, binding: Binding) -> None:
        """Delete the account of a binding whose target group is not shared any more.

        Only one that is known: to ask for accounts that never were would cost a request for each binding.

        Raises:
            LbControllerError: as the API server's client does.
        """
        with self._lock:
            known = binding.meta.uid in self._accounts
        if known:
            self.close(binding)

    def close(self, binding: Binding) -> None:
        """Delete the account of a binding that goes; it may be from a time when its target group was shared.

        Raises:
            LbControllerError: as the API server's client does.
        """
        try:
            account = self._account(binding)
        except Denied:
            if binding.spec.multi_cluster:
                raise
            return  # who may not read ConfigMaps has never written one
        if account is not None:
            self._writer.delete(_ref(binding, account.uid))
        self._forget(binding)

    def _account(self, binding: Binding) -> _Account | None:
        with self._lock:
            known = self._accounts.get(binding.meta.uid)
        if known is not None:
            return known
        obj = self._client.get(ResourceType.CONFIG_MAPS, _name(binding))
        if obj is None:
            return None
        text = (obj.get("data") or {}).get(_KEY) or ""
        account = _Account(obj["metadata"]["uid"], frozenset(filter(None, text.split(","))))
        with self._lock:
            self._accounts[binding.meta.uid] = account
        return account

    def _create(self, binding: Binding, text: str) -> str:
        name = _name(binding)
        manifest = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"namespace": name.namespace, "name": name.name},
            "data": {_KEY: text},
        }
        return str(self._writer.create(ResourceType.CONFIG_MAPS, manifest)["metadata"]["uid"])

    def _forget(self, binding: Binding) -> None:
        with self._lock:
            self._accounts.pop(binding.meta.uid, None)


def _name(binding: Binding) -> ObjectName:
    namespace, name = binding.meta.name
    return ObjectName(namespace, f"{NAME_PREFIX}{name}")


def _ref(binding: Binding, uid: str) -> ObjectRef:
    return ObjectRef(resource=ResourceType.CONFIG_MAPS, name=_name(binding), uid=uid)
