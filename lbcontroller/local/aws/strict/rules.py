"""Rules: order, swaps of priorities, conditions in both forms, transforms, limits."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any, Final

from moto.core.responses import ActionResult, EmptyResult
from moto.elbv2.exceptions import DuplicatePriorityError, InvalidDescribeRulesRequest
from moto.elbv2.models import FakeRule
from moto.moto_api._internal import mock_random

from lbcontroller.local.aws.strict.actions import check_actions
from lbcontroller.local.aws.strict.backend import StrictCalls
from lbcontroller.local.aws.strict.errors import constraint, invalid, refused
from lbcontroller.local.aws.strict.paging import page
from lbcontroller.local.aws.strict.resources import StrictListener, StrictRule, normal_actions
from lbcontroller.local.aws.strict.tags import check_tags

MAX_RULES: Final = 100
"""Rules per load balancer, not counting default rules ("Quotas for your Application Load Balancers")."""
MAX_CONDITION_VALUES: Final = 5
"""Condition values per rule (same source)."""
MAX_WILDCARDS: Final = 6
"""Wildcards in the conditions of a rule (same source)."""
MAX_VALUE_LENGTH: Final = 128
"""Characters of a condition value (RuleCondition in the API reference)."""
_PRIORITIES: Final = range(1, 50001)
_CONFIGS: Final = {
    "host-header": "HostHeaderConfig",
    "path-pattern": "PathPatternConfig",
    "http-header": "HttpHeaderConfig",
    "query-string": "QueryStringConfig",
    "http-request-method": "HttpRequestMethodConfig",
    "source-ip": "SourceIpConfig",
}
_FIELDS_WITH_LEGACY_VALUES: Final = frozenset({"host-header", "path-pattern"})
_CHANGES: Final = ("Conditions", "Actions", "Transforms", "ResetTransforms")


class RuleCalls(StrictCalls):
    """The API calls about rules."""

    def create_rule(self) -> ActionResult:
        """Create a rule on a free priority."""
        backend, params = self.elbv2_backend, self._get_params()
        owner, listener = backend.listener(params["ListenerArn"])
        request = {**params, "Conditions": _normal_conditions(params["Conditions"])}
        check_tags(params.get("Tags"))
        priority = params["Priority"]
        if priority not in _PRIORITIES:
            raise constraint(priority, "priority", f"have value less than or equal to {_PRIORITIES[-1]}")
        _check_free(listener, priority, moving=())
        if sum(len(other.rules) - 1 for other in owner.listeners.values()) >= MAX_RULES:
            raise refused("TooManyRules", "The maximum number of rules has been reached")
        check_actions(backend, owner, listener.protocol, params["Actions"])
        arn = f"{listener.arn.replace(':listener/', ':listener-rule/')}/{mock_random.get_random_hex(16)}"
        created = StrictRule(  # type: ignore[abstract] # moto's bases are, by name only
            listener.arn, arn, request=request, actions=normal_actions(params["Actions"])
        )
        listener.numbered_rules[arn] = created
        backend.usage.attach(owner.arn, created.actions)
        backend.tagging_service.tag_resource(arn, params.get("Tags"))
        return ActionResult({"Rules": [created]})

    def modify_rule(self) -> ActionResult:
        """Change conditions, actions or transforms of a rule."""
        backend, params = self.elbv2_backend, self._get_params()
        owner, listener, changed = backend.rule(params["RuleArn"])
        if not any(key in params for key in _CHANGES):
            raise invalid("Either conditions, actions or transforms must be specified")
        if not isinstance(changed, StrictRule):
            raise refused("OperationNotPermitted", f"Default rule '{changed.arn}' cannot be modified")
        if conditions := params.get("Conditions"):
            changed.conditions = _normal_conditions(conditions)
        if actions := params.get("Actions"):
            check_actions(backend, owner, listener.protocol, actions, instead_of=changed.actions)
            backend.usage.detach(owner.arn, changed.actions)
            changed.actions = normal_actions(actions)
            backend.usage.attach(owner.arn, changed.actions)
        if params.get("ResetTransforms"):
            changed.transforms = []
        changed.transforms = params.get("Transforms") or changed.transforms
        return ActionResult({"Rules": [changed]})

    def delete_rule(self) -> ActionResult:
        """Delete a rule; a default rule lives and dies with its listener."""
        backend, arn = self.elbv2_backend, self._get_params()["RuleArn"]
        owner, listener, doomed = backend.rule(arn)
        if doomed.is_default:
            raise refused("OperationNotPermitted", f"Default rule '{arn}' cannot be deleted")
        backend.usage.detach(owner.arn, doomed.actions)
        backend.forget_tags([arn])
        del listener.numbered_rules[arn]
        return EmptyResult()

    def describe_rules(self) -> ActionResult:
        """Rules of a listener or by ARN, by priority and the default rule last."""
        backend, params = self.elbv2_backend, self._get_params()
        listener_arn, arns = params.get("ListenerArn"), params.get("RuleArns")
        if not listener_arn and not arns:
            raise InvalidDescribeRulesRequest("You must specify either listener rule ARNs or a listener ARN")
        if listener_arn and arns:
            raise InvalidDescribeRulesRequest(
                "Listener rule ARNs and a listener ARN cannot be specified at the same time"
            )
        if listener_arn:
            found: list[StrictRule | FakeRule] = list(backend.listener(listener_arn)[1].rules.values())
        else:
            found = [backend.rule(arn)[2] for arn in dict.fromkeys(arns or ())]
        ordered = sorted(found, key=_position)
        return page(ordered, "Rules", size=params.get("PageSize"), marker=params.get("Marker"))

    def set_rule_priorities(self) -> ActionResult:
        """Move rules all at once, so that they may swap; conflicts only count in the new order."""
        wanted = self._get_params()["RulePriorities"]
        priorities = [item["Priority"] for item in wanted]
        for priority in priorities:
            if priorities.count(priority) > 1:
                raise DuplicatePriorityError(priority)
        found = [self.elbv2_backend.rule(item["RuleArn"]) for item in wanted]
        moving = [item["RuleArn"] for item in wanted]
        for (_, listener, rule), priority in zip(found, priorities, strict=True):
            if rule.is_default:
                raise refused("OperationNotPermitted", "Cannot set priority of the default rule")
            _check_free(listener, priority, moving=moving)
        for (_, _, rule), priority in zip(found, priorities, strict=True):
            rule.priority = priority
        return ActionResult({"Rules": [rule for _, _, rule in found]})


def _position(rule: StrictRule | FakeRule) -> tuple[bool, int]:
    return (True, 0) if rule.is_default else (False, int(rule.priority))


def _check_free(listener: StrictListener, priority: int, *, moving: Sequence[str]) -> None:
    for arn, rule in listener.numbered_rules.items():
        if rule.priority == priority and arn not in moving:
            raise refused("PriorityInUse", f"Priority '{priority}' is currently in use")


def _normal_conditions(conditions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Checked conditions as AWS describes them: hosts and paths both as Values and in their config."""
    if not conditions:
        raise invalid("A condition must be specified")
    values = [value for condition in conditions for value in _checked_values(condition)]
    if len(values) > MAX_CONDITION_VALUES:
        raise invalid(f"A rule can only have '{MAX_CONDITION_VALUES}' condition values")
    if sum(map(_wildcards, conditions)) > MAX_WILDCARDS:
        raise invalid(f"A rule can only have '{MAX_WILDCARDS}' condition wildcards")
    return [_normal_condition(condition) for condition in conditions]


def _wildcards(condition: Mapping[str, Any]) -> int:
    config = condition.get(_CONFIGS[condition["Field"]]) or condition
    return sum(str(value).count("*") + str(value).count("?") for value in config.get("Values", ()))


def _normal_condition(condition: Mapping[str, Any]) -> dict[str, Any]:
    field = condition["Field"]
    normal = dict(condition)
    if field in _FIELDS_WITH_LEGACY_VALUES:
        config = condition.get(_CONFIGS[field]) or {}
        if condition.get("Values") and not config:
            normal[_CONFIGS[field]] = {"Values": condition["Values"]}
        elif config.get("Values"):
            normal["Values"] = config["Values"]
    return normal


def _checked_values(condition: Mapping[str, Any]) -> list[Any]:
    field = condition.get("Field")
    if field not in _CONFIGS:
        raise invalid(f"Condition field '{field}' must be one of '[{','.join(_CONFIGS)}]'")
    config = condition.get(_CONFIGS[field]) or {}
    values = [
        value
        for source in (config, condition)
        for key in ("Values", "RegexValues")
        for value in source.get(key) or ()
    ]
    if not values and not config.get("IpAddressType"):
        raise invalid("A condition value must be specified")
    for value in values:
        if isinstance(value, str) and len(value) > MAX_VALUE_LENGTH:
            raise invalid(f"The '{field}' value is too long; the limit is '{MAX_VALUE_LENGTH}'")
        if field == "source-ip":
            _check_cidr(value)
    return values


def _check_cidr(value: str) -> None:
    try:
        ipaddress.ip_network(value)
    except ValueError:
        raise invalid(f"The source IP '{value}' is not a valid CIDR") from None
