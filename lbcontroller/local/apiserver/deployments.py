"""The fake deployment controller: the Pods of a Deployment, rolled over when its template changes.

There are no ReplicaSets in between: Pods belong to the Deployment itself.
"""

from __future__ import annotations

import hashlib
import math

import orjson

from lbcontroller.local.apiserver.objects import JsonObject, Key, copy_of, field_at, is_terminating, is_true
from lbcontroller.local.apiserver.requests import Location, WriteOptions
from lbcontroller.local.apiserver.resources import Subresource
from lbcontroller.local.apiserver.served import ServedApi
from lbcontroller.local.apiserver.status import ApiError

STORAGE = "deployments.apps"
HASH_LABEL = "pod-template-hash"
_DEFAULT_SHARE = "25%"


class Deployments:
    """Keeps the Pods of Deployments."""

    def __init__(self, api: ServedApi) -> None:
        """Keep the Pods of the Deployments of `api`."""
        self._api = api
        self._deployments = api.registry.named("deployments")
        self._pods = api.registry.named("pods")

    def run(self, key: Key, owned: list[JsonObject]) -> None:
        """Bring one Deployment a step further, given the Pods it owns."""
        stored = self._api.store.get(STORAGE, key)
        if stored is None or is_terminating(stored.object):
            return
        deployment = stored.object
        template_hash = _template_hash(deployment)
        active = [pod for pod in owned if not is_terminating(pod)]
        fresh = [pod for pod in active if pod["metadata"]["labels"].get(HASH_LABEL) == template_hash]
        outdated = [pod for pod in active if pod not in fresh]
        for pod in _superfluous(deployment, fresh, outdated):
            self._api.delete(self._pod_at(pod["metadata"]["name"], key))
        failure = self._start(deployment, key, _missing(deployment, len(fresh), len(active)))
        self._report(key, active, fresh, failure)

    def _start(self, deployment: JsonObject, key: Key, count: int) -> str:
        """Start Pods; return why the template makes none, empty when it does."""
        for _ in range(count):
            pod = _new_pod(deployment, _template_hash(deployment))
            try:
                self._api.create(self._pod_at("", key), pod, WriteOptions())
            except ApiError as error:
                return error.message
        return ""

    def _pod_at(self, name: str, key: Key) -> Location:
        return Location(resource=self._pods, namespace=key.namespace, name=name)

    def _report(self, key: Key, active: list[JsonObject], fresh: list[JsonObject], failure: str) -> None:
        at = Location(
            resource=self._deployments, namespace=key.namespace, name=key.name, subresource=Subresource.STATUS
        )
        deployment = self._api.get(at).copy()
        ready = sum(is_true(pod, "Ready") for pod in active)
        desired = deployment["spec"]["replicas"]
        counts = {
            "replicas": len(active),
            "updatedReplicas": len(fresh),
            "readyReplicas": ready,
            "availableReplicas": ready,
            "unavailableReplicas": max(0, desired - ready),
        }
        status: JsonObject = {name: count for name, count in counts.items() if count}
        status["observedGeneration"] = deployment["metadata"]["generation"]
        complete = ready >= desired and len(fresh) == len(active) == desired
        status["conditions"] = [
            self._condition(deployment, "Available", "MinimumReplicasAvailable", holds=ready >= desired),
            self._condition(
                deployment,
                "Progressing",
                "NewReplicaSetAvailable" if complete else "ReplicaSetUpdated",
                holds=True,
            ),
        ]
        if failure:
            failed = self._condition(deployment, "ReplicaFailure", "FailedCreate", holds=True)
            status["conditions"].append({**failed, "message": failure})
        deployment["status"] = status
        self._api.update(at, deployment, WriteOptions())

    def _condition(self, deployment: JsonObject, kind: str, reason: str, *, holds: bool) -> JsonObject:
        earlier = field_at(deployment, ("status", "conditions")) or []
        wanted = {"type": kind, "status": "True" if holds else "False", "reason": reason}
        for each in earlier:
            if {name: each.get(name) for name in wanted} == wanted:
                return dict(each)
        now = self._api.now()
        return {**wanted, "message": "", "lastUpdateTime": now, "lastTransitionTime": now}


def _template_hash(deployment: JsonObject) -> str:
    template = orjson.dumps(deployment["spec"]["template"], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(template).hexdigest()[:10]


def _new_pod(deployment: JsonObject, template_hash: str) -> JsonObject:
    meta = deployment["metadata"]
    template = copy_of(deployment["spec"]["template"])
    labels = {**(field_at(template, ("metadata", "labels")) or {}), HASH_LABEL: template_hash}
    owner = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": meta["name"],
        "uid": meta["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    pod_meta: JsonObject = {
        "generateName": f"{meta['name']}-{template_hash}-",
        "namespace": meta["namespace"],
        "labels": labels,
        "ownerReferences": [owner],
    }
    if annotations := field_at(template, ("metadata", "annotations")):
        pod_meta["annotations"] = annotations
    return {"apiVersion": "v1", "kind": "Pod", "metadata": pod_meta, "spec": template["spec"]}


def _missing(deployment: JsonObject, fresh: int, active: int) -> int:
    """Return how many Pods of the present template may be started now."""
    desired: int = deployment["spec"]["replicas"]
    if _recreates(deployment):
        return max(0, desired - fresh) if active == fresh else 0
    surge = math.ceil(_share(deployment, "maxSurge") - 1e-9)
    return max(0, min(desired - fresh, desired + max(surge, 1) - active))


def _superfluous(
    deployment: JsonObject, fresh: list[JsonObject], outdated: list[JsonObject]
) -> list[JsonObject]:
    """Return the Pods that may be stopped now: of former templates, and those too many."""
    desired = deployment["spec"]["replicas"]
    if _recreates(deployment):
        return outdated + _first_to_go(fresh)[: max(0, len(fresh) - desired)]
    surplus = _first_to_go(fresh)[: max(0, len(fresh) - desired)]
    available = sum(is_true(pod, "Ready") for pod in fresh + outdated if pod not in surplus)
    may_stop = max(0, available - desired + math.floor(_share(deployment, "maxUnavailable")))
    broken = [pod for pod in outdated if not is_true(pod, "Ready")]
    running = [pod for pod in outdated if is_true(pod, "Ready")]
    return surplus + broken + running[:may_stop]


def _first_to_go(pods: list[JsonObject]) -> list[JsonObject]:
    """Return Pods in the order in which scaling down stops them: not ready ones, then the youngest."""
    youngest_first = sorted(pods, key=lambda pod: pod["metadata"]["creationTimestamp"], reverse=True)
    return sorted(youngest_first, key=lambda pod: is_true(pod, "Ready"))


def _recreates(deployment: JsonObject) -> bool:
    return bool(field_at(deployment, ("spec", "strategy", "type")) == "Recreate")


def _share(deployment: JsonObject, name: str) -> float:
    value = field_at(deployment, ("spec", "strategy", "rollingUpdate", name))
    value = _DEFAULT_SHARE if value is None else value
    if isinstance(value, int):
        return value
    return float(value.rstrip("%")) * float(deployment["spec"]["replicas"]) / 100
