"""Rules of listeners as ELBv2 spells them (source: ELBv2 API reference 2015-12-01, Rule)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, assert_never

from lbcontroller.aws.action_wire import actions_request, decode_actions, with_secrets
from lbcontroller.aws.wire import tag_list, without_nones
from lbcontroller.model.fields import Tags
from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import ObservedListenerRule
from lbcontroller.model.references import Kind, ResourceId
from lbcontroller.model.resources import ListenerRule
from lbcontroller.model.rule_conditions import (
    Condition,
    HeaderCondition,
    HostCondition,
    HostRewrite,
    MethodCondition,
    PathCondition,
    QueryCondition,
    QueryPair,
    Rewrite,
    SourceCondition,
    Transform,
    UrlRewrite,
)

Json = dict[str, Any]
Answer = Mapping[str, Any]

PARTS: Final = frozenset({"actions", "conditions", "transforms"})
"""Fields of a rule that ModifyRule changes."""


def create_request(rule: ListenerRule) -> Json:
    """Return the parameters of CreateRule for a rule whose references are resolved."""
    return without_nones(
        {
            "ListenerArn": rule.listener,
            "Priority": rule.priority,
            "Conditions": conditions_request(rule.conditions),
            "Actions": actions_request(rule.actions),
            "Transforms": transforms_request(rule.transforms) or None,
            "Tags": tag_list(rule.tags) or None,
        }
    )


def modify_request(rule: ListenerRule, fields: Iterable[str]) -> Json:
    """Return the parameters of ModifyRule that set the parts of a rule that `fields` names."""
    request: Json = {}
    if "actions" in fields:
        request["Actions"] = actions_request(rule.actions)
    if "conditions" in fields:
        request["Conditions"] = conditions_request(rule.conditions)
    if "transforms" in fields:
        # An empty list is not a way to take them away.
        request |= (
            {"Transforms": transforms_request(rule.transforms)}
            if rule.transforms
            else {"ResetTransforms": True}
        )
    return request


def conditions_request(conditions: Sequence[Condition]) -> list[Json]:
    """Return conditions as AWS takes them."""
    return [_condition_request(condition) for condition in conditions]


def transforms_request(transforms: Sequence[Transform]) -> list[Json]:
    """Return transforms as AWS takes them."""
    return [_transform_request(transform) for transform in transforms]


def rule_id(port: int, priority: int) -> ResourceId:
    """Return what a rule that exists is called.

    It has the name of its place. The one in its tags is that of the place where it was made: rules are not
    tagged again when they move, so that several may carry the same.
    """
    return ResourceId(Kind.LISTENER_RULE, f"{port}:{priority}")


def decode_rule(answer: Answer, listener: tuple[Arn, int], tags: Tags, *, ours: bool) -> ObservedListenerRule:
    """Return a rule, which is not the default one, as DescribeRules answers it.

    Args:
        answer: one of the rules.
        listener: ARN and port of its listener, of which the answer does not tell.
        tags: its tags.
        ours: whether they say that it is of the listener's stack.
    """
    arn, port = listener
    priority = int(answer["Priority"])
    return ObservedListenerRule(
        arn=Arn(answer["RuleArn"]),
        resource=ListenerRule(
            id=rule_id(port, priority),
            listener=arn,
            priority=priority,
            conditions=tuple(_decode_conditions(answer.get("Conditions", ()))),
            actions=decode_actions(answer.get("Actions", ())),
            transforms=tuple(_decode_transforms(answer.get("Transforms", ()))),
            tags=tags,
        ),
        ours=ours,
    )


def is_default(answer: Answer) -> bool:
    """Return whether a rule is the one behind the default actions of its listener."""
    return bool(answer.get("IsDefault"))


def with_known_secrets(observed: ObservedListenerRule, *sources: ListenerRule) -> ObservedListenerRule:
    """Return what was just read, with the client secrets that this process knows from before."""
    actions = with_secrets(observed.resource.actions, *(source.actions for source in sources))
    return replace(observed, resource=replace(observed.resource, actions=actions))


def _condition_request(condition: Condition) -> Json:
    match condition:
        case HostCondition():
            return {"Field": "host-header", "HostHeaderConfig": _patterns(condition)}
        case PathCondition():
            return {"Field": "path-pattern", "PathPatternConfig": _patterns(condition)}
        case HeaderCondition(name=name):
            return {
                "Field": "http-header",
                "HttpHeaderConfig": {"HttpHeaderName": name, **_patterns(condition)},
            }
        case MethodCondition(values=values):
            return {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": list(values)}}
        case QueryCondition(values=pairs):
            listed = [without_nones({"Key": pair.key, "Value": pair.value}) for pair in pairs]
            return {"Field": "query-string", "QueryStringConfig": {"Values": listed}}
        case SourceCondition(cidrs=cidrs):
            return {"Field": "source-ip", "SourceIpConfig": {"Values": list(cidrs)}}
        case _:
            assert_never(condition)


def _patterns(condition: HostCondition | PathCondition | HeaderCondition) -> Json:
    return without_nones(
        {"Values": list(condition.values) or None, "RegexValues": list(condition.regexes) or None}
    )


def _transform_request(transform: Transform) -> Json:
    rewrites = [{"Regex": rewrite.regex, "Replace": rewrite.replacement} for rewrite in transform.rewrites]
    match transform:
        case HostRewrite():
            return {"Type": "host-header-rewrite", "HostHeaderRewriteConfig": {"Rewrites": rewrites}}
        case UrlRewrite():
            return {"Type": "url-rewrite", "UrlRewriteConfig": {"Rewrites": rewrites}}
        case _:
            assert_never(transform)


def _decode_conditions(answers: Iterable[Answer]) -> Iterator[Condition]:
    """Decode conditions one by one; those on fields that we do not know are left out."""
    for answer in answers:
        match answer["Field"]:
            case "host-header":
                values, regexes = _decode_patterns(answer, "HostHeaderConfig")
                yield HostCondition(values=values, regexes=regexes)
            case "path-pattern":
                values, regexes = _decode_patterns(answer, "PathPatternConfig")
                yield PathCondition(values=values, regexes=regexes)
            case "http-header":
                values, regexes = _decode_patterns(answer, "HttpHeaderConfig")
                name = answer["HttpHeaderConfig"]["HttpHeaderName"]
                yield HeaderCondition(name=name, values=values, regexes=regexes)
            case "http-request-method":
                yield MethodCondition(values=tuple(answer["HttpRequestMethodConfig"]["Values"]))
            case "query-string":
                pairs = answer["QueryStringConfig"]["Values"]
                yield QueryCondition(
                    values=tuple(
                        QueryPair(key=pair.get("Key") or None, value=pair["Value"]) for pair in pairs
                    )
                )
            case "source-ip":
                yield SourceCondition(cidrs=tuple(answer["SourceIpConfig"].get("Values", ())))


def _decode_pairs(pairs: Iterable[Answer]) -> Iterator[QueryPair]:
    for pair in pairs:
        yield QueryPair(key=pair.get("Key") or None, value=pair["Value"])


def _decode_patterns(answer: Answer, member: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return values and regular expressions; old rules have the values beside an empty configuration."""
    config = answer.get(member) or {}
    regexes = config.get("RegexValues") or answer.get("RegexValues") or ()
    values = config.get("Values") or (() if regexes else answer.get("Values", ()))
    return tuple(values), tuple(regexes)


def _decode_transforms(answers: Iterable[Answer]) -> Iterator[Transform]:
    for answer in answers:
        match answer["Type"]:
            case "host-header-rewrite":
                yield HostRewrite(rewrites=_decode_rewrites(answer["HostHeaderRewriteConfig"]))
            case "url-rewrite":
                yield UrlRewrite(rewrites=_decode_rewrites(answer["UrlRewriteConfig"]))


def _decode_rewrites(config: Answer) -> tuple[Rewrite, ...]:
    return tuple(
        Rewrite(regex=item["Regex"], replacement=item.get("Replace", "")) for item in config["Rewrites"]
    )
