"""What an API server can be asked before anything runs: who may do what, what it defines, what time it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import aiohttp
import orjson

from lbcontroller.errors import Transient
from lbcontroller.kube.errors import Failure, error_of
from lbcontroller.kube.resources import ResourceType, Subresource

_REVIEWS: Final = "apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_NOT_FOUND: Final = 404
_TIMEOUT: Final = aiohttp.ClientTimeout(total=30.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One thing that somebody may or may not do."""

    verb: str
    resource: ResourceType
    subresource: Subresource = Subresource.MAIN
    namespace: str = ""
    """Empty for objects of the cluster, and for those of all namespaces."""
    name: str = ""
    """Empty for objects of any name."""

    def __str__(self) -> str:
        """Return it as `kubectl auth can-i` takes it."""
        part = f"/{self.subresource.value}" if self.subresource.value else ""
        named = f" {self.name}" if self.name else ""
        place = f" -n {self.namespace}" if self.namespace else ""
        return f"{self.verb} {self.resource.qualified}{part}{named}{place}"


async def may(session: aiohttp.ClientSession, access: Access) -> bool | None:
    """Return whether whoever the session belongs to may do that; None: the API server does not know.

    Raises:
        LbControllerError: the API server does not say.
    """
    attributes = {
        "verb": access.verb,
        "group": access.resource.group,
        "resource": access.resource.plural,
        "subresource": access.subresource.value,
        "namespace": access.namespace,
        "name": access.name,
    }
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    answer = await _asked(session, "POST", _REVIEWS, review)
    return None if answer is None else bool(answer.get("status", {}).get("allowed"))


async def defined_fields(session: aiohttp.ClientSession, resource: ResourceType) -> frozenset[str] | None:
    """Return the fields of a custom resource that the API server stores, None when it has no such resource.

    Returns:
        No fields at all when the resource is there, but not described.

    Raises:
        LbControllerError: the API server does not answer.
    """
    document = await _asked(session, "GET", f"openapi/v3/apis/{resource.api_version}") or {}
    for schema in (document.get("components", {}).get("schemas") or {}).values():
        for kind in schema.get("x-kubernetes-group-version-kind") or ():
            if kind.get("kind") == resource.kind:
                return fields_of(schema)
    is_served = any(f"/{resource.plural}/" in f"{path}/" for path in document.get("paths") or ())
    return frozenset() if is_served else None


def fields_of(schema: Mapping[str, Any]) -> frozenset[str]:
    """Return the paths of the fields of an object's schema, below its own parts such as `spec`."""
    parts = (schema.get("properties") or {}).items()
    own = {name: part for name, part in parts if name not in {"apiVersion", "kind", "metadata"}}
    return frozenset(_paths(own, ""))


def _paths(properties: Mapping[str, Any], above: str) -> Iterator[str]:
    for name, part in properties.items():
        path = f"{above}{name}"
        yield path
        yield from _paths(part.get("properties") or {}, f"{path}.")
        yield from _paths((part.get("items") or {}).get("properties") or {}, f"{path}[].")


async def time_of(session: aiohttp.ClientSession) -> datetime | None:
    """Return what time it is where the API server runs, in whole seconds; None when it does not say.

    Raises:
        Transient: it does not answer.
    """
    try:
        async with session.get("version", timeout=_TIMEOUT) as answer:
            said = answer.headers.get("Date")
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Transient(f"the API server does not answer: {error}") from error
    return None if said is None else parsedate_to_datetime(said).astimezone(UTC)


async def _asked(
    session: aiohttp.ClientSession, method: str, path: str, body: Mapping[str, Any] | None = None
) -> dict[str, Any] | None:
    """Return an answer, None when nothing is found there."""
    headers = {"Content-Type": "application/json"} if body is not None else {}
    data = None if body is None else orjson.dumps(body)
    try:
        async with session.request(method, path, data=data, headers=headers, timeout=_TIMEOUT) as answer:
            content = await answer.read()
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Transient(f"{path}: the API server does not answer: {error}") from error
    if answer.status == _NOT_FOUND:
        return None
    if not answer.ok:
        raise error_of(Failure.from_answer(answer.status, content), f"{method} {path}")
    decoded: dict[str, Any] = orjson.loads(content)
    return decoded
