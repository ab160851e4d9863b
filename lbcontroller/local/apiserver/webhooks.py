"""Admission webhooks: who is asked about a write, and what is made of the answers, as a real server does it.

Asked are the webhooks of MutatingWebhookConfigurations, in the order of their names, then those of
ValidatingWebhookConfigurations. They are called within the write, while the store is locked: a webhook that
asks this server anything before it has answered waits for its own answer, and hears of nothing from a watch.

Left out: `matchConditions`, which would need CEL, so that a webhook is asked more often than by a real
server; webhooks behind a Service, which nobody here routes to; and DELETE.
"""

from __future__ import annotations

import base64
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import orjson
import urllib3

from lbcontroller.local.apiserver.conversion import to_served, to_stored
from lbcontroller.local.apiserver.objects import JsonObject, Key, copy_of, field_at, members_of, metadata
from lbcontroller.local.apiserver.patch import json_patch
from lbcontroller.local.apiserver.requests import Location
from lbcontroller.local.apiserver.resources import Registry, ResourceType
from lbcontroller.local.apiserver.selectors import selector_of
from lbcontroller.local.apiserver.status import ApiError, Reason
from lbcontroller.local.apiserver.store import Store

GROUP = "admissionregistration.k8s.io"
_MUTATING = f"mutatingwebhookconfigurations.{GROUP}"
_VALIDATING = f"validatingwebhookconfigurations.{GROUP}"
_DEFAULT_SECONDS = 10
_REVIEW = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}
_USER = {"username": "local", "groups": ["system:masters", "system:authenticated"]}


class Operation(StrEnum):
    """What is done to an object."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """A write that webhooks are asked about; objects are in stored form."""

    at: Location
    operation: Operation
    obj: JsonObject
    before: JsonObject | None
    dry_run: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Match:
    """A webhook that wants to be asked, and the version of the resource that it knows."""

    webhook: JsonObject
    resource: ResourceType

    @property
    def name(self) -> str:
        return str(self.webhook["name"])

    @property
    def again(self) -> bool:
        return self.webhook.get("reinvocationPolicy") == "IfNeeded"


class _CallFailed(Exception):  # noqa: N818 - it says what happened, and never leaves this module
    """A webhook gave no answer that could be used."""


class Webhooks:
    """Asks the registered webhooks."""

    def __init__(self, store: Store, registry: Registry) -> None:
        """Ask those that `store` holds."""
        self._store = store
        self._registry = registry
        self._pools: dict[str, urllib3.PoolManager] = {}
        self._asked = 0

    @property
    def are_registered(self) -> bool:
        """Whether there is any configuration."""
        return any(self._store.objects(storage) for storage in (_MUTATING, _VALIDATING))

    def mutate(self, write: Write) -> tuple[JsonObject, tuple[str, ...]]:
        """Return the object as the mutating webhooks leave it, and what they warn about.

        Raises:
            ApiError: Forbidden by a webhook, or InternalError when one that must answer does not.
        """
        warnings: list[str] = []
        left: list[tuple[_Match, JsonObject]] = []
        for match in self._matches(write, _MUTATING):
            write = self._mutated(match, write, warnings)
            left.append((match, write.obj))
        for match, obj in left:
            if match.again and write.obj != obj:
                write = self._mutated(match, write, warnings)
        return write.obj, tuple(dict.fromkeys(warnings))

    def validate(self, write: Write) -> tuple[str, ...]:
        """Return what the validating webhooks warn about; raises as `mutate` does."""
        warnings: list[str] = []
        for match in self._matches(write, _VALIDATING):
            self._ask(match, write, warnings)
        return tuple(dict.fromkeys(warnings))

    def _mutated(self, match: _Match, write: Write, warnings: list[str]) -> Write:
        response = self._ask(match, write, warnings)
        if not response.get("patch"):
            return write
        operations = orjson.loads(base64.b64decode(response["patch"]))
        changed = json_patch(to_served(match.resource, copy_of(write.obj)), operations)
        return replace(write, obj=to_stored(match.resource, changed))

    def _matches(self, write: Write, storage: str) -> Iterator[_Match]:
        if write.at.resource.group == GROUP:
            return
        for stored in self._store.objects(storage):
            for webhook in members_of(stored.object, "webhooks"):
                found = self._matched(webhook, write)
                if found is not None:
                    yield found

    def _matched(self, webhook: JsonObject, write: Write) -> _Match | None:
        resource = write.at.resource
        versions = [resource] + [
            each for each in self._registry if each.storage == resource.storage and each is not resource
        ]
        known = versions if webhook.get("matchPolicy", "Equivalent") == "Equivalent" else versions[:1]
        for version in known:
            if any(_covers(rule, version, write) for rule in members_of(webhook, "rules")):
                break
        else:
            return None
        if not selector_of(webhook.get("namespaceSelector") or {}).selects(self._namespace_labels(write)):
            return None
        objects = selector_of(webhook.get("objectSelector") or {})
        if not any(
            objects.selects(metadata(obj).get("labels"))
            for obj in (write.obj, write.before)
            if obj is not None
        ):
            return None
        return _Match(webhook=webhook, resource=version)

    def _namespace_labels(self, write: Write) -> dict[str, str]:
        """Return the labels that a namespace selector looks at; a cluster's object always meets it."""
        if write.at.resource.storage == "namespaces":
            return metadata(write.obj).get("labels") or {}
        found = self._store.get("namespaces", Key("", write.at.namespace))
        return (metadata(found.object).get("labels") or {}) if found is not None else {}

    def _ask(self, match: _Match, write: Write, warnings: list[str]) -> JsonObject:
        """Return the response of a webhook; empty when it fails and may."""
        try:
            response = self._called(match, write)
        except _CallFailed as error:
            if match.webhook.get("failurePolicy", "Fail") == "Ignore":
                return {}
            why = f'failed calling webhook "{match.name}": failed to call webhook: {error}'
            message = f"Internal error occurred: {why}"
            raise ApiError(Reason.INTERNAL_ERROR, message) from error
        warnings += response.get("warnings") or ()
        if not response["allowed"]:
            why = field_at(response, ("status", "message")) or "without explanation"
            message = f'admission webhook "{match.name}" denied the request: {why}'
            raise ApiError(Reason.FORBIDDEN, message)
        return response

    def _called(self, match: _Match, write: Write) -> JsonObject:
        config = match.webhook["clientConfig"]
        if not config.get("url"):
            raise _CallFailed("Services cannot be reached from here")
        self._asked += 1
        request = self._request(match, write, uid=f"review-{self._asked}")
        seconds = match.webhook.get("timeoutSeconds", _DEFAULT_SECONDS)
        try:
            answer = self._pool(config.get("caBundle") or "").request(
                "POST",
                f"{config['url']}?timeout={seconds}s",
                body=orjson.dumps({**_REVIEW, "request": request}),
                headers={"Content-Type": "application/json"},
                timeout=seconds,
                retries=False,
            )
        except urllib3.exceptions.HTTPError as error:
            raise _CallFailed(str(error)) from error
        if answer.status == 404:  # noqa: PLR2004 - nothing is at that path, as a real server tells it
            raise _CallFailed("the server could not find the requested resource")
        if answer.status != 200:  # noqa: PLR2004 - success by HTTP's definition
            raise _CallFailed(
                f"the server answered with {answer.status}: {answer.data.decode(errors='replace')}"
            )
        try:
            response = orjson.loads(answer.data)["response"]
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            raise _CallFailed(f"the answer is no AdmissionReview: {error}") from error
        if response.get("uid") != request["uid"]:
            raise _CallFailed(f"expected response.uid={request['uid']}, got {response.get('uid')}")
        found: JsonObject = response
        return found

    def _request(self, match: _Match, write: Write, *, uid: str) -> JsonObject:
        resource, at = match.resource, write.at
        kind = {"group": resource.group, "version": resource.version, "kind": resource.kind}
        plural = {"group": resource.group, "version": resource.version, "resource": resource.plural}
        request: JsonObject = {
            "uid": uid,
            "kind": kind,
            "resource": plural,
            "requestKind": {**kind, "version": at.resource.version},
            "requestResource": {**plural, "version": at.resource.version},
            "operation": write.operation.value,
            "userInfo": _USER,
            "object": to_served(resource, write.obj),
            "oldObject": to_served(resource, write.before) if write.before is not None else None,
            "dryRun": write.dry_run,
            "options": None,
        }
        if name := metadata(write.obj).get("name"):
            request["name"] = name
        if at.namespace:
            request["namespace"] = at.namespace
        if at.subresource.value:
            request["subResource"] = request["requestSubResource"] = at.subresource.value
        return request

    def _pool(self, authority: str) -> urllib3.PoolManager:
        pool = self._pools.get(authority)
        if pool is None:
            trusted: Any = base64.b64decode(authority).decode() if authority else None
            pool = urllib3.PoolManager(ssl_context=ssl.create_default_context(cadata=trusted))
            self._pools[authority] = pool
        return pool


def _covers(rule: JsonObject, resource: ResourceType, write: Write) -> bool:
    """Whether a rule is about a write to a resource in one of its versions."""
    part = write.at.subresource.value
    plural = resource.plural
    resources = {f"{plural}/{part}", f"{plural}/*", f"*/{part}"} if part else {plural, "*"}
    offered: tuple[tuple[str, set[str]], ...] = (
        ("operations", {write.operation.value, "*"}),
        ("apiGroups", {resource.group, "*"}),
        ("apiVersions", {resource.version, "*"}),
        ("resources", {*resources, "*/*"}),
    )
    scope = rule.get("scope") or "*"
    return scope in ("*", resource.scope.value) and all(
        accepted & set(rule.get(name) or ()) for name, accepted in offered
    )
