"""QUIC server ids: each container that serves QUIC is told one of its own. Pure.

An id in the template of a Deployment is the same in all of its pods, and then a connection that moves to
another address may reach the wrong one. So the pods get theirs one by one.

The ids are random. They are drawn out of 2⁶⁴, so among 10,000 servers two are alike with a probability of
3 in 10¹², and that needs neither a clock nor an account that replicas would have to share.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from lbcontroller.cluster.objects import JsonObject, mapping, sequence
from lbcontroller.cluster.quic import CONTAINERS_ANNOTATION
from lbcontroller.model.findings import Finding, FindingReason, Severity

SERVER_IDS_LABEL: Final = "elbv2.k8s.aws/quic-server-id-inject"
"""Of namespaces, where `enabled` asks for ids."""
_CONTAINER_LISTS: Final = ("containers", "initContainers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identified:
    """The pod as it is to be, and what its owner should know."""

    pod: JsonObject
    findings: tuple[Finding, ...] = ()


def with_server_ids(
    pod: JsonObject, *, subject: str, variable: str, new_id: Callable[[], bytes]
) -> Identified:
    """Return the pod with an id in each of its containers that serve QUIC and have none.

    Args:
        pod: as the API server received it; an annotation names the containers.
        subject: the pod as findings name it.
        variable: the environment variable for the id, which is standard base64 of its bytes.
        new_id: returns an id that no other server has.
    """
    annotations = mapping(mapping(pod, "metadata"), "annotations")
    named = [name.strip() for name in annotations.get(CONTAINERS_ANNOTATION, "").split(",") if name.strip()]
    spec = mapping(pod, "spec")
    lists = {
        kind: [
            _identified(container, variable, new_id) if container.get("name") in named else container
            for container in sequence(spec, kind)
        ]
        for kind in _CONTAINER_LISTS
        if spec.get(kind)
    }
    changed = {kind: containers for kind, containers in lists.items() if containers != list(spec[kind])}
    return Identified(
        pod={**pod, "spec": {**spec, **changed}} if changed else pod,
        findings=_remarks(pod, subject, named, variable),
    )


def _identified(container: JsonObject, variable: str, new_id: Callable[[], bytes]) -> JsonObject:
    if _has(container, variable):
        return container
    entry = {"name": variable, "value": base64.b64encode(new_id()).decode()}
    return {**container, "env": [*sequence(container, "env"), entry]}


def _has(container: JsonObject, variable: str) -> bool:
    return any(entry.get("name") == variable for entry in sequence(container, "env"))


def _remarks(pod: JsonObject, subject: str, named: list[str], variable: str) -> tuple[Finding, ...]:
    spec = mapping(pod, "spec")
    containers = {
        container.get("name"): container for kind in _CONTAINER_LISTS for container in sequence(spec, kind)
    }
    findings = [
        _warning(
            subject,
            FindingReason.IGNORED_SETTING,
            f"{CONTAINERS_ANNOTATION} names container {name!r}, which the pod does not have",
        )
        for name in named
        if name not in containers
    ]
    if sequence(mapping(pod, "metadata"), "ownerReferences"):
        findings += [
            _warning(
                subject,
                FindingReason.SHARED_SERVER_ID,
                f"container {name!r} brings {variable} along from its template, so all pods of it have the "
                "same QUIC server id: remove the variable there, and each one gets its own",
            )
            for name in named
            if name in containers and _has(containers[name], variable)
        ]
    return tuple(findings)


def _warning(subject: str, reason: FindingReason, message: str) -> Finding:
    return Finding(severity=Severity.WARNING, subject=subject, reason=reason, message=message)
