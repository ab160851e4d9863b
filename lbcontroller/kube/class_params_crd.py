"""The CustomResourceDefinition of IngressClassParams, in the vocabulary of the model.

Group, version, fields and validation are those of LBC, whose objects and manifests go on working; the last
two fields are ours. What they mean is read by `annotations/class_params_spec.py`.
"""

from __future__ import annotations

from lbcontroller.kube.openapi import (
    Schema,
    array,
    boolean,
    choice,
    column,
    definition,
    label_selector,
    root,
    structure,
    text,
    texts,
)
from lbcontroller.kube.resources import ResourceType
from lbcontroller.model.enums import BACKEND_TARGET_TYPES, IpAddressType, Scheme


def ingress_class_params() -> Schema:
    """Return the CustomResourceDefinition."""
    version = {
        "name": "v1beta1",
        "served": True,
        "storage": True,
        "subresources": {},
        "additionalPrinterColumns": [
            column("GROUP-NAME", "string", ".spec.group.name", "The group of its Ingresses"),
            column("SCHEME", "string", ".spec.scheme", "The scheme of load balancers"),
            column("IP-ADDRESS-TYPE", "string", ".spec.ipAddressType", "Address families of load balancers"),
            column("AGE", "date", ".metadata.creationTimestamp"),
        ],
        "schema": {
            "openAPIV3Schema": root(
                "What the Ingresses of a class must not say themselves: it wins over their annotations.",
                {"spec": _spec()},
            )
        },
    }
    return definition(ResourceType.INGRESS_CLASS_PARAMS, "ingressclassparam", [version])


def _spec() -> Schema:
    lists = "Prefix lists whose addresses may connect."
    fields = {
        "loadBalancerName": text("Name of the load balancer."),
        "certificateArn": texts("Certificates of HTTPS listeners."),
        "namespaceSelector": label_selector(
            "Namespaces whose Ingresses may use the class; all of them when absent or empty.", "a Namespace"
        ),
        "group": _group(),
        "scheme": choice(Scheme, "Whether load balancers get public addresses."),
        "inboundCIDRs": texts("Who may connect."),
        "sslPolicy": text("Security policy of HTTPS listeners."),
        "sslRedirectPort": text("Port of the HTTPS listener that HTTP listeners redirect to."),
        "subnets": _subnets(),
        "ipAddressType": choice(IpAddressType, "Address families that clients can use."),
        "tags": _entries("Tags of everything that is made."),
        "targetType": choice(BACKEND_TARGET_TYPES, "Whether traffic goes to nodes or to pods."),
        "loadBalancerAttributes": _entries(
            "Attributes of the load balancer; they count from the class of a group's first Ingress only."
        ),
        "listeners": _listeners(),
        "minimumLoadBalancerCapacity": _capacity(),
        "ipamConfiguration": _address_pools(),
        "prefixListsIDs": texts(lists),
        "PrefixListsIDs": texts(f"{lists} Older spelling."),
        "wafv2AclArn": text("ARN of a web ACL of WAF, or none."),
        "wafv2AclName": text("Name of a web ACL of WAF, or none."),
        "importTLSSecrets": boolean(
            "Import the certificates of spec.tls[].secretName into ACM and use them."
        ),
        "httpsForTLS": boolean("Let Ingresses with spec.tls and without listen-ports listen on HTTPS 443."),
    }
    return {
        **structure("What holds for the Ingresses of the class.", fields),
        "x-kubernetes-validations": [
            {
                "rule": "!(has(self.prefixListsIDs) && has(self.PrefixListsIDs))",
                "message": "must have only one of prefixListsIDs and PrefixListsIDs",
            }
        ],
    }


def _group() -> Schema:
    return structure(
        "The group that all Ingresses of the class belong to.",
        {"name": text("Name of the group.")},
        required=["name"],
    )


def _capacity() -> Schema:
    return structure(
        "Reserved capacity; it counts from the class of a group's first Ingress only.",
        {"capacityUnits": _number("Capacity units; 0 gives a reservation back.")},
        required=["capacityUnits"],
    )


def _address_pools() -> Schema:
    return structure(
        "Where public addresses come from; it counts from the class of a group's first Ingress only.",
        {"ipv4IPAMPoolId": text("IPAM pool of IPv4 addresses.")},
    )


def _subnets() -> Schema:
    ids = array("Their ids.", {"type": "string", "pattern": "subnet-[0-9a-f]+"})
    by_one_of_two = {"rule": "has(self.ids) != has(self.tags)", "message": "must have either ids or tags"}
    subnets = structure(
        "Subnets of load balancers: by exactly one of the two.",
        {
            "ids": {**ids, "minItems": 1},
            "tags": {
                "type": "object",
                "description": "Their tags: a subnet must have each key with one of its values.",
                "additionalProperties": {"type": "array", "items": {"type": "string"}},
            },
        },
    )
    return {**subnets, "x-kubernetes-validations": [by_one_of_two]}


def _listeners() -> Schema:
    listener = structure(
        "A listener.",
        {
            "protocol": text("HTTP or HTTPS."),
            "port": _number("Its port."),
            "listenerAttributes": _entries("Its attributes."),
        },
    )
    return array(
        "Attributes of listeners; they count from the class of a listener's first Ingress only.", listener
    )


def _entries(description: str) -> Schema:
    entry = structure("A key and its value.", {"key": text("Key."), "value": text("Value.")})
    return array(description, {**entry, "required": ["key", "value"]})


def _number(description: str) -> Schema:
    return {"type": "integer", "format": "int32", "description": description}
