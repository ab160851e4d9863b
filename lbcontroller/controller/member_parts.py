"""Which parts of a group's stack are for one of its members, and which for all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from lbcontroller.build.held_members import owner_of_target_group
from lbcontroller.build.ingress_groups import GroupMember
from lbcontroller.keys import ObjectName
from lbcontroller.model.actions import ForwardAction
from lbcontroller.model.references import Ref
from lbcontroller.model.resources import ListenerRule, TargetGroup, TargetGroupBinding
from lbcontroller.model.rule_conditions import HostCondition
from lbcontroller.plan.steps import ForwardStep, Reorder


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """For whom in a group something is not there yet."""

    members: frozenset[ObjectName]
    """Those who wait for what is made for them alone."""
    is_for_all: bool
    """Whether something waits that they share."""

    @classmethod
    def of(cls, steps: Iterable[ForwardStep], members: Sequence[GroupMember]) -> Waiting:
        """Find out for whom the steps are that wait."""
        behind = [
            None if isinstance(step, Reorder) else member_behind(step.resource, members) for step in steps
        ]
        return cls(
            members=frozenset(member.name for member in behind if member is not None),
            is_for_all=None in behind,
        )

    def has_all(self, member: ObjectName) -> bool:
        """Return whether nothing waits that a member asks for."""
        return not self.is_for_all and member not in self.members


def member_behind(resource: object, members: Sequence[GroupMember]) -> GroupMember | None:
    """Return the only member that a resource is made for; None when that cannot be told."""
    match resource:
        case TargetGroup(id=id_) | TargetGroupBinding(id=id_):
            return _owner(id_.name, members)
        case ListenerRule():
            owners = {owner.name: owner for owner in _owners_of_rule(resource, members)}
            return next(iter(owners.values())) if len(owners) == 1 else None
        case _:
            return None


def _owners_of_rule(rule: ListenerRule, members: Sequence[GroupMember]) -> Iterator[GroupMember]:
    """Yield the members whose target groups a rule sends to; if it sends to none, those of its hosts."""
    names = [
        weighted.target_group.to.name
        for action in rule.actions
        if isinstance(action, ForwardAction)
        for weighted in action.target_groups
        if isinstance(weighted.target_group, Ref)
    ]
    if names:
        yield from (owner for name in names if (owner := _owner(name, members)) is not None)
        return
    hosts = {
        host
        for condition in rule.conditions
        if isinstance(condition, HostCondition)
        for host in condition.values
    }
    yield from (member for member in members if not hosts.isdisjoint(member.ingress.hosts))


def _owner(name: str, members: Sequence[GroupMember]) -> GroupMember | None:
    by_name = {member.name: member for member in members}
    owner = owner_of_target_group(name, by_name)
    return None if owner is None else by_name[owner]
