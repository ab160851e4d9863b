"""The IAM policies that the declared operations need, for what is switched on. Pure.

The files in `iam/` are what this module renders, and tests hold them against the calls of the whole program.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, TypeAlias

from lbcontroller.aws.iam_features import Feature, actions_of
from lbcontroller.aws.iam_statements import Statement, statements
from lbcontroller.aws.operations import ASSUME_ROLE, AwsService

Document: TypeAlias = Mapping[str, Any]

_VERSION: Final = "2012-10-17"
"""Of the policy language."""


class Partition(StrEnum):
    """A partition of AWS: ARNs begin with it."""

    AWS = "aws"
    CHINA = "aws-cn"
    GOV_CLOUD = "aws-us-gov"


def policy(features: Collection[Feature], partition: Partition, cluster: str | None = None) -> Document:
    """Return the smallest policy.

    Args:
        features: what is switched on.
        partition: where.
        cluster: the only cluster whose resources may be changed; None: those of any cluster of ours.
    """
    needed = frozenset(action for feature in features for action in actions_of(feature))
    return {
        "Version": _VERSION,
        "Statement": [
            _rendered(statement, statement.actions & needed, partition)
            for statement in statements(cluster)
            if statement.actions & needed
        ],
    }


def assuming(document: Document, roles: Sequence[str]) -> Document:
    """Return a policy that also allows to assume roles of other accounts."""
    if not roles:
        return document
    statement = {
        "Sid": "AssumeRolesOfTargetGroups",
        "Effect": "Allow",
        "Action": [ASSUME_ROLE.action],
        "Resource": list(roles),
    }
    return {**document, "Statement": [*document["Statement"], statement]}


def _rendered(statement: Statement, actions: frozenset[str], partition: Partition) -> dict[str, Any]:
    resources = [
        resource.replace("arn:aws:", f"arn:{partition}:", 1)
        for resource in statement.resources
        if _is_touched(resource, actions)
    ]
    rendered = {
        "Sid": statement.sid,
        "Effect": "Allow",
        "Action": sorted(actions),
        "Resource": resources[0] if len(resources) == 1 else resources,
    }
    return {**rendered, "Condition": statement.condition} if statement.condition else rendered


def _is_touched(resource: str, actions: Collection[str]) -> bool:
    """Whether actions can be about a resource: those of its service, and all are about load balancers."""
    service = "*" if resource == "*" else resource.split(":")[2]
    return service in ("*", AwsService.ELBV2.action_prefix) or any(
        action.startswith(f"{service}:") for action in actions
    )
