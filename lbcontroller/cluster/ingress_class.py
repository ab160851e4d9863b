"""IngressClasses, and the namespaces that the parameters of a class choose by label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lbcontroller.cluster.objects import JsonObject, Metadata, mapping

CONTROLLER: Final = "ingress.k8s.aws/alb"
"""`spec.controller` of the classes that are ours, the same as LBC's."""
DEFAULT_CLASS_ANNOTATION: Final = "ingressclass.kubernetes.io/is-default-class"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParametersReference:
    """`spec.parameters` of a class."""

    api_group: str | None
    kind: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IngressClass:
    """An IngressClass."""

    meta: Metadata
    controller: str
    parameters: ParametersReference | None

    @property
    def subject(self) -> str:
        """The object as findings and problems name it."""
        return f"IngressClass {self.meta.name}"

    @property
    def is_default(self) -> bool:
        """Whether Ingresses without a class belong to this one."""
        return self.meta.annotations.get(DEFAULT_CLASS_ANNOTATION) == "true"

    @classmethod
    def from_object(cls, obj: JsonObject) -> IngressClass:
        """Read an IngressClass as the API server returns it."""
        spec = mapping(obj, "spec")
        parameters = spec.get("parameters")
        return cls(
            meta=Metadata.from_object(obj),
            controller=spec.get("controller") or "",
            parameters=(
                ParametersReference(
                    api_group=parameters.get("apiGroup"),
                    kind=parameters.get("kind") or "",
                    name=parameters.get("name") or "",
                )
                if parameters
                else None
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class IngressClassParams:
    """An IngressClassParams of elbv2.k8s.aws/v1beta1; `annotations.class_params` reads its spec."""

    meta: Metadata
    spec: JsonObject

    @property
    def subject(self) -> str:
        """The object as findings and problems name it."""
        return f"IngressClassParams {self.meta.name}"

    @classmethod
    def from_object(cls, obj: JsonObject) -> IngressClassParams:
        """Read an IngressClassParams as the API server returns it."""
        return cls(meta=Metadata.from_object(obj), spec=mapping(obj, "spec"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespace:
    """A Namespace."""

    name: str
    labels: Mapping[str, str]

    @classmethod
    def from_object(cls, obj: JsonObject) -> Namespace:
        """Read a Namespace as the API server returns it."""
        meta = Metadata.from_object(obj)
        return cls(name=meta.name.name, labels=meta.labels)
