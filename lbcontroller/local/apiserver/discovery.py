"""Discovery: which groups, versions and resources are served, and the little OpenAPI that kubectl needs."""

from __future__ import annotations

from lbcontroller.local.apiserver.objects import JsonObject
from lbcontroller.local.apiserver.resources import Registry, ResourceType, Subresource

VERSION: JsonObject = {
    "major": "1",
    "minor": "36",
    "gitVersion": "v1.36.0",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "2026-01-01T00:00:00Z",
    "goVersion": "",
    "compiler": "",
    "platform": "linux/amd64",
}
"""What `/version` answers: the Kubernetes release whose behaviour this server follows."""
_VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
_PART_VERBS = ["get", "patch", "update"]


def core_versions(address: str) -> JsonObject:
    """Return what `/api` answers."""
    server = {"clientCIDR": "0.0.0.0/0", "serverAddress": address}
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [server]}


def group_list(registry: Registry) -> JsonObject:
    """Return what `/apis` answers."""
    names = dict.fromkeys(each.group for each in registry if each.group)
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(registry, name) for name in names]}


def group(registry: Registry, name: str) -> JsonObject | None:
    """Return what `/apis/<group>` answers; None when the group is not served."""
    found = _group(registry, name)
    return {"kind": "APIGroup", "apiVersion": "v1", **found} if found["versions"] else None


def _group(registry: Registry, name: str) -> JsonObject:
    versions = dict.fromkeys(each.version for each in registry if each.group == name)
    entries = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": entries, "preferredVersion": entries[0] if entries else {}}


def resource_list(registry: Registry, group_name: str, version: str) -> JsonObject | None:
    """Return what `/api/v1` and `/apis/<group>/<version>` answer; None when that is not served."""
    served = [each for each in registry if (each.group, each.version) == (group_name, version)]
    if not served:
        return None
    entries = [entry for each in served for entry in _entries(each)]
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": served[0].api_version,
        "resources": entries,
    }


def _entries(resource: ResourceType) -> list[JsonObject]:
    shared = {"namespaced": resource.namespaced, "kind": resource.kind}
    main: JsonObject = {
        **shared,
        "name": resource.plural,
        "singularName": resource.kind.lower(),
        "verbs": _VERBS,
    }
    if resource.short_names:
        main["shortNames"] = list(resource.short_names)
    if resource.categories:
        main["categories"] = list(resource.categories)
    parts = []
    for part in sorted(resource.subresources):
        entry = {**shared, "name": f"{resource.plural}/{part}", "singularName": "", "verbs": _PART_VERBS}
        if part is Subresource.SCALE:
            entry |= {"group": "autoscaling", "version": "v1", "kind": "Scale"}
        parts.append(entry)
    return [main, *parts]


def openapi_index(registry: Registry, prefix: str) -> JsonObject:
    """Return what `/openapi/v3` answers: where, behind `prefix`, the document of each group version is."""
    roots = dict.fromkeys(_root(each) for each in registry)
    return {"paths": {root: {"serverRelativeURL": f"{prefix}/openapi/v3/{root}"} for root in roots}}


def openapi_document(registry: Registry, root: str) -> JsonObject | None:
    """Return the document of one group version; None when that is not served.

    It says no more than kubectl reads: that PATCH takes `fieldValidation`, so the server can validate.
    """
    served = [each for each in registry if _root(each) == root]
    if not served:
        return None
    parameter = {"name": "fieldValidation", "in": "query", "schema": {"type": "string"}}
    paths = {}
    for each in served:
        scope = "namespaces/{namespace}/" if each.namespaced else ""
        kind = {"group": each.group, "version": each.version, "kind": each.kind}
        operation = {
            "parameters": [parameter],
            "responses": {"200": {"description": "OK"}},
            "x-kubernetes-group-version-kind": kind,
        }
        paths[f"/{root}/{scope}{each.plural}/{{name}}"] = {"patch": operation}
    info = {"title": "Kubernetes", "version": VERSION["gitVersion"]}
    return {"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": {}}}


def _root(resource: ResourceType) -> str:
    return f"apis/{resource.api_version}" if resource.group else f"api/{resource.version}"
