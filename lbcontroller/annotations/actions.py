"""The JSON of `actions.{Protocol}-{Port}`: how a listener of a network load balancer spreads its traffic."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from lbcontroller.annotations.json_objects import JsonModel
from lbcontroller.annotations.weighted_targets import MAX_WEIGHT, ServicePort
from lbcontroller.model.ids import Arn


class WeightedTarget(JsonModel):
    """A target group beside that of the annotated Service: one that exists, or one for another Service."""

    target_group_arn: Arn | None = Field(default=None, alias="targetGroupARN", min_length=1)
    """A target group that somebody else manages."""
    service_name: str | None = Field(default=None, min_length=1)
    """A Service of the same namespace."""
    service_port: ServicePort = None
    """Number or name of that Service's port."""
    decrypt: bool = False
    """Behind a TLS listener, send plain TCP to this Service instead of TLS."""
    weight: int | None = Field(default=None, ge=0, le=MAX_WEIGHT)
    """Share of the traffic, compared with the other weights."""

    @model_validator(mode="after")
    def _names_one_target_group(self) -> Self:
        if (self.target_group_arn is None) == (self.service_name is None):
            raise ValueError("must have either targetGroupARN or serviceName")
        if self.service_name is not None and self.service_port is None:
            raise ValueError("must have servicePort beside serviceName")
        return self


class Stickiness(JsonModel):
    """Whether a client stays with the target group it was sent to first."""

    enabled: bool = False
    """On or off."""


class ForwardConfig(JsonModel):
    """The target groups and their weights."""

    base_service_weight: int | None = Field(default=None, ge=0, le=MAX_WEIGHT)
    """Weight of the annotated Service's own target group."""
    target_groups: tuple[WeightedTarget, ...] = Field(strict=False)
    """The others; a JSON array is a tuple here, which strictness would refuse."""
    target_group_stickiness_config: Stickiness | None = None
    """Absent: off."""

    @field_validator("target_groups")
    @classmethod
    def _has_target_groups(cls, targets: tuple[WeightedTarget, ...]) -> tuple[WeightedTarget, ...]:
        if not targets:
            raise ValueError("must not be empty")
        return targets

    @model_validator(mode="after")
    def _weighs_all_or_a_single_one(self) -> Self:
        if len(self.target_groups) > 1 and any(target.weight is None for target in self.target_groups):
            raise ValueError("must give every one of several targetGroups a weight")
        return self


class ForwardAction(JsonModel):
    """What a listener does."""

    type: Literal["forward"]
    """The only action a network load balancer has."""
    forward_config: ForwardConfig
    """Where to."""
