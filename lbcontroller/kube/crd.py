"""The CustomResourceDefinition of TargetGroupBindings, in the vocabulary of the model.

Group, versions, fields and validation are those of LBC, whose objects and manifests go on working. The file
in `crds/` is what this module renders; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, TypeAlias

import yaml

from lbcontroller.kube.resources import ResourceType
from lbcontroller.model.enums import BACKEND_TARGET_TYPES, Protocol, TargetIpAddressType

Schema: TypeAlias = dict[str, Any]
"""A part of an OpenAPI v3 schema."""

HEADER: Final = "# Rendered by lbcontroller/kube/crd.py: change it there.\n"
_ONLY_IN_V1BETA1: Final = ("targetGroupProtocol", "ipAddressType", "vpcID", "nodeSelector")
_CONDITION_REASON: Final = "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$"
_CONDITION_TYPE: Final = (
    r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?"
    r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$"
)


class _Traffic(StrEnum):
    """Protocols of rules in front of targets."""

    TCP = "TCP"
    UDP = "UDP"


def render() -> str:
    """Return the manifest as it stands in `crds/targetgroupbindings.yaml`."""
    return HEADER + yaml.safe_dump(target_group_bindings(), sort_keys=False, width=110, allow_unicode=True)


def target_group_bindings() -> Schema:
    """Return the CustomResourceDefinition."""
    resource = ResourceType.TARGET_GROUP_BINDINGS
    return {
        "apiVersion": ResourceType.CUSTOM_RESOURCE_DEFINITIONS.api_version,
        "kind": ResourceType.CUSTOM_RESOURCE_DEFINITIONS.kind,
        "metadata": {"name": resource.qualified},
        "spec": {
            "group": resource.group,
            "scope": resource.scope.value,
            "names": {
                "kind": resource.kind,
                "listKind": f"{resource.kind}List",
                "plural": resource.plural,
                "singular": resource.kind.lower(),
            },
            "versions": [
                _version("v1beta1", storage=True, spec=_spec(), status=_status()),
                _version("v1alpha1", storage=False, spec=_without_later_fields(), status=_generation_only()),
            ],
        },
    }


def _version(name: str, *, storage: bool, spec: Schema, status: Schema) -> Schema:
    return {
        "name": name,
        "served": True,
        "storage": storage,
        "subresources": {"status": {}},
        "additionalPrinterColumns": [
            _column("SERVICE-NAME", "string", ".spec.serviceRef.name", "The Service"),
            _column("SERVICE-PORT", "string", ".spec.serviceRef.port", "Its port"),
            _column("TARGET-TYPE", "string", ".spec.targetType", "Type of the targets"),
            _column("ARN", "string", ".spec.targetGroupARN", "The target group", priority=1),
            _column("NAME", "string", ".spec.targetGroupName", "The target group's name", priority=2),
            _column("AGE", "date", ".metadata.creationTimestamp"),
        ],
        "schema": {
            "openAPIV3Schema": _object(
                "Keeps the targets of one target group equal to the endpoints of one Service.",
                {
                    "apiVersion": {"type": "string"},
                    "kind": {"type": "string"},
                    "metadata": {"type": "object"},
                    "spec": spec,
                    "status": status,
                },
            )
        },
    }


def _column(name: str, type_: str, path: str, description: str = "", *, priority: int = 0) -> Schema:
    column: Schema = {"name": name, "type": type_, "jsonPath": path}
    if priority:
        column["priority"] = priority
    if description:
        column["description"] = description
    return column


def _spec() -> Schema:
    fields = {
        "targetGroupARN": _text("ARN of the target group."),
        "targetGroupName": _text("Name of the target group, used when no ARN is given."),
        "multiClusterTargetGroup": {
            "type": "boolean",
            "description": "The target group also holds targets of other clusters, which are left alone.",
        },
        "targetType": _choice(
            BACKEND_TARGET_TYPES, "Type of the targets; that of the target group when absent."
        ),
        "targetGroupProtocol": _choice(
            Protocol, "Protocol of the target group; what the target group has when absent."
        ),
        "serviceRef": _service(),
        "networking": _networking(),
        "nodeSelector": _label_selector("Nodes to register, for targets of type instance."),
        "ipAddressType": _choice(
            TargetIpAddressType, "Address family of the targets; that of the target group when absent."
        ),
        "vpcID": _text("VPC of the targets; that of the target group when absent."),
        "iamRoleArnToAssume": _text("Role to assume for target groups of another account."),
        "assumeRoleExternalId": _text("External id for that role."),
    }
    return _object("Which targets go into which target group.", fields, required=["serviceRef"])


def _without_later_fields() -> Schema:
    spec = _spec()
    for field in _ONLY_IN_V1BETA1:
        del spec["properties"][field]
    return spec


def _service() -> Schema:
    fields = {
        "name": _text("Name of a Service in the same namespace."),
        "port": _number_or_name("Number or name of one of its ports."),
    }
    return _object("The Service whose endpoints are registered.", fields, required=["name", "port"])


def _networking() -> Schema:
    rule = _object(
        "Traffic from each of the sources to each of the ports.",
        {"from": _array("The sources.", _peer()), "ports": _array("The ports.", _port())},
        required=["from", "ports"],
    )
    return _object(
        "Rules on the security groups of the targets. Absent: those groups are not touched.",
        {"ingress": _array("Traffic let in.", rule)},
    )


def _peer() -> Schema:
    return _object(
        "A source of traffic: one of the two.",
        {
            "ipBlock": _object(
                "A range of addresses.", {"cidr": _text("IPv4 or IPv6 CIDR.")}, required=["cidr"]
            ),
            "securityGroup": _object(
                "The members of a security group.",
                {"groupID": _text("Id of the security group.")},
                required=["groupID"],
            ),
        },
    )


def _port() -> Schema:
    return _object(
        "Ports opened to the sources.",
        {
            "protocol": _choice(_Traffic, "TCP when absent."),
            "port": _number_or_name("A number or the name of a container port; all ports when absent."),
        },
    )


def _label_selector(description: str) -> Schema:
    expression = _object(
        "A requirement.",
        {
            "key": _text("Label key."),
            "operator": _text("In, NotIn, Exists or DoesNotExist."),
            "values": _array("Values for In and NotIn.", {"type": "string"}, atomic=True),
        },
        required=["key", "operator"],
    )
    labels = {
        "type": "object",
        "description": "Labels a node must have.",
        "additionalProperties": {"type": "string"},
    }
    selector = _object(
        description,
        {
            "matchLabels": labels,
            "matchExpressions": _array("Requirements a node must meet.", expression, atomic=True),
        },
    )
    return {**selector, "x-kubernetes-map-type": "atomic"}


def _generation_only() -> Schema:
    generation = {
        "type": "integer",
        "format": "int64",
        "description": "Generation whose targets have been registered.",
    }
    return _object("What was done.", {"observedGeneration": generation})


def _status() -> Schema:
    status = _generation_only()
    status["properties"]["conditions"] = _array("Present conditions.", _condition())
    return status


def _condition() -> Schema:
    """Return the schema that every Kubernetes kind has for its conditions (source: metav1.Condition)."""
    fields: Mapping[str, Schema] = {
        "lastTransitionTime": {"type": "string", "format": "date-time"},
        "message": {"type": "string", "maxLength": 32768},
        "observedGeneration": {"type": "integer", "format": "int64", "minimum": 0},
        "reason": {"type": "string", "minLength": 1, "maxLength": 1024, "pattern": _CONDITION_REASON},
        "status": {"type": "string", "enum": ["True", "False", "Unknown"]},
        "type": {"type": "string", "maxLength": 316, "pattern": _CONDITION_TYPE},
    }
    required = sorted(fields.keys() - {"observedGeneration"})
    return _object("A condition.", fields, required=required)


def _object(description: str, fields: Mapping[str, Schema], *, required: Sequence[str] = ()) -> Schema:
    schema: Schema = {"type": "object", "description": description}
    if required:
        schema["required"] = list(required)
    schema["properties"] = dict(fields)
    return schema


def _array(description: str, items: Schema, *, atomic: bool = False) -> Schema:
    schema: Schema = {"type": "array", "description": description, "items": items}
    return {**schema, "x-kubernetes-list-type": "atomic"} if atomic else schema


def _text(description: str) -> Schema:
    return {"type": "string", "description": description}


def _choice(values: Iterable[StrEnum], description: str) -> Schema:
    return {"type": "string", "enum": [value.value for value in values], "description": description}


def _number_or_name(description: str) -> Schema:
    return {
        "x-kubernetes-int-or-string": True,
        "anyOf": [{"type": "integer"}, {"type": "string"}],
        "description": description,
    }
