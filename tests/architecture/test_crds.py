"""The CustomResourceDefinitions: rendered from the model, and as strict as LBC's, field by field."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml

from lbcontroller.annotations.class_params_spec import ClassParamsSpec
from lbcontroller.kube.crd import DEFINITIONS, ingress_class_params, render, target_group_bindings

COMMITTED = Path(str(files("lbcontroller.kube").joinpath("crds")))

STRING: dict[str, Any] = {"type": "string"}
INT_OR_STRING: dict[str, Any] = {
    "x-kubernetes-int-or-string": True,
    "anyOf": [{"type": "integer"}, {"type": "string"}],
}
FIELDS: dict[str, dict[str, Any]] = {
    "targetGroupARN": STRING,
    "targetGroupName": STRING,
    "multiClusterTargetGroup": {"type": "boolean"},
    "targetType": STRING | {"enum": ["instance", "ip"]},
    "targetGroupProtocol": STRING
    | {"enum": ["HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP", "QUIC", "TCP_QUIC"]},
    "serviceRef": {"type": "object", "required": ["name", "port"]},
    "serviceRef.name": STRING,
    "serviceRef.port": INT_OR_STRING,
    "networking": {"type": "object"},
    "networking.ingress": {"type": "array"},
    "networking.ingress[]": {"type": "object", "required": ["from", "ports"]},
    "networking.ingress[].from": {"type": "array"},
    "networking.ingress[].from[]": {"type": "object"},
    "networking.ingress[].from[].ipBlock": {"type": "object", "required": ["cidr"]},
    "networking.ingress[].from[].ipBlock.cidr": STRING,
    "networking.ingress[].from[].securityGroup": {"type": "object", "required": ["groupID"]},
    "networking.ingress[].from[].securityGroup.groupID": STRING,
    "networking.ingress[].ports": {"type": "array"},
    "networking.ingress[].ports[]": {"type": "object"},
    "networking.ingress[].ports[].protocol": STRING | {"enum": ["TCP", "UDP"]},
    "networking.ingress[].ports[].port": INT_OR_STRING,
    "nodeSelector": {"type": "object", "x-kubernetes-map-type": "atomic"},
    "nodeSelector.matchLabels": {"type": "object", "additionalProperties": STRING},
    "nodeSelector.matchExpressions": {"type": "array", "x-kubernetes-list-type": "atomic"},
    "nodeSelector.matchExpressions[]": {"type": "object", "required": ["key", "operator"]},
    "nodeSelector.matchExpressions[].key": STRING,
    "nodeSelector.matchExpressions[].operator": STRING,
    "nodeSelector.matchExpressions[].values": {"type": "array", "x-kubernetes-list-type": "atomic"},
    "nodeSelector.matchExpressions[].values[]": STRING,
    "ipAddressType": STRING | {"enum": ["ipv4", "ipv6"]},
    "vpcID": STRING,
    "iamRoleArnToAssume": STRING,
    "assumeRoleExternalId": STRING,
}
"""Every field of the spec in v1beta1, with what its schema demands."""
NOT_IN_V1ALPHA1 = ("ipAddressType", "nodeSelector", "vpcID", "targetGroupProtocol")


def version(name: str) -> dict[str, Any]:
    (found,) = [each for each in target_group_bindings()["spec"]["versions"] if each["name"] == name]
    return dict(found)


def fields(schema: dict[str, Any], path: str = "") -> dict[str, dict[str, Any]]:
    """Return what is demanded of each field below a schema, without descriptions."""
    found: dict[str, dict[str, Any]] = {}
    if path:
        inner = {"description", "properties", "items"}
        found[path] = {key: value for key, value in schema.items() if key not in inner}
    for name, child in schema.get("properties", {}).items():
        found |= fields(child, f"{path}.{name}" if path else name)
    if "items" in schema:
        found |= fields(schema["items"], f"{path}[]")
    return found


def part(name: str, of_version: str) -> dict[str, Any]:
    schema: dict[str, Any] = version(of_version)["schema"]["openAPIV3Schema"]["properties"][name]
    return schema


@pytest.mark.parametrize("file", sorted(DEFINITIONS))
def test_a_committed_file_is_what_the_code_renders(file: str, request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update-cases"):
        (COMMITTED / file).write_text(render(file), encoding="utf-8")
    assert (COMMITTED / file).read_text(encoding="utf-8") == render(file), "run pytest --update-cases here"
    assert yaml.safe_load(render(file)) == DEFINITIONS[file]()


def test_no_file_is_left_over_from_a_definition_that_is_gone() -> None:
    assert {file.name for file in COMMITTED.iterdir()} == set(DEFINITIONS)


def test_every_field_is_validated_as_by_lbc() -> None:
    assert fields(part("spec", "v1beta1")) == FIELDS
    assert part("spec", "v1beta1")["required"] == ["serviceRef"]


def test_the_old_version_lacks_the_later_fields() -> None:
    older = {path: demands for path, demands in FIELDS.items() if not path.startswith(NOT_IN_V1ALPHA1)}
    assert fields(part("spec", "v1alpha1")) == older
    assert fields(part("status", "v1alpha1")).keys() == {"observedGeneration"}


def test_conditions_are_those_of_every_kubernetes_kind() -> None:
    status = fields(part("status", "v1beta1"))
    assert status["observedGeneration"] == {"type": "integer", "format": "int64"}
    assert status["conditions[]"]["required"] == ["lastTransitionTime", "message", "reason", "status", "type"]
    assert status["conditions[].status"] == STRING | {"enum": ["True", "False", "Unknown"]}
    assert status["conditions[].message"] == STRING | {"maxLength": 32768}


def test_names_versions_and_columns_are_those_of_lbc() -> None:
    definition = target_group_bindings()
    assert definition["metadata"] == {"name": "targetgroupbindings.elbv2.k8s.aws"}
    assert definition["spec"]["group"] == "elbv2.k8s.aws"
    assert definition["spec"]["scope"] == "Namespaced"
    assert definition["spec"]["names"] == {
        "kind": "TargetGroupBinding",
        "listKind": "TargetGroupBindingList",
        "plural": "targetgroupbindings",
        "singular": "targetgroupbinding",
    }
    for name, storage in (("v1beta1", True), ("v1alpha1", False)):
        each = version(name)
        assert (each["served"], each["storage"], each["subresources"]) == (True, storage, {"status": {}})
        assert [
            (column["name"], column["jsonPath"], column["type"], column.get("priority", 0))
            for column in each["additionalPrinterColumns"]
        ] == [
            ("SERVICE-NAME", ".spec.serviceRef.name", "string", 0),
            ("SERVICE-PORT", ".spec.serviceRef.port", "string", 0),
            ("TARGET-TYPE", ".spec.targetType", "string", 0),
            ("ARN", ".spec.targetGroupARN", "string", 1),
            ("NAME", ".spec.targetGroupName", "string", 2),
            ("AGE", ".metadata.creationTimestamp", "date", 0),
        ]


KEY_AND_VALUE: dict[str, Any] = {"type": "object", "required": ["key", "value"]}
INT32: dict[str, Any] = {"type": "integer", "format": "int32"}
CLASS_PARAMS: dict[str, dict[str, Any]] = {
    "loadBalancerName": STRING,
    "certificateArn": {"type": "array"},
    "certificateArn[]": STRING,
    "namespaceSelector": {"type": "object", "x-kubernetes-map-type": "atomic"},
    "namespaceSelector.matchLabels": {"type": "object", "additionalProperties": STRING},
    "namespaceSelector.matchExpressions": {"type": "array", "x-kubernetes-list-type": "atomic"},
    "namespaceSelector.matchExpressions[]": {"type": "object", "required": ["key", "operator"]},
    "namespaceSelector.matchExpressions[].key": STRING,
    "namespaceSelector.matchExpressions[].operator": STRING,
    "namespaceSelector.matchExpressions[].values": {"type": "array", "x-kubernetes-list-type": "atomic"},
    "namespaceSelector.matchExpressions[].values[]": STRING,
    "group": {"type": "object", "required": ["name"]},
    "group.name": STRING,
    "scheme": STRING | {"enum": ["internal", "internet-facing"]},
    "inboundCIDRs": {"type": "array"},
    "inboundCIDRs[]": STRING,
    "sslPolicy": STRING,
    "sslRedirectPort": STRING,
    "subnets": {"type": "object"},
    "subnets.ids": {"type": "array", "minItems": 1},
    "subnets.ids[]": STRING | {"pattern": "subnet-[0-9a-f]+"},
    "subnets.tags": {"type": "object", "additionalProperties": {"type": "array", "items": STRING}},
    "ipAddressType": STRING | {"enum": ["ipv4", "dualstack", "dualstack-without-public-ipv4"]},
    "tags": {"type": "array"},
    "tags[]": KEY_AND_VALUE,
    "tags[].key": STRING,
    "tags[].value": STRING,
    "targetType": STRING | {"enum": ["instance", "ip"]},
    "loadBalancerAttributes": {"type": "array"},
    "loadBalancerAttributes[]": KEY_AND_VALUE,
    "loadBalancerAttributes[].key": STRING,
    "loadBalancerAttributes[].value": STRING,
    "listeners": {"type": "array"},
    "listeners[]": {"type": "object"},
    "listeners[].protocol": STRING,
    "listeners[].port": INT32,
    "listeners[].listenerAttributes": {"type": "array"},
    "listeners[].listenerAttributes[]": KEY_AND_VALUE,
    "listeners[].listenerAttributes[].key": STRING,
    "listeners[].listenerAttributes[].value": STRING,
    "minimumLoadBalancerCapacity": {"type": "object", "required": ["capacityUnits"]},
    "minimumLoadBalancerCapacity.capacityUnits": INT32,
    "ipamConfiguration": {"type": "object"},
    "ipamConfiguration.ipv4IPAMPoolId": STRING,
    "prefixListsIDs": {"type": "array"},
    "prefixListsIDs[]": STRING,
    "PrefixListsIDs": {"type": "array"},
    "PrefixListsIDs[]": STRING,
    "wafv2AclArn": STRING,
    "wafv2AclName": STRING,
}
"""Every field that LBC has, with what its schema demands."""
OURS = {"importTLSSecrets": {"type": "boolean"}, "httpsForTLS": {"type": "boolean"}}
BY_WEBHOOK_OF_LBC = {
    "subnets": {
        "type": "object",
        "x-kubernetes-validations": [
            {"rule": "has(self.ids) != has(self.tags)", "message": "must have either ids or tags"}
        ],
    }
}
"""What LBC's webhook refuses, and here the API server itself."""


def class_params_spec() -> dict[str, Any]:
    (only,) = ingress_class_params()["spec"]["versions"]
    spec: dict[str, Any] = only["schema"]["openAPIV3Schema"]["properties"]["spec"]
    return spec


def test_every_field_of_class_parameters_is_validated_as_by_lbc() -> None:
    assert fields(class_params_spec()) == CLASS_PARAMS | OURS | BY_WEBHOOK_OF_LBC
    assert "required" not in class_params_spec()
    (rule,) = class_params_spec()["x-kubernetes-validations"]
    assert rule["rule"] == "!(has(self.prefixListsIDs) && has(self.PrefixListsIDs))"


def test_every_field_of_class_parameters_is_read() -> None:
    read = {field.alias for field in ClassParamsSpec.model_fields.values()}
    assert read == class_params_spec()["properties"].keys()


def test_names_and_columns_of_class_parameters_are_those_of_lbc() -> None:
    definition = ingress_class_params()
    assert definition["metadata"] == {"name": "ingressclassparams.elbv2.k8s.aws"}
    assert definition["spec"]["group"] == "elbv2.k8s.aws"
    assert definition["spec"]["scope"] == "Cluster"
    assert definition["spec"]["names"] == {
        "kind": "IngressClassParams",
        "listKind": "IngressClassParamsList",
        "plural": "ingressclassparams",
        "singular": "ingressclassparam",
    }
    (only,) = definition["spec"]["versions"]
    assert (only["name"], only["served"], only["storage"], only["subresources"]) == (
        "v1beta1",
        True,
        True,
        {},
    )
    assert [
        (column["name"], column["jsonPath"], column["type"]) for column in only["additionalPrinterColumns"]
    ] == [
        ("GROUP-NAME", ".spec.group.name", "string"),
        ("SCHEME", ".spec.scheme", "string"),
        ("IP-ADDRESS-TYPE", ".spec.ipAddressType", "string"),
        ("AGE", ".metadata.creationTimestamp", "date"),
    ]
