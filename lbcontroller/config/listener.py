"""What is wanted of a listener, in terms of AWS and of nothing in Kubernetes."""

from __future__ import annotations

from dataclasses import dataclass

from lbcontroller.config.target_group import TargetGroupConfig
from lbcontroller.model.enums import AlpnPolicy, Protocol
from lbcontroller.model.fields import Attributes, Tags
from lbcontroller.model.ids import Arn, CertificateArn


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightedTarget:
    """A share of the traffic."""

    target_group: TargetGroupConfig | Arn
    """An ARN is a target group that is not ours."""
    weight: int | None
    """0 to 999; None: not given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardConfig:
    """Forward connections to one or several target groups."""

    targets: tuple[WeightedTarget, ...]
    stickiness: bool | None = None
    """Whether a client stays with its target group; None: not given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsConfig:
    """How a listener ends TLS."""

    certificates: tuple[CertificateArn, ...]
    """At least one; the first is the default."""
    ssl_policy: str | None
    """None: the controller's default."""
    alpn_policy: AlpnPolicy | None
    """None: not given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerConfig:
    """A listener as a front end wants it."""

    port: int
    protocol: Protocol
    action: ForwardConfig
    tls: TlsConfig | None
    """None for protocols other than TLS."""
    attributes: Attributes
    tags: Tags
    """The user's tags, without tracking and default tags."""
