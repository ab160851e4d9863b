"""What is wanted of a target group, in terms of AWS, and where its targets come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lbcontroller.keys import ObjectName
from lbcontroller.model.enums import Protocol, ProtocolVersion, TargetIpAddressType, TargetType
from lbcontroller.model.fields import Attributes, Tags
from lbcontroller.model.resources import HealthCheck


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """The port of a Service whose endpoints are the targets."""

    service: ObjectName
    port: int | str
    """Number or name of the Service's port, as whoever asks for it writes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendAccess:
    """What the load balancer sends to the targets, for opening their security groups."""

    traffic_port: int | str
    """Node port or target port; a text is the name of a container port."""
    client_ranges: tuple[str, ...]
    """CIDRs that clients come from; empty: the front's default."""
    open_without_security_groups: bool
    """Whether to open the targets' groups for a load balancer that has no security groups itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetGroupConfig:
    """A target group as a front end wants it."""

    resource_name: str
    """Name of the target group and of its binding inside their stack."""
    name: str
    """Name in AWS."""
    backend: Backend
    target_type: TargetType
    protocol: Protocol
    protocol_version: ProtocolVersion | None = None
    """None for target groups of network load balancers."""
    port: int
    """Cosmetic: each target is registered with its own port."""
    ip_address_type: TargetIpAddressType
    health_check: HealthCheck
    attributes: Attributes
    tags: Tags
    """The user's tags, without tracking and default tags."""
    access: BackendAccess
    node_labels: Mapping[str, str]
    """Labels of the nodes to register; empty: all nodes. Only for instance targets."""
    multi_cluster: bool
    """Whether targets of other clusters are in the same target group."""
    control_port: int | None = None
    """Port of the target control agent; None: there is none."""
    default_attributes: Attributes = field(default_factory=dict)
    """Attributes for a new target group only: one that exists keeps what it has."""

    @property
    def preserves_client_ip(self) -> bool:
        """Whether targets see the addresses of clients instead of the load balancer's."""
        chosen = self.attributes.get("preserve_client_ip.enabled")
        return self.target_type is TargetType.INSTANCE if chosen is None else chosen == "true"
