"""Manifests as the API server would store them: defaulted, checked, with the ports it allocates."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from lbcontroller.cli.manifest_shapes import check_shape
from lbcontroller.cluster.ingress import Ingress
from lbcontroller.cluster.ingress_class import IngressClass, IngressClassParams, Namespace
from lbcontroller.cluster.objects import JsonObject
from lbcontroller.cluster.secret import Secret
from lbcontroller.cluster.service import Service
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.errors import InvalidConfig, Problem
from lbcontroller.keys import ObjectName
from lbcontroller.kube.class_params_crd import ingress_class_params
from lbcontroller.local.apiserver import ApiError, ApiServerSettings, LocalApiServer

STANDARD_INPUT: Final = Path("-")
SUFFIXES: Final = frozenset({".json", ".yaml", ".yml"})
"""Files of a directory that are read, as kubectl does."""

READ: Final = (
    ("v1", "Namespace"),
    ("elbv2.k8s.aws/v1beta1", "IngressClassParams"),
    ("networking.k8s.io/v1", "IngressClass"),
    ("v1", "Secret"),
    ("v1", "Service"),
    ("networking.k8s.io/v1", "Ingress"),
)
"""Version and kind of the objects that a plan depends on; what others refer to comes first."""
_CLUSTER_SCOPED: Final = frozenset({"IngressClass", "IngressClassParams", "Namespace"})
_DUAL_STACK: Final = ApiServerSettings(service_cidrs=("10.96.0.0/16", "fd00:10:96::/112"))
_SET_BY_THE_SERVER: Final = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "uid")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """An object that cannot be satisfied as written."""

    subject: str
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifests:
    """What manifests contain."""

    snapshot: Snapshot
    """Services, and Ingresses with what decides about them."""
    refused: tuple[Refused, ...]
    """Objects that an API server would not take."""
    left_out: Mapping[str, int]
    """How many objects of other kinds there are, by kind."""


def read_manifests(paths: Iterable[Path]) -> Manifests:
    """Read files, the files of directories, and standard input for `-`.

    Raises:
        InvalidConfig: with every file that is not made of Kubernetes objects.
    """
    return _stored(read_objects(paths))


def read_objects(paths: Iterable[Path]) -> list[dict[str, Any]]:
    """Return the objects of files as they stand there.

    Raises:
        InvalidConfig: with every file that is not made of Kubernetes objects.
    """
    documents: list[dict[str, Any]] = []
    problems: list[Problem] = []
    for path in _files(paths):
        try:
            documents += _objects(path)
        except InvalidConfig as error:
            problems += error.problems
    if problems:
        raise InvalidConfig(*problems)
    return documents


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(entry for entry in path.iterdir() if entry.suffix in SUFFIXES)
        else:
            yield path


def _objects(path: Path) -> list[dict[str, Any]]:
    try:
        text = sys.stdin.read() if path == STANDARD_INPUT else path.read_text(encoding="utf-8")
        documents = [document for document in yaml.safe_load_all(text) if document is not None]
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidConfig(_file_problem(path, f"must be readable YAML: {error}")) from error
    found: list[dict[str, Any]] = []
    for position, document in enumerate(documents, start=1):
        for item in _items(document):
            if not _is_object(item):
                raise InvalidConfig(
                    _file_problem(path, f"document {position} must have apiVersion, kind and metadata")
                )
            found.append(item)
    return found


def _items(document: Any) -> Iterator[Any]:
    if isinstance(document, dict) and str(document.get("kind")).endswith("List") and "items" in document:
        yield from document["items"] or ()
    else:
        yield document


def _is_object(document: Any) -> bool:
    return (
        isinstance(document, dict)
        and all(isinstance(document.get(key), str) for key in ("apiVersion", "kind"))
        and isinstance(document.get("metadata"), dict)
    )


def _file_problem(path: Path, expected: str) -> Problem:
    return Problem(subject=f"Manifest {path}", field="file", value="", expected=expected)


def _stored(documents: Iterable[dict[str, Any]]) -> Manifests:
    server = LocalApiServer(_DUAL_STACK)
    server.apply(ingress_class_params())
    stored: dict[str, list[JsonObject]] = {kind: [] for _, kind in READ}
    refused: list[Refused] = []
    left_out: Counter[str] = Counter()
    for document in sorted(documents, key=_turn):
        kind = document["kind"]
        if (document["apiVersion"], kind) not in READ:
            left_out[kind] += 1
            continue
        subject = f"{kind} {_name(document)}"
        try:
            check_shape(subject, document)
            stored[kind].append(_store(server, document))
        except InvalidConfig as error:
            refused.append(Refused(subject=subject, problems=error.problems))
        except ApiError as error:
            refused.append(Refused(subject=subject, problems=tuple(_api_problems(subject, error))))
    return Manifests(snapshot=_snapshot(server, stored), refused=tuple(refused), left_out=left_out)


def _turn(document: dict[str, Any]) -> int:
    """Return when an object is stored: classes and namespaces before what refers to them."""
    key = (document["apiVersion"], document["kind"])
    return READ.index(key) if key in READ else len(READ)


def _snapshot(server: LocalApiServer, stored: dict[str, list[JsonObject]]) -> Snapshot:
    services = [Service.from_object(obj) for obj in stored["Service"]]
    ingresses = [Ingress.from_object(obj) for obj in stored["Ingress"]]
    classes = [IngressClass.from_object(obj) for obj in stored["IngressClass"]]
    params = [IngressClassParams.from_object(obj) for obj in stored["IngressClassParams"]]
    secrets = [Secret.from_object(obj) for obj in stored["Secret"]]
    namespaces = [Namespace.from_object(obj) for obj in server.list("Namespace")]
    return Snapshot(
        services={service.meta.name: service for service in services},
        ingresses={ingress.meta.name: ingress for ingress in ingresses},
        ingress_classes={item.meta.name.name: item for item in classes},
        class_params={item.meta.name.name: item for item in params},
        namespaces={namespace.name: namespace for namespace in namespaces},
        secrets={secret.name: secret for secret in secrets},
    )


def _store(server: LocalApiServer, manifest: dict[str, Any]) -> JsonObject:
    """Apply an object; one that was read from a cluster keeps its uid, which is part of generated names."""
    metadata = {key: value for key, value in manifest["metadata"].items() if key not in _SET_BY_THE_SERVER}
    if manifest["kind"] not in _CLUSTER_SCOPED:
        namespace = metadata.get("namespace") or "default"
        if server.find("Namespace", namespace) is None:
            server.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    stored = server.apply({**manifest, "metadata": metadata})
    stored["metadata"]["uid"] = manifest["metadata"].get("uid") or stored["metadata"]["uid"]
    return stored


def _name(manifest: dict[str, Any]) -> ObjectName:
    metadata = manifest["metadata"]
    namespace = "" if manifest["kind"] in _CLUSTER_SCOPED else str(metadata.get("namespace") or "default")
    return ObjectName(namespace, str(metadata.get("name") or ""))


def _api_problems(subject: str, error: ApiError) -> Iterator[Problem]:
    causes = error.details.get("causes") or [{"field": "manifest", "message": error.message}]
    for cause in causes:
        yield Problem(subject=subject, field=cause["field"], value="", expected=cause["message"])
