"""What happens to an object on its way into the store: defaults, allocation, the rules of its kind."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable

from lbcontroller.local.apiserver import definitions, ingresses, services
from lbcontroller.local.apiserver.allocation import ServiceAllocations
from lbcontroller.local.apiserver.names import name_problem
from lbcontroller.local.apiserver.objects import JsonObject, field_at, members_of, metadata
from lbcontroller.local.apiserver.resources import ResourceType
from lbcontroller.local.apiserver.schema import fill_defaults, problems_in
from lbcontroller.local.apiserver.selectors import selector_of
from lbcontroller.local.apiserver.service_rules import status_problems_in
from lbcontroller.local.apiserver.status import Cause, FieldProblem, invalid

_ADDRESS_TYPES = ("FQDN", "IPv4", "IPv6")
_PENDING = {"phase": "Pending", "qosClass": "BestEffort"}


class Admission:
    """The rules of every kind; objects are completed in place."""

    def __init__(
        self,
        allocations: ServiceAllocations,
        now: Callable[[], str],
        ingress_classes: Callable[[], Iterable[JsonObject]],
        *,
        stores_ip_mode: bool = True,
    ) -> None:
        """Allocate from `allocations`, stamp times with `now`; `stores_ip_mode` as in `ApiServerSettings`."""
        self._allocations = allocations
        self._now = now
        self._ingress_classes = ingress_classes
        self._stores_ip_mode = stores_ip_mode

    def admit(self, resource: ResourceType, before: JsonObject | None, obj: JsonObject) -> None:
        """Complete and check an object whose metadata, spec or data are written.

        Args:
            resource: what the object is.
            before: the object as stored; None when it is being created.
            obj: the object to store; completed in place.

        Raises:
            ApiError: Invalid, naming every field that breaks a rule.
        """
        problems = [*_name_problems(resource, before, obj), *_metadata_problems(before, obj)]
        if resource.custom:
            problems += _admit_custom(resource, obj)
        elif resource.storage == "services":
            problems += services.prepare(before, obj, self._allocations)
        elif resource.storage == ingresses.STORAGE:
            problems += ingresses.prepare(before, obj, self._ingress_classes())
        elif resource.storage == definitions.STORAGE:
            if not (found := definitions.problems_in(obj)):
                definitions.fill_defaults(before, obj, self._now())
            problems += found
        elif (rule := _RULES.get(resource.storage)) is not None:
            problems += rule(before, obj)
        _refuse(resource, obj, problems)

    def admit_status(self, resource: ResourceType, obj: JsonObject) -> None:
        """Check an object whose status is written; raises ApiError (Invalid)."""
        problems: list[FieldProblem] = []
        if resource.custom and resource.schema is not None:
            fill_defaults(obj, resource.schema)
            problems = problems_in(obj, resource.schema)
        elif resource.storage == "services":
            services.complete_status(obj, stores_ip_mode=self._stores_ip_mode)
            problems = status_problems_in(obj)
        elif resource.storage == ingresses.STORAGE:
            problems = ingresses.complete_status(obj)
        _refuse(resource, obj, problems)

    def initial_status(self, resource: ResourceType, obj: JsonObject) -> None:
        """Give a new object its first status; what clients send counts for Nodes only, as in reality."""
        if resource.storage == "pods":
            obj["status"] = dict(_PENDING)
        elif resource.storage == "namespaces":
            obj["status"] = {"phase": "Active"}
        elif resource.storage == ingresses.STORAGE:
            obj["status"] = {"loadBalancer": {}}
        elif resource.storage == "nodes":
            obj.setdefault("status", {})
        elif resource.has_status and resource.storage != definitions.STORAGE:
            obj.pop("status", None)
            if not resource.custom:
                obj["status"] = {}


def _refuse(resource: ResourceType, obj: JsonObject, problems: list[FieldProblem]) -> None:
    if problems:
        raise invalid(resource.kind, resource.group, metadata(obj).get("name") or "", problems)


def _name_problems(resource: ResourceType, before: JsonObject | None, obj: JsonObject) -> list[FieldProblem]:
    name = metadata(obj).get("name") or ""
    if before is not None or not (detail := name_problem(resource.plural, name)):
        return []
    return [FieldProblem(field="metadata.name", cause=Cause.INVALID, value=name, detail=detail)]


def _metadata_problems(before: JsonObject | None, obj: JsonObject) -> list[FieldProblem]:
    found = []
    for name in ("labels", "annotations"):
        for key, value in (metadata(obj).get(name) or {}).items():
            if not isinstance(value, str):
                detail = f"{key} must be a string"
                found.append(
                    FieldProblem(
                        field=f"metadata.{name}", cause=Cause.TYPE_INVALID, value=value, detail=detail
                    )
                )
    if before is not None and metadata(before).get("deletionTimestamp"):
        added = set(metadata(obj).get("finalizers") or ()) - set(metadata(before).get("finalizers") or ())
        if added:
            detail = (
                "no new finalizers can be added if the object is being deleted, found new finalizers "
                f"[{', '.join(sorted(added))}]"
            )
            found.append(FieldProblem(field="metadata.finalizers", cause=Cause.FORBIDDEN, detail=detail))
    return found


def _admit_custom(resource: ResourceType, obj: JsonObject) -> list[FieldProblem]:
    schema = resource.schema or {}
    fill_defaults(obj, schema)
    return problems_in(obj, schema)


def _namespace(before: JsonObject | None, obj: JsonObject) -> list[FieldProblem]:
    labels = metadata(obj).setdefault("labels", {})
    labels["kubernetes.io/metadata.name"] = metadata(obj)["name"]
    spec = obj.setdefault("spec", {})
    if before is None:
        spec["finalizers"] = ["kubernetes"]
    return []


def _pod(before: JsonObject | None, obj: JsonObject) -> list[FieldProblem]:
    spec = obj.setdefault("spec", {})
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("terminationGracePeriodSeconds", 30)
    spec.setdefault("serviceAccountName", "default")
    _default_container_ports(spec)
    if not members_of(spec, "containers"):
        return [FieldProblem(field="spec.containers", cause=Cause.REQUIRED)]
    gates = (before or obj)["spec"].get("readinessGates")
    if spec.get("readinessGates") != gates:
        return [
            FieldProblem(field="spec", cause=Cause.FORBIDDEN, detail="pod updates may not change this field")
        ]
    return []


def _default_container_ports(pod_spec: JsonObject) -> None:
    for container in members_of(pod_spec, "containers"):
        for port in members_of(container, "ports"):
            port.setdefault("protocol", "TCP")


def _deployment(before: JsonObject | None, obj: JsonObject) -> list[FieldProblem]:
    spec = obj.setdefault("spec", {})
    spec.setdefault("replicas", 1)
    spec.setdefault("strategy", {"type": "RollingUpdate"})
    template = field_at(spec, ("template", "spec"))
    if isinstance(template, dict):
        _default_container_ports(template)
    selector = spec.get("selector")
    if not selector:
        return [FieldProblem(field="spec.selector", cause=Cause.REQUIRED)]
    if before is not None and before["spec"]["selector"] != selector:
        detail = "field is immutable"
        return [FieldProblem(field="spec.selector", cause=Cause.INVALID, value=selector, detail=detail)]
    labels = field_at(spec, ("template", "metadata", "labels"))
    if not selector_of(selector).selects(labels):
        detail = "`selector` does not match template `labels`"
        field = "spec.template.metadata.labels"
        return [FieldProblem(field=field, cause=Cause.INVALID, value=labels, detail=detail)]
    return []


def _endpoint_slice(before: JsonObject | None, obj: JsonObject) -> list[FieldProblem]:
    kind = obj.get("addressType")
    if not kind:
        return [FieldProblem(field="addressType", cause=Cause.REQUIRED)]
    if kind not in _ADDRESS_TYPES:
        return [FieldProblem(field="addressType", cause=Cause.NOT_SUPPORTED, value=kind)]
    if before is not None and before["addressType"] != kind:
        return [
            FieldProblem(field="addressType", cause=Cause.INVALID, value=kind, detail="field is immutable")
        ]
    obj.setdefault("endpoints", [])
    for port in members_of(obj, "ports"):
        port.setdefault("name", "")
        port.setdefault("protocol", "TCP")
    return []


def _secret(before: JsonObject | None, obj: JsonObject) -> list[FieldProblem]:
    del before
    obj.setdefault("type", "Opaque")
    for name, text in (obj.pop("stringData", None) or {}).items():
        obj.setdefault("data", {})[name] = base64.b64encode(text.encode()).decode()
    return []


_RULES: dict[str, Callable[[JsonObject | None, JsonObject], list[FieldProblem]]] = {
    "namespaces": _namespace,
    "pods": _pod,
    "deployments.apps": _deployment,
    ingresses.CLASSES_STORAGE: ingresses.prepare_class,
    "endpointslices.discovery.k8s.io": _endpoint_slice,
    "secrets": _secret,
}
