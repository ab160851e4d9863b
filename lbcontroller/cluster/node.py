"""Nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from lbcontroller.cluster.objects import JsonObject, Metadata, condition_status, mapping, sequence
from lbcontroller.model.ids import InstanceId


class NodeReadiness(StrEnum):
    """The node's Ready condition."""

    READY = "True"
    NOT_READY = "False"
    UNKNOWN = "Unknown"
    ABSENT = ""
    """The node has no Ready condition."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taint:
    """A taint."""

    key: str
    effect: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A Node as far as load balancing needs it."""

    name: str
    labels: Mapping[str, str]
    taints: frozenset[Taint]
    readiness: NodeReadiness
    provider_id: str

    @property
    def instance_id(self) -> InstanceId | None:
        """The EC2 instance, or None for what is not one (hybrid nodes, an empty provider id)."""
        last = self.provider_id.rpartition("/")[2]
        return InstanceId(last) if last.startswith("i-") else None

    @property
    def zone(self) -> str:
        """Name of the availability zone; empty when unknown."""
        return self.labels.get("topology.kubernetes.io/zone", "")

    @classmethod
    def from_object(cls, obj: JsonObject) -> Node:
        """Read a Node."""
        meta, spec = Metadata.from_object(obj), mapping(obj, "spec")
        return cls(
            name=meta.name.name,
            labels=meta.labels,
            taints=frozenset(
                Taint(key=taint["key"], effect=taint.get("effect") or "")
                for taint in sequence(spec, "taints")
            ),
            readiness=NodeReadiness(condition_status(mapping(obj, "status"), "Ready") or ""),
            provider_id=spec.get("providerID") or "",
        )
