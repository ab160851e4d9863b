"""TargetGroupBindings of a stack: from objects of the cluster to observed resources, and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from lbcontroller.cluster.binding import Binding
from lbcontroller.cluster.objects import JsonObject
from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import Observed, ObservedBinding, ObservedTargetGroup
from lbcontroller.model.references import Kind, Ref, ResourceId
from lbcontroller.model.resources import (
    BindingIngress,
    BindingPeer,
    BindingPort,
    BindingSpec,
    TargetGroupBinding,
)

CHECKPOINT_ANNOTATIONS: Final = ("elbv2.k8s.aws/checkpoint", "elbv2.k8s.aws/checkpoint-timestamp")
"""Bookkeeping that LBC leaves on bindings; it is dropped when a binding changes, as LBC itself does."""


def observed_bindings(bindings: Iterable[Binding], observed: Iterable[Observed]) -> Iterator[ObservedBinding]:
    """Yield the bindings of a stack as observed resources.

    A binding is the counterpart of the target group it names, whatever its own name. One whose target group
    is not among `observed` keeps its own name as its identity, which no desired resource has: it is surplus.
    """
    names = {
        group.arn: group.resource.id.name for group in observed if isinstance(group, ObservedTargetGroup)
    }
    for binding in bindings:
        name = binding.meta.name
        target_group = binding.spec.target_group
        identity = names.get(target_group, str(name)) if not isinstance(target_group, Ref) else str(name)
        yield ObservedBinding(
            arn=Arn(str(name)),
            resource=TargetGroupBinding(
                id=ResourceId(Kind.TARGET_GROUP_BINDING, identity),
                name=name,
                labels=binding.meta.labels,
                spec=binding.spec,
            ),
            uid=binding.meta.uid,
            created_at=binding.meta.created_at,
            reconciled=binding.reconciled,
            deleting=binding.meta.deleting,
        )


def manifest(binding: TargetGroupBinding, arns: Mapping[ResourceId, Arn]) -> JsonObject:
    """Return the object to create for a desired binding, its references resolved by `arns`."""
    return {
        "apiVersion": "elbv2.k8s.aws/v1beta1",
        "kind": "TargetGroupBinding",
        "metadata": {
            "namespace": binding.name.namespace,
            "name": binding.name.name,
            "labels": dict(binding.labels),
        },
        "spec": spec_of(binding.spec, arns),
    }


def spec_of(spec: BindingSpec, arns: Mapping[ResourceId, Arn]) -> dict[str, Any]:
    """Return a spec as JSON with every field we manage; those to be absent are left out."""
    content: dict[str, Any] = {
        "targetGroupARN": _resolved(spec.target_group, arns),
        "targetType": spec.target_type,
        "targetGroupProtocol": spec.protocol,
        "serviceRef": {"name": spec.service, "port": spec.service_port},
        "ipAddressType": spec.ip_address_type,
        "vpcID": spec.vpc_id,
        "multiClusterTargetGroup": spec.multi_cluster or None,
        "nodeSelector": spec.node_selector,
        "networking": _networking(spec.networking, arns),
    }
    return {field: value for field, value in content.items() if value is not None}


def spec_patch(spec: BindingSpec, arns: Mapping[ResourceId, Arn]) -> dict[str, Any]:
    """Return the merge patch that brings any spec to this one: what is to be absent is null."""
    optional = ("multiClusterTargetGroup", "nodeSelector", "networking")
    return {**dict.fromkeys(optional), **spec_of(spec, arns)}


def _networking(
    rules: tuple[BindingIngress, ...] | None, arns: Mapping[ResourceId, Arn]
) -> JsonObject | None:
    if rules is None:
        return None
    return {
        "ingress": [
            {
                "from": [_peer(peer, arns) for peer in rule.peers],
                "ports": [_port(port) for port in rule.ports],
            }
            for rule in rules
        ]
    }


def _peer(peer: BindingPeer, arns: Mapping[ResourceId, Arn]) -> JsonObject:
    if peer.security_group is not None:
        return {"securityGroup": {"groupID": _resolved(peer.security_group, arns)}}
    return {"ipBlock": {"cidr": peer.cidr}}


def _port(port: BindingPort) -> JsonObject:
    number = {} if port.port is None else {"port": port.port}
    return {"protocol": port.protocol, **number}


def _resolved(reference: str | Ref, arns: Mapping[ResourceId, Arn]) -> str:
    return arns[reference.to] if isinstance(reference, Ref) else reference
