"""What a request asks for, freed from HTTP: where, which objects, and how to write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from lbcontroller.local.apiserver.objects import JsonObject, Key, metadata
from lbcontroller.local.apiserver.resources import ResourceType, Subresource
from lbcontroller.local.apiserver.selectors import FieldSelector, LabelSelector
from lbcontroller.local.apiserver.store import Stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Where a request points: a resource, a namespace of it (or all), an object in that, a part of it."""

    resource: ResourceType
    namespace: str = ""
    """Empty for cluster-wide resources, and for a list or watch over all namespaces."""
    name: str = ""
    """Empty for requests on a collection."""
    subresource: Subresource = Subresource.MAIN

    @property
    def key(self) -> Key:
        """The key of the object."""
        return Key(self.namespace, self.name)

    @property
    def listed(self) -> str | None:
        """The namespace to list, None for all of them."""
        return self.namespace or (None if self.resource.namespaced else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which objects of a collection are meant."""

    labels: LabelSelector = field(default_factory=LabelSelector)
    fields: FieldSelector = field(default_factory=FieldSelector)

    def selects(self, obj: JsonObject) -> bool:
        """Whether the object is meant."""
        return self.labels.selects(metadata(obj).get("labels")) and self.fields.selects(obj)

    @property
    def everything(self) -> bool:
        """Whether all objects are meant."""
        return not self.labels.requirements and not self.fields.requirements


@dataclass(frozen=True, slots=True, kw_only=True)
class PageQuery:
    """Which part of a list is asked for."""

    limit: int = 0
    """The most objects to answer with; 0 for all."""
    token: str = ""
    """The `continue` of the page before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A part of a list, in stored form."""

    items: Sequence[Stored]
    version: int
    """The resourceVersion from which a watch continues the list."""
    token: str = ""
    """What to ask for the next page; empty on the last one."""
    remaining: int = 0


class FieldValidation(StrEnum):
    """What happens to fields that a schema does not know; they are dropped in any case."""

    STRICT = "Strict"
    WARN = "Warn"
    IGNORE = "Ignore"


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOptions:
    """How to write."""

    dry_run: bool = False
    """Answer as if it had been written, and write nothing."""
    manager: str = "unknown"
    """Who writes; matters for server-side apply."""
    force: bool = False
    """Server-side apply takes over fields of others."""
    validation: FieldValidation = FieldValidation.WARN
    keeps_status: bool = False
    """Create the object with its status; only tests and the demo's seeds may, no client can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteOptions:
    """How to delete."""

    uid: str = ""
    """Delete only the object with this uid; empty for whichever has the name."""
    version: str = ""
    """Delete only in this resourceVersion; empty for any."""
    grace_seconds: int | None = None
    """0 takes a Pod away without waiting for its containers; None leaves it to the Pod."""
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a write left, in stored form."""

    stored: Stored
    created: bool = False
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """What a delete left."""

    stored: Stored
    gone: bool
    """False when finalizers or the grace of a Pod still hold the object."""
