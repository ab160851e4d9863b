"""Shared settings of which nobody can tell whether they are still wanted: they stay as they are in AWS.

A member whose class is gone, or says something that cannot be understood, may have said anything by it; one
with a malformed annotation said something there. As long as such a member is held and no other one says the
same setting, its absence means nothing: no load balancer is opened to the world because of a typing mistake.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from lbcontroller.annotations.class_params import OVERRIDES, TAGS
from lbcontroller.annotations.declare import declarations
from lbcontroller.annotations.ingress import IngressAnnotations
from lbcontroller.build.ingress_groups import GroupMember
from lbcontroller.build.result import BuildContext
from lbcontroller.errors import Problem
from lbcontroller.model.fields import Tags
from lbcontroller.model.identity import TRACKING_KEYS

_OF_CLASSES: Final = frozenset({*OVERRIDES, TAGS})
SOURCES: Final = frozenset({"inbound_cidrs", "security_group_prefix_lists"})
"""Fields that say who may connect."""
_FRONTEND: Final = "frontend_nlb"


def unsure_fields(member: GroupMember, problems: Iterable[Problem], *, misread: bool) -> frozenset[str]:
    """Return the fields of which a member may have said something.

    Args:
        member: of the group.
        problems: what is wrong with the member.
        misread: whether the parameters of its class cannot be understood.
    """
    keys = tuple(problem.field for problem in problems)
    malformed = frozenset(
        one.field
        for one in declarations(IngressAnnotations)
        if any(key == one.name or key.startswith(f"{one.name}.") for key in keys)
    )
    return malformed | _OF_CLASSES if misread or member.class_is_unclear else malformed


def is_about_frontend(fields: Collection[str]) -> bool:
    """Return whether fields are among those that say something of the network load balancer in front."""
    return any(_FRONTEND in field for field in fields)


def kept_tags(present: Tags, context: BuildContext) -> Tags:
    """Return the tags of a resource that somebody may have asked for."""
    settings = context.settings
    others = {*TRACKING_KEYS, *settings.external_managed_tags, *settings.default_tags}
    return {
        key: value
        for key, value in present.items()
        if key not in others and not key.startswith(("aws:", "kubernetes.io/", "elbv2.k8s.aws/"))
    }
