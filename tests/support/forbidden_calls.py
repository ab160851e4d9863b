"""What a policy must refuse: the calls that a program may make, made to what is not its cluster's."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from lbcontroller.local.aws.iam_policy import Check, ContextValue
from lbcontroller.model.identity import CLUSTER_TAG

_RESOURCE_TAG: Final = f"aws:ResourceTag/{CLUSTER_TAG}"
_REQUEST_TAG: Final = f"aws:RequestTag/{CLUSTER_TAG}"
_CREATE_ACTIONS: Final = ("ec2:CreateAction", "elasticloadbalancing:CreateAction")
_SERVICE_NAME: Final = "iam:AWSServiceName"
_TAG_KEYS: Final = "aws:TagKeys"
_RECORDS: Final = {
    "route53:ChangeResourceRecordSetsRecordTypes": "A",
    "route53:ChangeResourceRecordSetsNormalizedRecordNames": "www.example.com",
}
"""Of other records than those that validate certificates."""
_TAGS_ON_IMPORT: Final = "acm:AddTagsToCertificate"
"""No condition key tells whether that is on import, so any certificate may get the tag of some cluster."""
Document = Mapping[str, Any]


def forbidden(allowed: Iterable[Check]) -> list[Check]:
    """Return checks like the allowed ones, each changed in one thing that makes it the matter of others."""
    found = (variant for check in allowed for variant in _variants(check))
    return list({repr(variant): variant for variant in found}.values())


def _variants(check: Check) -> Iterator[Check]:
    context = check.context
    creates = any(key in context for key in _CREATE_ACTIONS)
    if _RESOURCE_TAG in context:
        yield _with(check, {_RESOURCE_TAG: None})
        yield _with(check, {key: None for key in context if key.startswith("aws:ResourceTag/")})
        if _TAG_KEYS in context and "Tags" in check.action and check.action != _TAGS_ON_IMPORT:
            yield _with(check, {_TAG_KEYS: (*context[_TAG_KEYS], CLUSTER_TAG), _REQUEST_TAG: "another"})
    elif _REQUEST_TAG in context:
        yield _with(check, {_REQUEST_TAG: None})
    if creates:
        yield _with(check, {key: "SomethingElse" for key in _CREATE_ACTIONS if key in context})
    for key, other in _RECORDS.items():
        if key in context:
            yield _with(check, {key: (other,)})
    if _SERVICE_NAME in context:
        yield _with(check, {_SERVICE_NAME: "another.amazonaws.com"})


def _with(check: Check, changed: Mapping[str, ContextValue | None]) -> Check:
    merged = {**check.context, **changed}
    return replace(check, context={key: value for key, value in merged.items() if value is not None})


def conditions(document: Document) -> Iterator[tuple[str, str, str]]:
    """Yield statement id, operator and key of every condition of a policy."""
    for statement in document["Statement"]:
        for operator, keys in statement.get("Condition", {}).items():
            for key in keys:
                yield statement["Sid"], operator, key


def without_condition(document: Document, sid: str, operator: str, key: str) -> Document:
    """Return a policy in which one condition is gone."""
    widened = copy.deepcopy(dict(document))
    for statement in widened["Statement"]:
        if statement["Sid"] == sid:
            del statement["Condition"][operator][key]
            if not statement["Condition"][operator]:
                del statement["Condition"][operator]
    return widened
