"""The shapes of manifests: the types that decoding demands, before any rule of the API server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from lbcontroller.cli.shape_problems import shape_problems
from lbcontroller.errors import InvalidConfig


class _Part(BaseModel):
    """A mapping of the manifest; keys that nothing here reads may have any shape."""

    model_config = ConfigDict(strict=True, extra="ignore", alias_generator=to_camel)


class _Metadata(_Part):
    name: str
    namespace: str | None = None
    uid: str | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None


class _Port(_Part):
    name: str | None = None
    protocol: str | None = None
    port: int
    target_port: int | str | None = None
    node_port: int | None = None


class _ClientIp(_Part):
    timeout_seconds: int | None = None


class _AffinityConfig(_Part):
    client_ip: _ClientIp | None = None

    model_config = ConfigDict(alias_generator=lambda field: "clientIP" if field == "client_ip" else field)


class _Spec(_Part):
    type: str | None = None
    load_balancer_class: str | None = None
    load_balancer_source_ranges: list[str] | None = None
    ports: list[_Port] | None = None
    selector: dict[str, str] | None = None
    external_traffic_policy: str | None = None
    health_check_node_port: int | None = None
    ip_families: list[str] | None = None
    ip_family_policy: str | None = None
    allocate_load_balancer_node_ports: bool | None = None
    session_affinity: str | None = None
    session_affinity_config: _AffinityConfig | None = None


class _Service(_Part):
    metadata: _Metadata
    spec: _Spec


class _PortReference(_Part):
    number: int | None = None
    name: str | None = None


class _ServiceReference(_Part):
    name: str
    port: _PortReference | None = None


class _ObjectReference(_Part):
    kind: str
    name: str


class _Backend(_Part):
    service: _ServiceReference | None = None
    resource: _ObjectReference | None = None


class _Path(_Part):
    path: str | None = None
    path_type: str
    backend: _Backend


class _Http(_Part):
    paths: list[_Path]


class _Rule(_Part):
    host: str | None = None
    http: _Http | None = None


class _Tls(_Part):
    hosts: list[str] | None = None
    secret_name: str | None = None


class _IngressSpec(_Part):
    ingress_class_name: str | None = None
    default_backend: _Backend | None = None
    rules: list[_Rule] | None = None
    tls: list[_Tls] | None = None


class _Ingress(_Part):
    metadata: _Metadata
    spec: _IngressSpec


class _Secret(_Part):
    metadata: _Metadata
    data: dict[str, str] | None = None
    string_data: dict[str, str] | None = None


class _Object(_Part):
    metadata: _Metadata


_SHAPES: Final[Mapping[str, type[_Part]]] = {"Service": _Service, "Ingress": _Ingress, "Secret": _Secret}


def check_shape(subject: str, manifest: dict[str, Any]) -> None:
    """Check that an object has the types that the API server decodes.

    Raises:
        InvalidConfig: with every field that has another type.
    """
    try:
        _SHAPES.get(manifest["kind"], _Object).model_validate(manifest)
    except ValidationError as error:
        raise InvalidConfig(*shape_problems(subject, error)) from error
