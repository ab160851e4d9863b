"""The forms a client can ask for by its `Accept` header: objects whole, their metadata only, or tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import orjson

from lbcontroller.local.apiserver.conversion import to_served
from lbcontroller.local.apiserver.objects import JsonObject
from lbcontroller.local.apiserver.requests import Page
from lbcontroller.local.apiserver.resources import ResourceType
from lbcontroller.local.apiserver.store import Stored
from lbcontroller.local.apiserver.tables import table


class Form(StrEnum):
    """A form; the value is the `as=` of the media type, with `List` for collections of metadata."""

    WHOLE = ""
    METADATA = "PartialObjectMetadata"
    TABLE = "Table"


_META_V1 = "meta.k8s.io/v1"


def form_of(accept: str) -> Form:
    """Return the first form of an `Accept` header that is served here."""
    for media_type in accept.split(","):
        parameters = dict(part.strip().partition("=")[::2] for part in media_type.split(";")[1:])
        if parameters.get("v", "v1") == "v1" and "as" in parameters:
            wanted = parameters["as"].removesuffix("List")
            if wanted in (Form.METADATA, Form.TABLE):
                return Form(wanted)
    return Form.WHOLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Presenter:
    """Writes objects of one resource in one form."""

    resource: ResourceType
    form: Form
    now: Callable[[], datetime]
    row_object: str = "Metadata"
    """What table rows carry beside their cells: `Metadata`, `Object` or `None`."""

    def encode(self, stored: Stored) -> bytes:
        """Return one object in its form."""
        match self.form:
            case Form.WHOLE:
                return self._whole(stored)
            case Form.METADATA:
                return orjson.dumps(_partial(stored.object))
            case Form.TABLE:
                return orjson.dumps(self._table([stored]))

    def encode_page(self, page: Page) -> bytes:
        """Return a list in its form."""
        meta: JsonObject = {"resourceVersion": str(page.version)}
        if page.token:
            meta |= {"continue": page.token, "remainingItemCount": page.remaining}
        match self.form:
            case Form.TABLE:
                return orjson.dumps({**self._table(list(page.items)), "metadata": meta})
            case Form.METADATA:
                kind, api_version = "PartialObjectMetadataList", _META_V1
                items = b",".join(orjson.dumps(_partial(item.object)) for item in page.items)
            case Form.WHOLE:
                kind, api_version = f"{self.resource.kind}List", self.resource.api_version
                items = b",".join(self._whole(item) for item in page.items)
        head = orjson.dumps({"kind": kind, "apiVersion": api_version, "metadata": meta})
        return b'%s,"items":[%s]}' % (head[:-1], items)

    def _whole(self, stored: Stored) -> bytes:
        if self.resource.api_version == self.resource.stored_api_version:
            return stored.encoded
        return orjson.dumps(to_served(self.resource, stored.object))

    def _table(self, items: list[Stored]) -> JsonObject:
        rows = []
        for item in items:
            shown = {"Object": to_served(self.resource, item.object), "None": None}.get(
                self.row_object, _partial(item.object)
            )
            rows.append((item.object, shown))
        return table(self.resource, rows, self.now())


def _partial(obj: JsonObject) -> JsonObject:
    return {"kind": "PartialObjectMetadata", "apiVersion": _META_V1, "metadata": obj["metadata"]}
