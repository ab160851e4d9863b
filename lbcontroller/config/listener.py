"""What is wanted of a listener, in terms of AWS and of nothing in Kubernetes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lbcontroller.config.target_group import TargetGroupConfig
from lbcontroller.model.actions import (
    AuthenticateCognitoAction,
    AuthenticateOidcAction,
    FixedResponseAction,
    RedirectAction,
    TargetGroupRef,
    ValidateJwtAction,
)
from lbcontroller.model.enums import AlpnPolicy, Protocol
from lbcontroller.model.fields import Attributes, Mark, Tags
from lbcontroller.model.resources import CertificateRef, MutualAuthentication
from lbcontroller.model.rule_conditions import Condition, Transform


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightedTarget:
    """A share of the traffic."""

    target_group: TargetGroupConfig | TargetGroupRef
    """An ARN is a target group that is not ours; a reference one that has no backend in the cluster."""
    weight: int | None
    """0 to 999; None: not given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardConfig:
    """Forward connections to one or several target groups."""

    targets: tuple[WeightedTarget, ...]
    stickiness: bool | None = None
    """Whether a client stays with its target group; None: not given."""
    stickiness_seconds: int | None = None
    """For how long; None: not given."""


ActionConfig = (
    ForwardConfig
    | RedirectAction
    | FixedResponseAction
    | AuthenticateOidcAction
    | AuthenticateCognitoAction
    | ValidateJwtAction
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsConfig:
    """How a listener ends TLS."""

    certificates: tuple[CertificateRef, ...]
    """The first is the default."""
    ssl_policy: str | None
    """None: the controller's default."""
    alpn_policy: AlpnPolicy | None
    """None: not given."""
    mutual_authentication: MutualAuthentication | Literal[Mark.UNMANAGED] | None = None
    """None: not given; UNMANAGED: it stays as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleConfig:
    """A rule of a listener as a front end wants it."""

    conditions: tuple[Condition, ...]
    actions: tuple[ActionConfig, ...]
    transforms: tuple[Transform, ...]
    tags: Tags
    """The user's tags, without tracking and default tags."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerConfig:
    """A listener as a front end wants it."""

    port: int
    protocol: Protocol
    actions: tuple[ActionConfig, ...]
    """What is done with what no rule is for."""
    tls: TlsConfig | None
    """None for protocols without TLS."""
    attributes: Attributes
    tags: Tags
    """The user's tags, without tracking and default tags."""
    resource_name: str = ""
    """Name inside its stack; empty: the port."""
