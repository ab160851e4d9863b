"""Secrets, of which only those are read that an Ingress names."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field

from lbcontroller.cluster.objects import JsonObject, Metadata, mapping
from lbcontroller.keys import ObjectName


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A Secret; no representation shows what is in it."""

    name: ObjectName
    type: str
    labels: Mapping[str, str]
    data: Mapping[str, bytes] = field(repr=False)

    @classmethod
    def from_object(cls, obj: JsonObject) -> Secret:
        """Read a Secret as the API server returns it; an entry that is no base64 is left out."""
        meta = Metadata.from_object(obj)
        return cls(
            name=meta.name,
            type=obj.get("type") or "",
            labels=meta.labels,
            data={
                key: decoded
                for key, value in mapping(obj, "data").items()
                if (decoded := _decoded(value)) is not None
            },
        )


def _decoded(value: str) -> bytes | None:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None
