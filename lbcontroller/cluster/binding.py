"""TargetGroupBindings as the API server returns them; their spec is read into the model's type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lbcontroller.cluster.objects import JsonObject, Metadata, mapping, sequence
from lbcontroller.model.enums import Protocol, TargetIpAddressType, TargetType
from lbcontroller.model.ids import Arn, SecurityGroupId, VpcId
from lbcontroller.model.resources import BindingIngress, BindingPeer, BindingPort, BindingSpec

READY_CONDITION: Final = "Ready"
"""The only condition that bindings ever have, and only while it is false: then their clean-up fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """A TargetGroupBinding of elbv2.k8s.aws/v1beta1."""

    meta: Metadata
    spec: BindingSpec
    observed_generation: int
    cleanup_failure: str | None = None
    """What the condition `READY_CONDITION` says while it is false."""

    @property
    def subject(self) -> str:
        """The object as findings and problems name it."""
        return f"TargetGroupBinding {self.meta.name}"

    @property
    def reconciled(self) -> bool:
        """Whether the targets of the present generation are registered and their rules are in place."""
        return self.observed_generation >= self.meta.generation

    @classmethod
    def from_object(cls, obj: JsonObject) -> Binding:
        """Read a TargetGroupBinding whose values the CRD has validated."""
        status = mapping(obj, "status")
        return cls(
            meta=Metadata.from_object(obj),
            spec=_spec(mapping(obj, "spec")),
            observed_generation=status.get("observedGeneration") or 0,
            cleanup_failure=next(
                (
                    condition.get("message") or ""
                    for condition in sequence(status, "conditions")
                    if condition.get("type") == READY_CONDITION and condition.get("status") == "False"
                ),
                None,
            ),
        )


def _spec(spec: JsonObject) -> BindingSpec:
    service = mapping(spec, "serviceRef")
    networking = spec.get("networking")
    return BindingSpec(
        target_group=Arn(spec.get("targetGroupARN") or ""),
        target_group_name=spec.get("targetGroupName"),
        target_type=TargetType(spec["targetType"]) if spec.get("targetType") else None,
        protocol=Protocol(spec["targetGroupProtocol"]) if spec.get("targetGroupProtocol") else None,
        service=service.get("name") or "",
        service_port=service.get("port") or 0,
        ip_address_type=TargetIpAddressType(spec["ipAddressType"]) if spec.get("ipAddressType") else None,
        vpc_id=VpcId(spec["vpcID"]) if spec.get("vpcID") else None,
        multi_cluster=spec.get("multiClusterTargetGroup") is True,
        node_selector=spec.get("nodeSelector"),
        networking=(
            tuple(_ingress(rule) for rule in sequence(networking, "ingress"))
            if networking is not None
            else None
        ),
        role_arn=spec.get("iamRoleArnToAssume"),
        role_external_id=spec.get("assumeRoleExternalId"),
    )


def _ingress(rule: JsonObject) -> BindingIngress:
    return BindingIngress(
        peers=tuple(_peer(peer) for peer in sequence(rule, "from")),
        ports=tuple(
            BindingPort(protocol=port.get("protocol") or "TCP", port=port.get("port"))
            for port in sequence(rule, "ports")
        ),
    )


def _peer(peer: JsonObject) -> BindingPeer:
    if group := mapping(peer, "securityGroup").get("groupID"):
        return BindingPeer(security_group=SecurityGroupId(group))
    return BindingPeer(cidr=mapping(peer, "ipBlock").get("cidr") or "")
