"""The rules of writes for every kind: identity, versions, what clients cannot set, generations, deletion."""

from __future__ import annotations

from lbcontroller.local.apiserver.objects import (
    JsonObject,
    field_at,
    is_terminating,
    metadata,
    pending_finalizers,
)
from lbcontroller.local.apiserver.requests import DeleteOptions, FieldValidation, Location, WriteOptions
from lbcontroller.local.apiserver.resources import ResourceType
from lbcontroller.local.apiserver.schema import prune
from lbcontroller.local.apiserver.status import (
    ApiError,
    Cause,
    FieldProblem,
    Reason,
    bad_request,
    conflict,
    invalid,
)

_KEPT_METADATA = (
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "resourceVersion",
    "generateName",
)


def check_identity(at: Location, obj: JsonObject) -> None:
    """Fill in kind, namespace and name from the path; refuse an object that says otherwise (BadRequest)."""
    resource, meta = at.resource, metadata(obj)
    for name, expected in (("apiVersion", resource.api_version), ("kind", resource.kind)):
        if obj.setdefault(name, expected) != expected:
            what = "API version" if name == "apiVersion" else "kind"
            raise bad_request(
                f"the {what} in the data ({obj[name]}) does not match the expected {what} ({expected})"
            )
    if not resource.namespaced:
        meta.pop("namespace", None)
    elif (meta.get("namespace") or at.namespace) != at.namespace:
        raise bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    else:
        meta["namespace"] = at.namespace
    if at.name and (meta.get("name") or at.name) != at.name:
        raise bad_request(
            f"the name of the object ({meta['name']}) does not match the name on the URL ({at.name})"
        )
    if at.name:
        meta["name"] = at.name


def prune_unknown(resource: ResourceType, obj: JsonObject, options: WriteOptions) -> tuple[str, ...]:
    """Drop fields that a custom resource's schema does not know; return the warnings to send.

    Raises:
        ApiError: BadRequest when there are some and validation is strict.
    """
    if resource.schema is None:
        return ()
    texts = tuple(f'unknown field "{path}"' for path in prune(obj, resource.schema))
    if texts and options.validation is FieldValidation.STRICT:
        raise bad_request(
            f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}: '
            f"strict decoding error: {', '.join(texts)}"
        )
    return texts if options.validation is FieldValidation.WARN else ()


def needs_version(resource: ResourceType) -> bool:
    """Whether a PUT must carry the resourceVersion it was made from."""
    return resource.custom or resource.storage == "leases.coordination.k8s.io"


def version_missing(at: Location) -> ApiError:
    """Return the refusal of a PUT without resourceVersion."""
    problem = FieldProblem(
        field="metadata.resourceVersion",
        cause=Cause.INVALID,
        value=0,
        detail="must be specified for an update",
    )
    return invalid(at.resource.kind, at.resource.group, at.name, [problem])


def check_version(at: Location, before: JsonObject, obj: JsonObject) -> None:
    """Refuse a write made from another version or another object of that name; raises ApiError (Conflict)."""
    sent, live = metadata(obj), before["metadata"]
    if sent.get("resourceVersion") and sent["resourceVersion"] != live["resourceVersion"]:
        raise conflict(at.resource.qualified, at.name)
    if sent.get("uid") and sent["uid"] != live["uid"]:
        raise conflict(at.resource.qualified, at.name, _uid_text(sent["uid"], live["uid"]))


def check_preconditions(at: Location, obj: JsonObject, options: DeleteOptions) -> None:
    """Refuse a delete whose preconditions do not hold; raises ApiError (Conflict)."""
    live = obj["metadata"]
    if options.uid and options.uid != live["uid"]:
        raise conflict(at.resource.qualified, at.name, _uid_text(options.uid, live["uid"]))
    if options.version and options.version != live["resourceVersion"]:
        why = (
            f"Precondition failed: ResourceVersion in precondition: {options.version}, "
            f"ResourceVersion in object meta: {live['resourceVersion']}"
        )
        raise conflict(at.resource.qualified, at.name, why)


def _uid_text(wanted: str, found: str) -> str:
    return f"Precondition failed: UID in precondition: {wanted}, UID in object meta: {found}"


def with_status_of(live: JsonObject, obj: JsonObject) -> JsonObject:
    """Return the object as it stands with nothing but its status written (and who applied it)."""
    live.pop("status", None)
    if "status" in obj:
        live["status"] = obj["status"]
    if "managedFields" in metadata(obj):
        live["metadata"]["managedFields"] = obj["metadata"]["managedFields"]
    return live


def keep_what_clients_cannot_set(resource: ResourceType, live: JsonObject, obj: JsonObject) -> None:
    """Undo what a client changed of the server's own fields, in place; `live` is given away."""
    meta, was = metadata(obj), live["metadata"]
    for name in _KEPT_METADATA:
        if name in was:
            meta[name] = was[name]
        else:
            meta.pop(name, None)
    if not meta.get("finalizers"):
        meta.pop("finalizers", None)
    if resource.has_status:
        obj.pop("status", None)
        if "status" in live:
            obj["status"] = live["status"]
    if resource.storage == "namespaces":
        spec = obj.setdefault("spec", {})
        spec.setdefault("finalizers", field_at(live, ("spec", "finalizers")) or [])


def count_generation(resource: ResourceType, before: JsonObject, obj: JsonObject) -> None:
    """Count a new generation if anything but metadata and status changed."""
    if not resource.counts_generations:
        return
    ignored = {"metadata", "status"} if resource.has_status else {"metadata"}
    if any(obj.get(name) != before.get(name) for name in (obj.keys() | before.keys()) - ignored):
        obj["metadata"]["generation"] = before["metadata"].get("generation", 0) + 1


def is_released(obj: JsonObject) -> bool:
    """Whether a marked object may go: nothing holds it any more."""
    return (
        is_terminating(obj)
        and not pending_finalizers(obj)
        and not metadata(obj).get("deletionGracePeriodSeconds")
    )


def mark_deleted(obj: JsonObject, now: str, *, graceful: bool) -> None:
    """Mark an object as being deleted, in place; a graceful Pod waits for its containers."""
    meta = metadata(obj)
    grace = field_at(obj, ("spec", "terminationGracePeriodSeconds")) if graceful else 0
    meta["deletionGracePeriodSeconds"] = max(grace, 1) if graceful else 0
    if "deletionTimestamp" in meta:
        return
    meta["deletionTimestamp"] = now
    if "generation" in meta:
        meta["generation"] += 1
    if obj["kind"] == "Namespace":
        obj["status"] = {"phase": "Terminating"}


def namespace_terminating(at: Location) -> ApiError:
    """Return the refusal of a create in a namespace that is going."""
    why = f"unable to create new content in namespace {at.namespace} because it is being terminated"
    cause = {
        "reason": "NamespaceTerminating",
        "message": f"namespace {at.namespace} is being terminated",
        "field": "metadata.namespace",
    }
    details = {"name": at.name, "kind": at.resource.plural, "causes": [cause]}
    return ApiError(
        Reason.FORBIDDEN, f'{at.resource.qualified} "{at.name}" is forbidden: {why}', details=details
    )


def scale_of(obj: JsonObject) -> JsonObject:
    """Return the `autoscaling/v1` Scale of a workload."""
    meta = obj["metadata"]
    selector = field_at(obj, ("spec", "selector", "matchLabels")) or {}
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {
            name: meta[name] for name in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
        },
        "spec": {"replicas": field_at(obj, ("spec", "replicas")) or 0},
        "status": {
            "replicas": field_at(obj, ("status", "replicas")) or 0,
            "selector": ",".join(f"{label}={value}" for label, value in sorted(selector.items())),
        },
    }
