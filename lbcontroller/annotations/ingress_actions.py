"""The JSON of `actions.{name}` on Ingresses: what is done for backends whose port is `use-annotation`.

Limits are those of the ELBv2 API reference 2015-12-01: FixedResponseActionConfig, RedirectActionConfig,
TargetGroupTuple, TargetGroupStickinessConfig.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Final, Self, assert_never

from pydantic import AfterValidator, Field, model_validator

from lbcontroller.annotations.codecs import Codec, Fault, Unreadable, enumeration, text
from lbcontroller.annotations.formats import PORT
from lbcontroller.annotations.json_objects import JsonModel, json_object_as, not_empty
from lbcontroller.annotations.weighted_targets import MAX_WEIGHT, ServicePort
from lbcontroller.model.actions import FixedResponseAction, RedirectAction
from lbcontroller.model.ids import Arn

MAX_STICKINESS_SECONDS: Final = 604_800
MAX_BODY: Final = 1024
MAX_PART: Final = 128


class ActionType(StrEnum):
    """What an action does."""

    FORWARD = "forward"
    REDIRECT = "redirect"
    FIXED_RESPONSE = "fixed-response"


class ContentType(StrEnum):
    """What a fixed response may be."""

    PLAIN = "text/plain"
    CSS = "text/css"
    HTML = "text/html"
    JAVASCRIPT = "application/javascript"
    JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardTarget:
    """Where a share of the traffic goes: exactly one of ARN, name and Service is set."""

    target_group_arn: Arn | None = None
    target_group_name: str | None = None
    """To be looked up in AWS."""
    service_name: str | None = None
    """A Service of the namespace of the Ingress."""
    service_port: int | str | None = None
    """Number or name of that Service's port; set when there is a Service."""
    weight: int | None = None
    """0 to 999; None: not given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardRequest:
    """Forward, to targets that are still to be found."""

    targets: tuple[ForwardTarget, ...]
    stickiness_enabled: bool | None = None
    """Stickiness between the target groups; None: not given."""
    stickiness_seconds: int | None = None


IngressAction = ForwardRequest | RedirectAction | FixedResponseAction
"""What an annotation asks for."""

_ACTION_TYPE: Final = enumeration(ActionType)
_ANSWER: Final = text("[245][0-9]{2}", "a status code 2XX, 4XX or 5XX")
_REDIRECT: Final = text("HTTP_30[12]", "HTTP_301 or HTTP_302")
_CONTENT_TYPE: Final = enumeration(ContentType)
_PROTOCOL: Final = text(r"HTTPS?|#\{protocol\}", "HTTP, HTTPS or #{protocol}")
_HOST: Final = text(
    r"(?:[A-Za-z0-9._:*-]|#\{host\}){1,128}", f"1 to {MAX_PART} characters of a host name, or #{{host}}"
)
_PATH: Final = text(
    rf"/[!-~]{{0,{MAX_PART - 1}}}", f"a path that begins with / and has at most {MAX_PART} characters"
)
_QUERY: Final = text(
    rf"(?!\?)[!-~]{{0,{MAX_PART}}}", f"at most {MAX_PART} characters of a query, without the leading ?"
)
_TARGET_GROUP_NAME: Final = text(
    r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?", "the name of a target group"
)
_TARGET_GROUP_ARN: Final = text(
    r"arn:aws[\w-]*:elasticloadbalancing:[\w-]+:\d+:targetgroup/[\w/-]+", "the ARN of a target group"
)
SERVICE_NAME: Final = text(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", "the name of a Service")
_ORIGINAL_PORT: Final = "#{port}"
_SAME: Final = {"protocol": "#{protocol}", "host": "#{host}", "port": _ORIGINAL_PORT, "path": "/#{path}"}
"""What each part of a redirect says that leaves it as the client asked for it."""


def _redirect_port(raw: str) -> str:
    if raw != _ORIGINAL_PORT:
        try:
            PORT.decode(raw)
        except Unreadable:
            raise Unreadable(Fault(f"must be a port number from 1 to 65535 or {_ORIGINAL_PORT}")) from None
    return raw


class _FixedResponse(JsonModel):
    """An answer without a target."""

    content_type: Annotated[str, AfterValidator(_CONTENT_TYPE.decode)] | None = None
    message_body: Annotated[str, Field(max_length=MAX_BODY)] | None = None
    status_code: Annotated[str, AfterValidator(_ANSWER.decode)]


class _Redirect(JsonModel):
    """Where the client is sent."""

    host: Annotated[str, AfterValidator(_HOST.decode)] | None = None
    path: Annotated[str, AfterValidator(_PATH.decode)] | None = None
    port: Annotated[str, AfterValidator(_redirect_port)] | None = None
    protocol: Annotated[str, AfterValidator(_PROTOCOL.decode)] | None = None
    query: Annotated[str, AfterValidator(_QUERY.decode)] | None = None
    status_code: Annotated[str, AfterValidator(_REDIRECT.decode)]

    @model_validator(mode="after")
    def _leads_elsewhere(self) -> Self:
        if all(getattr(self, name) in (None, same) for name, same in _SAME.items()):
            raise ValueError(f"must change at least one of {', '.join(_SAME)}")
        return self


class _Target(JsonModel):
    """A target group with its share."""

    target_group_arn: Annotated[str, AfterValidator(_TARGET_GROUP_ARN.decode)] | None = Field(
        default=None, alias="targetGroupARN"
    )
    target_group_name: Annotated[str, AfterValidator(_TARGET_GROUP_NAME.decode)] | None = None
    service_name: Annotated[str, AfterValidator(SERVICE_NAME.decode)] | None = None
    service_port: ServicePort = None
    weight: int | None = Field(default=None, ge=0, le=MAX_WEIGHT)

    @model_validator(mode="after")
    def _names_one_target_group(self) -> Self:
        exists = self.target_group_arn is not None or self.target_group_name is not None
        if exists == (self.service_name is not None):
            raise ValueError("must have exactly one of targetGroupARN, targetGroupName and serviceName")
        if self.service_name is not None and self.service_port is None:
            raise ValueError("must have servicePort beside serviceName")
        return self


class _Stickiness(JsonModel):
    """Whether a client stays with the target group it was sent to first."""

    enabled: bool | None = None
    duration_seconds: int | None = Field(default=None, ge=1, le=MAX_STICKINESS_SECONDS)

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if self.enabled and self.duration_seconds is None:
            raise ValueError("must have durationSeconds when it is enabled")
        return self


class _Forward(JsonModel):
    """The target groups and their weights."""

    target_groups: Annotated[tuple[_Target, ...], AfterValidator(not_empty)] = Field(strict=False)
    target_group_stickiness_config: _Stickiness | None = None

    @model_validator(mode="after")
    def _weighs_all_or_a_single_one(self) -> Self:
        if len(self.target_groups) > 1 and any(target.weight is None for target in self.target_groups):
            raise ValueError("must give every one of several targetGroups a weight")
        return self


class _Action(JsonModel):
    """An action as it is written."""

    type: Annotated[str, AfterValidator(_ACTION_TYPE.decode)]
    target_group_arn: Annotated[str, AfterValidator(_TARGET_GROUP_ARN.decode)] | None = Field(
        default=None, alias="targetGroupARN"
    )
    target_group_name: Annotated[str, AfterValidator(_TARGET_GROUP_NAME.decode)] | None = None
    forward_config: _Forward | None = None
    redirect_config: _Redirect | None = None
    fixed_response_config: _FixedResponse | None = None

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        given = {name for name in _CONFIGS if getattr(self, name) is not None}
        wanted = _CONFIGS_OF[ActionType(self.type)]
        if surplus := sorted(given - wanted):
            raise ValueError(
                f"must leave out {_alias(surplus[0])}, which does not belong to type {self.type}"
            )
        if not given or ("forward_config" in given and len(given) > 1):
            either = [_alias(name) for name in _CONFIGS if name in wanted]
            raise ValueError(f"must have {'exactly one of ' if len(either) > 1 else ''}{', '.join(either)}")
        return self


_CONFIGS: Final = (
    "forward_config",
    "target_group_arn",
    "target_group_name",
    "redirect_config",
    "fixed_response_config",
)
_CONFIGS_OF: Final[Mapping[ActionType, frozenset[str]]] = {
    ActionType.FORWARD: frozenset({"forward_config", "target_group_arn", "target_group_name"}),
    ActionType.REDIRECT: frozenset({"redirect_config"}),
    ActionType.FIXED_RESPONSE: frozenset({"fixed_response_config"}),
}


def _alias(name: str) -> str:
    return _Action.model_fields[name].alias or name


def _read(action: _Action) -> IngressAction:
    if answer := action.fixed_response_config:
        return FixedResponseAction(
            status=answer.status_code, content_type=answer.content_type, body=answer.message_body
        )
    if redirect := action.redirect_config:
        return RedirectAction(
            status=redirect.status_code,
            protocol=redirect.protocol,
            host=redirect.host,
            port=redirect.port,
            path=redirect.path,
            query=redirect.query,
        )
    if forward := action.forward_config:
        stickiness = forward.target_group_stickiness_config or _Stickiness()
        return ForwardRequest(
            targets=tuple(_read_target(target) for target in forward.target_groups),
            stickiness_enabled=stickiness.enabled,
            stickiness_seconds=stickiness.duration_seconds,
        )
    single = _Target.model_construct(
        target_group_arn=action.target_group_arn, target_group_name=action.target_group_name
    )
    return ForwardRequest(targets=(_read_target(single),))


def _read_target(target: _Target) -> ForwardTarget:
    if target.service_name is not None:
        return ForwardTarget(
            service_name=target.service_name, service_port=target.service_port, weight=target.weight
        )
    if target.target_group_arn is not None:  # it counts more than a name, as in LBC
        return ForwardTarget(target_group_arn=Arn(target.target_group_arn), weight=target.weight)
    return ForwardTarget(target_group_name=target.target_group_name, weight=target.weight)


def _write(action: IngressAction) -> Mapping[str, Any]:
    match action:
        case FixedResponseAction():
            answer = {
                "contentType": action.content_type,
                "messageBody": action.body,
                "statusCode": action.status,
            }
            return {"type": ActionType.FIXED_RESPONSE, "fixedResponseConfig": answer}
        case RedirectAction():
            parts = {name: getattr(action, name) for name in ("host", "path", "port", "protocol", "query")}
            return {"type": ActionType.REDIRECT, "redirectConfig": parts | {"statusCode": action.status}}
        case ForwardRequest():
            return {"type": ActionType.FORWARD, "forwardConfig": _write_forward(action)}
        case _:
            assert_never(action)


def _write_forward(action: ForwardRequest) -> Mapping[str, Any]:
    sticky = action.stickiness_enabled is not None or action.stickiness_seconds is not None
    return {
        "targetGroups": [
            {
                "targetGroupARN": target.target_group_arn,
                "targetGroupName": target.target_group_name,
                "serviceName": target.service_name,
                "servicePort": target.service_port,
                "weight": target.weight,
            }
            for target in action.targets
        ],
        "targetGroupStickinessConfig": (
            {"enabled": action.stickiness_enabled, "durationSeconds": action.stickiness_seconds}
            if sticky
            else None
        ),
    }


ACTION: Final[Codec[IngressAction]] = json_object_as(_Action, read=_read, write=_write)
"""The codec of one action."""
