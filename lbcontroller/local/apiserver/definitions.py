"""CustomResourceDefinitions: their defaults and conditions, and the resources they make."""

from __future__ import annotations

from lbcontroller.local.apiserver.objects import JsonObject, field_at, metadata
from lbcontroller.local.apiserver.resources import Column, ResourceType, Scope, Subresource
from lbcontroller.local.apiserver.status import Cause, FieldProblem

STORAGE = "customresourcedefinitions.apiextensions.k8s.io"
CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
"""The finalizer that keeps a definition until its last custom resource is gone."""


def fill_defaults(before: JsonObject | None, definition: JsonObject, now: str) -> None:
    """Complete the names and report the definition as established, as real controllers soon do."""
    spec = definition.setdefault("spec", {})
    names = spec.setdefault("names", {})
    names.setdefault("singular", names["kind"].lower())
    names.setdefault("listKind", f"{names['kind']}List")
    spec.setdefault("conversion", {"strategy": "None"})
    if before is None:
        metadata(definition).setdefault("finalizers", []).append(CLEANUP)
    conditions = [
        _condition("NamesAccepted", "NoConflicts", "no conflicts found", now),
        _condition("Established", "InitialNamesAccepted", "the initial names have been accepted", now),
    ]
    definition["status"] = {
        "acceptedNames": dict(names),
        "storedVersions": [each["name"] for each in spec["versions"] if each.get("storage")],
        "conditions": before["status"]["conditions"] if before else conditions,
    }


def _condition(kind: str, reason: str, message: str, now: str) -> JsonObject:
    return {"type": kind, "status": "True", "reason": reason, "message": message, "lastTransitionTime": now}


def problems_in(definition: JsonObject) -> list[FieldProblem]:
    """Return what is wrong with a definition: its name, missing parts, the number of storage versions."""
    found = [
        FieldProblem(field=f"spec.{'.'.join(path)}", cause=Cause.REQUIRED)
        for path in (("group",), ("scope",), ("names", "kind"), ("names", "plural"), ("versions",))
        if not field_at(definition, ("spec", *path))
    ]
    if found:
        return found
    spec = definition["spec"]
    expected = f"{spec['names']['plural']}.{spec['group']}"
    name = metadata(definition).get("name")
    if name != expected:
        detail = f'must be spec.names.plural+"."+spec.group, that is "{expected}"'
        found.append(FieldProblem(field="metadata.name", cause=Cause.INVALID, value=name, detail=detail))
    if sum(bool(each.get("storage")) for each in spec["versions"]) != 1:
        detail = "must have exactly one version marked as storage version"
        found.append(
            FieldProblem(
                field="spec.versions", cause=Cause.INVALID, value=len(spec["versions"]), detail=detail
            )
        )
    for index, version in enumerate(spec["versions"]):
        if not field_at(version, ("schema", "openAPIV3Schema")):
            where = f"spec.versions[{index}].schema.openAPIV3Schema"
            found.append(FieldProblem(field=where, cause=Cause.REQUIRED, detail="schemas are required"))
    return found


def resources_of(definition: JsonObject) -> list[ResourceType]:
    """Return the resources a definition makes: one for each served version."""
    spec = definition["spec"]
    stored = next(each["name"] for each in spec["versions"] if each.get("storage"))
    return [_resource(spec, version, stored) for version in spec["versions"] if version.get("served")]


def _resource(spec: JsonObject, version: JsonObject, stored: str) -> ResourceType:
    names, group = spec["names"], spec["group"]
    parts = version.get("subresources") or {}
    columns = tuple(
        Column(
            name=each["name"],
            json_path=each["jsonPath"],
            type=each.get("type", "string"),
            priority=each.get("priority", 0),
        )
        for each in version.get("additionalPrinterColumns") or ()
    )
    return ResourceType(
        group=group,
        version=version["name"],
        plural=names["plural"],
        kind=names["kind"],
        scope=Scope(spec["scope"]),
        subresources=frozenset({Subresource.STATUS} if "status" in parts else ()),
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        selectable=tuple(
            each["jsonPath"].removeprefix(".") for each in version.get("selectableFields") or ()
        ),
        schema=version["schema"]["openAPIV3Schema"],
        columns=columns,
        storage=f"{names['plural']}.{group}",
        stored_api_version=f"{group}/{stored}",
    )
