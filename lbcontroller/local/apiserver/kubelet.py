"""The fake scheduler and kubelet: Pods get a Node, an address and readiness, and leave after their grace."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from lbcontroller.local.apiserver.allocation import AddressPool
from lbcontroller.local.apiserver.objects import (
    JsonObject,
    Key,
    condition,
    field_at,
    is_terminating,
    is_true,
    members_of,
)
from lbcontroller.local.apiserver.requests import DeleteOptions, Location, WriteOptions
from lbcontroller.local.apiserver.resources import Subresource
from lbcontroller.local.apiserver.served import ServedApi
from lbcontroller.local.apiserver.status import ApiError
from lbcontroller.local.apiserver.store import Change, ChangeType

_STARTED_CONDITIONS = ("PodScheduled", "PodReadyToStartContainers", "Initialized", "ContainersReady")
_READY = "Ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadSettings:
    """How the fake controllers behave."""

    pod_cidrs: tuple[str, ...] = ("10.244.0.0/16",)
    """Where Pods get addresses from, on Nodes that have no `spec.podCIDRs` of their own."""
    pod_grace_seconds: float = 0
    """How long deleted Pods stay terminating; `math.inf` leaves them until `finish_terminating` is called."""


class Kubelet:
    """Runs the Pods of all Nodes."""

    def __init__(self, api: ServedApi, settings: WorkloadSettings) -> None:
        """Run the Pods of `api`."""
        self._api = api
        self._settings = settings
        self._pods = api.registry.named("pods")
        self._pools: dict[str, AddressPool] = {}
        self._unscheduled: dict[Key, None] = {}
        self._terminating: dict[Key, threading.Timer | None] = {}
        self._turn = 0
        api.graceful_pods = True

    def observe_pod(self, change: Change) -> None:
        """Keep account of addresses and of Pods that wait or leave."""
        gone = change.type is ChangeType.DELETED
        if change.before is not None:
            self._each_address(change.before.object, AddressPool.release)
        if not gone:
            self._each_address(change.now.object, AddressPool.take)
        if gone:
            self._unscheduled.pop(change.key, None)
            timer = self._terminating.pop(change.key, None)
            if timer is not None:
                timer.cancel()

    def waiting_pods(self) -> list[Key]:
        """Return the Pods no Node had room for; a new Node is their chance."""
        return list(self._unscheduled)

    def run(self, key: Key) -> None:
        """Bring one Pod a step further: on a Node, running, ready, gone."""
        stored = self._api.store.get("pods", key)
        if stored is None:
            return
        pod = stored.object
        if self._is_lost(pod):
            return
        if is_terminating(pod):
            self._terminate(key)
            if field_at(pod, ("status", "podIP")) is None:
                return
        elif not pod["spec"].get("nodeName"):
            self._schedule(key)
            return
        try:
            status = self._status_of(stored.object)
        except ApiError:  # no address is free: the Pod stays pending, as it does with a real network plug-in
            return
        if status is not None and self._api.store.get("pods", key) is stored:
            updated = stored.copy()
            updated["status"] = status
            self._api.update(self._at(key, Subresource.STATUS), updated, WriteOptions())

    def finish_terminating(self) -> int:
        """Take away every terminating Pod now; return how many left."""
        with self._api.one_step():
            leaving = list(self._terminating)
            for key in leaving:
                self._take_away(key)
        return len(leaving)

    def stop(self) -> None:
        """Forget the graces that still run."""
        with self._api.store.lock:
            for timer in self._terminating.values():
                if timer is not None:
                    timer.cancel()
            self._terminating.clear()

    def _at(self, key: Key, part: Subresource = Subresource.MAIN) -> Location:
        return Location(resource=self._pods, namespace=key.namespace, name=key.name, subresource=part)

    def _schedule(self, key: Key) -> None:
        nodes = [
            stored.object["metadata"]["name"]
            for stored in self._api.store.objects("nodes")
            if not field_at(stored.object, ("spec", "unschedulable"))
            and not is_terminating(stored.object)
            and not _has_stopped_reporting(stored.object)
        ]
        if not nodes:
            self._unscheduled[key] = None
            return
        self._unscheduled.pop(key, None)
        pod = self._api.get(self._at(key)).copy()
        pod["spec"]["nodeName"] = nodes[self._turn % len(nodes)]
        self._turn += 1
        self._api.update(self._at(key), pod, WriteOptions())

    def _terminate(self, key: Key) -> None:
        if key in self._terminating:
            return
        grace = self._settings.pod_grace_seconds
        self._terminating[key] = None
        if grace <= 0:
            self._take_away(key)
        elif grace < threading.TIMEOUT_MAX:
            timer = threading.Timer(grace, self._take_away, args=(key,))
            timer.daemon = True
            self._terminating[key] = timer
            timer.start()

    def _take_away(self, key: Key) -> None:
        with self._api.one_step():
            if self._terminating.pop(key, None) is None and self._api.store.get("pods", key) is None:
                return
            self._api.delete(self._at(key), DeleteOptions(grace_seconds=0))

    def _status_of(self, pod: JsonObject) -> JsonObject | None:
        """Return the status a Pod on a Node is to have, None when it has it; `pod` stays as it is."""
        before = field_at(pod, ("status",)) or {}
        status: JsonObject = dict(before)
        if not status.get("podIP"):
            status |= self._started(pod)
        with_status = {"status": status, "spec": pod["spec"]}
        gates = members_of(pod, "spec", "readinessGates")
        ready = is_true(with_status, "ContainersReady") and all(
            is_true(with_status, gate["conditionType"]) for gate in gates
        )
        if condition(with_status, _READY) is None or is_true(with_status, _READY) is not ready:
            others = [
                each for each in members_of(with_status, "status", "conditions") if each["type"] != _READY
            ]
            status["conditions"] = [*others, self._condition(_READY, holds=ready)]
        return None if status == before else status

    def _started(self, pod: JsonObject) -> JsonObject:
        node = self._node(pod["spec"]["nodeName"])
        host = [
            each["address"]
            for each in members_of(node, "status", "addresses")
            if each["type"] == "InternalIP"
        ]
        addresses = host if pod["spec"].get("hostNetwork") else self._new_addresses(node)
        now = self._api.now()
        set_by_others = {each["type"] for each in members_of(pod, "status", "conditions")}
        conditions = members_of(pod, "status", "conditions") + [
            self._condition(kind, holds=True) for kind in _STARTED_CONDITIONS if kind not in set_by_others
        ]
        started: JsonObject = {
            "phase": "Running",
            "conditions": conditions,
            "startTime": now,
            "containerStatuses": [
                _container_status(each, now) for each in members_of(pod, "spec", "containers")
            ],
        }
        if addresses:
            started |= {"podIP": addresses[0], "podIPs": [{"ip": each} for each in addresses]}
        if host:
            started |= {"hostIP": host[0], "hostIPs": [{"ip": each} for each in host]}
        return started

    def _is_lost(self, pod: JsonObject) -> bool:
        """Whether nothing more is heard of a Pod: its Node reports no more, so nobody runs or ends it."""
        return _has_stopped_reporting(self._node(pod["spec"].get("nodeName") or ""))

    def _node(self, name: str) -> JsonObject:
        found = self._api.store.get("nodes", Key("", name))
        return found.object if found is not None else {}

    def _new_addresses(self, node: JsonObject) -> list[str]:
        own = field_at(node, ("spec", "podCIDR"))
        cidrs = field_at(node, ("spec", "podCIDRs")) or ([own] if own else self._settings.pod_cidrs)
        return [self._pool(cidr).next_free() for cidr in cidrs]

    def _pool(self, cidr: str) -> AddressPool:
        pool = self._pools.get(cidr)
        if pool is None:
            pool = self._pools[cidr] = AddressPool(cidr)
            for stored in self._api.store.objects("pods"):
                self._each_address(stored.object, AddressPool.take)
        return pool

    def _each_address(self, pod: JsonObject, account: Callable[[AddressPool, str], None]) -> None:
        for entry in members_of(pod, "status", "podIPs"):
            for pool in self._pools.values():
                if pool.contains(entry["ip"]):
                    account(pool, entry["ip"])

    def _condition(self, kind: str, *, holds: bool) -> JsonObject:
        return {
            "type": kind,
            "status": "True" if holds else "False",
            "lastProbeTime": None,
            "lastTransitionTime": self._api.now(),
        }


def _has_stopped_reporting(node: JsonObject) -> bool:
    ready = condition(node, _READY)
    return ready is not None and ready["status"] == "Unknown"


def _container_status(container: JsonObject, now: str) -> JsonObject:
    image = container.get("image", "")
    return {
        "name": container["name"],
        "image": image,
        "imageID": image,
        "ready": True,
        "started": True,
        "restartCount": 0,
        "state": {"running": {"startedAt": now}},
        "lastState": {},
    }
