"""Builders of pods as they are created, and of the bindings that will register them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lbcontroller.cluster.binding import Binding
from lbcontroller.cluster.service import Service
from lbcontroller.keys import ObjectName
from lbcontroller.webhooks.drain import DRAIN_KEY
from lbcontroller.webhooks.selection import Selected
from tests.support.cluster_objects import a_binding, a_service

NAMESPACE = "shop"


def a_new_pod(
    *containers: Mapping[str, Any],
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    **spec: Any,
) -> dict[str, Any]:
    """Return a pod that Service shop/web selects, with one container unless some are given."""
    meta: dict[str, Any] = {"generateName": "web-", "labels": {"app": "web", **(labels or {})}}
    if annotations is not None:
        meta["annotations"] = dict(annotations)
    listed = [dict(container) for container in containers] or [{"name": "app", "image": "app"}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": listed, **spec}}


def named(
    binding: Binding, name: str, *, labels: Mapping[str, str] | None = None, deleting: bool = False
) -> Binding:
    """Return a binding under another name."""
    meta = replace(
        binding.meta,
        name=ObjectName(binding.meta.name.namespace, name),
        uid=name,
        labels=dict(labels or {}),
        deleting=deleting,
    )
    return replace(binding, meta=meta)


def annotated(service: Service, annotations: Mapping[str, str]) -> Service:
    """Return a Service with further annotations, by their full keys."""
    meta = replace(service.meta, annotations={**service.meta.annotations, **annotations})
    return replace(service, meta=meta)


def bound(
    name: str = "web", *, drain: str | None = None, labels: Mapping[str, str] | None = None, **spec: Any
) -> Selected:
    """Return a binding of Service shop/web; `drain` is what the Service says about drain coordination."""
    asked = {} if drain is None else {DRAIN_KEY: drain}
    return Selected(
        binding=named(a_binding(**spec), name, labels=labels), service=annotated(a_service(), asked)
    )
