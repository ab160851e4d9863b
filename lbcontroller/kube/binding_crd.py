"""The CustomResourceDefinition of TargetGroupBindings, in the vocabulary of the model.

Group, versions, fields and validation are those of LBC, whose objects and manifests go on working.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from lbcontroller.kube.openapi import (
    Schema,
    array,
    boolean,
    choice,
    column,
    definition,
    label_selector,
    number_or_name,
    root,
    structure,
    text,
)
from lbcontroller.kube.resources import ResourceType
from lbcontroller.model.enums import BACKEND_TARGET_TYPES, Protocol, TargetIpAddressType

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


def target_group_bindings() -> Schema:
    """Return the CustomResourceDefinition."""
    resource = ResourceType.TARGET_GROUP_BINDINGS
    return definition(
        resource,
        resource.kind.lower(),
        [
            _version("v1beta1", storage=True, spec=_spec(), status=_status()),
            _version("v1alpha1", storage=False, spec=_without_later_fields(), status=_generation_only()),
        ],
    )


def _version(name: str, *, storage: bool, spec: Schema, status: Schema) -> Schema:
    return {
        "name": name,
        "served": True,
        "storage": storage,
        "subresources": {"status": {}},
        "additionalPrinterColumns": [
            column("SERVICE-NAME", "string", ".spec.serviceRef.name", "The Service"),
            column("SERVICE-PORT", "string", ".spec.serviceRef.port", "Its port"),
            column("TARGET-TYPE", "string", ".spec.targetType", "Type of the targets"),
            column("ARN", "string", ".spec.targetGroupARN", "The target group", priority=1),
            column("NAME", "string", ".spec.targetGroupName", "The target group's name", priority=2),
            column("AGE", "date", ".metadata.creationTimestamp"),
        ],
        "schema": {
            "openAPIV3Schema": root(
                "Keeps the targets of one target group equal to the endpoints of one Service.",
                {"spec": spec, "status": status},
            )
        },
    }


def _spec() -> Schema:
    fields = {
        "targetGroupARN": text("ARN of the target group."),
        "targetGroupName": text("Name of the target group, used when no ARN is given."),
        "multiClusterTargetGroup": boolean(
            "The target group also holds targets of other clusters, which are left alone."
        ),
        "targetType": choice(
            BACKEND_TARGET_TYPES, "Type of the targets; that of the target group when absent."
        ),
        "targetGroupProtocol": choice(
            Protocol, "Protocol of the target group; what the target group has when absent."
        ),
        "serviceRef": _service(),
        "networking": _networking(),
        "nodeSelector": label_selector("Nodes to register, for targets of type instance.", "a node"),
        "ipAddressType": choice(
            TargetIpAddressType, "Address family of the targets; that of the target group when absent."
        ),
        "vpcID": text("VPC of the targets; that of the target group when absent."),
        "iamRoleArnToAssume": text("Role to assume for target groups of another account."),
        "assumeRoleExternalId": text("External id for that role."),
    }
    return structure("Which targets go into which target group.", fields, required=["serviceRef"])


def _without_later_fields() -> Schema:
    spec = _spec()
    for field in _ONLY_IN_V1BETA1:
        del spec["properties"][field]
    return spec


def _service() -> Schema:
    fields = {
        "name": text("Name of a Service in the same namespace."),
        "port": number_or_name("Number or name of one of its ports."),
    }
    return structure("The Service whose endpoints are registered.", fields, required=["name", "port"])


def _networking() -> Schema:
    rule = structure(
        "Traffic from each of the sources to each of the ports.",
        {"from": array("The sources.", _peer()), "ports": array("The ports.", _port())},
        required=["from", "ports"],
    )
    return structure(
        "Rules on the security groups of the targets. Absent: those groups are not touched.",
        {"ingress": array("Traffic let in.", rule)},
    )


def _peer() -> Schema:
    return structure(
        "A source of traffic: one of the two.",
        {
            "ipBlock": structure(
                "A range of addresses.", {"cidr": text("IPv4 or IPv6 CIDR.")}, required=["cidr"]
            ),
            "securityGroup": structure(
                "The members of a security group.",
                {"groupID": text("Id of the security group.")},
                required=["groupID"],
            ),
        },
    )


def _port() -> Schema:
    return structure(
        "Ports opened to the sources.",
        {
            "protocol": choice(_Traffic, "TCP when absent."),
            "port": number_or_name("A number or the name of a container port; all ports when absent."),
        },
    )


def _generation_only() -> Schema:
    generation = {
        "type": "integer",
        "format": "int64",
        "description": "Generation whose targets are registered and whose security-group rules are in place.",
    }
    return structure("What was done.", {"observedGeneration": generation})


def _status() -> Schema:
    status = _generation_only()
    status["properties"]["conditions"] = array("Present conditions.", _condition())
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
    return structure("A condition.", fields, required=required)
