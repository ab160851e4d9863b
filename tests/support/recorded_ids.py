"""Names that recordings show instead of ids and ARNs, and small parts of requests that are made of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

Json = Any
JsonObject = dict[str, Any]

NODE_PORT: Final = "<nodePort>"
POD: Final = "<pod>"
HASH: Final = "<hash>"


class RecordedIds:
    """Id or ARN by the name that a recording shows."""

    def __init__(self, names: Mapping[str, str]) -> None:
        """Begin with what a world has: readable name by id."""
        self._ids = {name: resource_id for resource_id, name in names.items()}

    def __contains__(self, name: str) -> bool:
        return name in self._ids

    def __getitem__(self, name: str) -> str:
        return self._ids[name]

    def enter(self, name: str, resource_id: str) -> str:
        """Note what was made; return its id."""
        self._ids[name] = resource_id
        return resource_id

    def resolved(self, document: Json) -> Json:
        """Return a document with ids where the recording has names."""
        if isinstance(document, dict):
            return {key: self.resolved(value) for key, value in document.items()}
        if isinstance(document, list):
            return [self.resolved(item) for item in document]
        return self._ids.get(document, document) if isinstance(document, str) else document


def tag_list(tags: Mapping[str, str]) -> list[JsonObject]:
    """Return tags as requests have them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def resource_of(item: JsonObject) -> str:
    """Return which resource of its stack something is, as its tags say."""
    return next(str(value) for key, value in item["tags"].items() if key.endswith(".k8s.aws/resource"))


def changed_attributes(wanted: Mapping[str, str], present: Iterable[Mapping[str, str]]) -> list[JsonObject]:
    """Return the attributes that are not as wanted yet."""
    values = {item["Key"]: item["Value"] for item in present}
    return [{"Key": key, "Value": value} for key, value in wanted.items() if values.get(key) != value]
