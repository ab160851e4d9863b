"""What happens to Ingresses and IngressClasses on their way into the store."""

from __future__ import annotations

from collections.abc import Iterable

from lbcontroller.local.apiserver.objects import JsonObject, members_of, metadata
from lbcontroller.local.apiserver.service_rules import ingress_entry_problems
from lbcontroller.local.apiserver.status import Cause, FieldProblem

STORAGE = "ingresses.networking.k8s.io"
CLASSES_STORAGE = "ingressclasses.networking.k8s.io"
_CLASS_ANNOTATION = "kubernetes.io/ingress.class"
_DEFAULT_CLASS_ANNOTATION = "ingressclass.kubernetes.io/is-default-class"
_PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")


def prepare(before: JsonObject | None, obj: JsonObject, classes: Iterable[JsonObject]) -> list[FieldProblem]:
    """Give a new Ingress the default class, as the admission plug-in DefaultIngressClass does; check it.

    Args:
        before: the object as stored; None when it is being created.
        obj: the object to store; completed in place.
        classes: every IngressClass.
    """
    spec = obj.setdefault("spec", {})
    annotated = (metadata(obj).get("annotations") or {}).get(_CLASS_ANNOTATION)
    found: list[FieldProblem] = []
    if before is None and annotated is None and spec.get("ingressClassName") is None:
        _take_default_class(spec, classes)
    if before is None and annotated is not None and spec.get("ingressClassName") not in (None, annotated):
        detail = "must match `ingressClassName` when both are specified"
        field = f"annotations.{_CLASS_ANNOTATION}"
        found.append(FieldProblem(field=field, cause=Cause.INVALID, value=annotated, detail=detail))
    if not spec.get("rules") and not spec.get("defaultBackend"):
        detail = "either `defaultBackend` or `rules` must be specified"
        found.append(FieldProblem(field="spec", cause=Cause.INVALID, value="", detail=detail))
    for rule_index, rule in enumerate(members_of(spec, "rules")):
        for path_index, path in enumerate(members_of(rule, "http", "paths")):
            at = f"spec.rules[{rule_index}].http.paths[{path_index}]"
            found += _path_problems(at, path)
    return found


def prepare_class(before: JsonObject | None, obj: JsonObject) -> list[FieldProblem]:
    """Complete and check an IngressClass."""
    spec = obj.setdefault("spec", {})
    if spec.get("parameters"):
        spec["parameters"].setdefault("scope", "Cluster")
    if before is not None and before["spec"].get("controller") != spec.get("controller"):
        detail = "field is immutable"
        controller = spec.get("controller")
        return [FieldProblem(field="spec.controller", cause=Cause.INVALID, value=controller, detail=detail)]
    return []


def complete_status(obj: JsonObject) -> list[FieldProblem]:
    """Complete and check what an Ingress publishes: a port without a protocol has an empty one."""
    entries = members_of(obj, "status", "loadBalancer", "ingress")
    for entry in entries:
        for port in members_of(entry, "ports"):
            port.setdefault("protocol", "")
    return ingress_entry_problems(entries)


def _take_default_class(spec: JsonObject, classes: Iterable[JsonObject]) -> None:
    """Of several default classes the newest one counts, and of those the first by name."""
    by_name = sorted(filter(_is_default, classes), key=lambda found: str(metadata(found)["name"]))
    newest_first = sorted(by_name, key=lambda found: str(metadata(found)["creationTimestamp"]), reverse=True)
    if newest_first:
        spec["ingressClassName"] = metadata(newest_first[0])["name"]


def _is_default(ingress_class: JsonObject) -> bool:
    annotations = metadata(ingress_class).get("annotations") or {}
    return bool(annotations.get(_DEFAULT_CLASS_ANNOTATION) == "true")


def _path_problems(at: str, path: JsonObject) -> list[FieldProblem]:
    kind, text = path.get("pathType"), path.get("path", "")
    if not kind:
        return [
            FieldProblem(field=f"{at}.pathType", cause=Cause.REQUIRED, detail="pathType must be specified")
        ]
    if kind not in _PATH_TYPES:
        listed = ", ".join(f'"{each}"' for each in _PATH_TYPES)
        detail = f"supported values: {listed}"
        return [FieldProblem(field=f"{at}.pathType", cause=Cause.NOT_SUPPORTED, value=kind, detail=detail)]
    if (kind != "ImplementationSpecific" or text) and not text.startswith("/"):
        detail = "must be an absolute path"
        return [FieldProblem(field=f"{at}.path", cause=Cause.INVALID, value=text, detail=detail)]
    return []
