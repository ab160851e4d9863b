"""What members of a group had in AWS, while their present wishes cannot be understood or fulfilled.

A rule is a held member's when it sends to one of its target groups; a rule that sends to none, when no other
member wants the same requests and the member's manifest names its host.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from lbcontroller.build.frontend_nlb import FRONTEND_LISTENER, FRONTEND_NLB, FRONTEND_TARGET_GROUP
from lbcontroller.build.ingress_rules import MemberRule
from lbcontroller.build.load_balancer import LOAD_BALANCER
from lbcontroller.build.security_groups import MANAGED_SECURITY_GROUP_ID
from lbcontroller.cluster.ingress import Ingress
from lbcontroller.config.listener import ActionConfig, ForwardConfig, RuleConfig, WeightedTarget
from lbcontroller.keys import ObjectName
from lbcontroller.model.actions import Action, ForwardAction
from lbcontroller.model.fields import Mark, Tags
from lbcontroller.model.identity import TRACKING_KEYS
from lbcontroller.model.ids import Arn, CertificateArn
from lbcontroller.model.ingress_rules import IngressRule
from lbcontroller.model.inventory import ExistingRules
from lbcontroller.model.references import Kind, ResourceId
from lbcontroller.model.resources import ListenerRule
from lbcontroller.model.rule_conditions import Condition, HostCondition


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldMembers:
    """The members of a group that keep what they had, and what there is."""

    ingresses: tuple[Ingress, ...]
    """In the order of the group."""
    existing: ExistingRules
    taken: frozenset[str]
    """Names of the target groups that the other members want."""

    def rules(self, port: int, wanted: Sequence[MemberRule]) -> tuple[MemberRule, ...]:
        """Return the rules that held members have in the listener of a port.

        Args:
            port: of the listener.
            wanted: the rules that the other members want there.
        """
        asked_for = {frozenset(item.rule.conditions) for item in wanted}
        return tuple(
            MemberRule(rule=_as_wanted(rule), member=owner, where="")
            for rule in self.existing.rules.get(port, ())
            if (owner := self._owner(rule, asked_for)) is not None
        )

    def default_actions(self, port: int) -> tuple[ActionConfig, ...]:
        """Return what the listener does with what no rule is for, if that may be a held member's wish."""
        if not any(ingress.default_backend is not None for ingress in self.ingresses):
            return ()
        return _actions(self.existing.default_actions.get(port, ()))

    def certificates(self, port: int) -> tuple[CertificateArn, ...]:
        """Return the certificates of a listener, of which some may be a held member's."""
        return self.existing.certificates.get(port, ()) if self.ingresses else ()

    def inbound(self, ports: Collection[int]) -> frozenset[IngressRule]:
        """Return the rules of the managed security group for ports that only held members may want."""
        return frozenset(rule for rule in self.existing.inbound if rule.from_port in ports)

    def retained(self, ports: Collection[int]) -> Iterator[ResourceId]:
        """Yield what stays as it is.

        These are the target groups of held members with their bindings, and the listeners of `ports`, which
        only held members may want, with all rules that are no other member's.
        """
        if not self.ingresses:
            return
        for name in self.existing.target_groups.values():
            if self._owner_of_target_group(name) is not None:
                yield ResourceId(Kind.TARGET_GROUP, name)
                yield ResourceId(Kind.TARGET_GROUP_BINDING, name)
        for port in ports:
            yield ResourceId(Kind.LISTENER, str(port))
            for rule in self.existing.rules.get(port, ()):
                names = list(self._names_of_targets(rule))
                if not names or any(self._owner_of_target_group(name) is not None for name in names):
                    yield rule.id

    def retained_load_balancers(self) -> Iterator[ResourceId]:
        """Yield the load balancers of the group, with what belongs to nobody in particular."""
        yield ResourceId(Kind.LOAD_BALANCER, LOAD_BALANCER)
        yield MANAGED_SECURITY_GROUP_ID
        yield from self.retained_frontend()

    def retained_frontend(self) -> Iterator[ResourceId]:
        """Yield the load balancer before the group's, with its listeners, target groups and targets."""
        yield ResourceId(Kind.LOAD_BALANCER, FRONTEND_NLB)
        for name in self.existing.target_groups.values():
            if name.startswith(FRONTEND_TARGET_GROUP):
                port = name.removeprefix(FRONTEND_TARGET_GROUP)
                yield ResourceId(Kind.TARGET_GROUP, name)
                yield ResourceId(Kind.LOAD_BALANCER_TARGET, name)
                yield ResourceId(Kind.LISTENER, f"{FRONTEND_LISTENER}{port}")

    def _owner(self, rule: ListenerRule, asked_for: Collection[frozenset[Condition]]) -> ObjectName | None:
        names = list(self._names_of_targets(rule))
        if names:
            return next((owner for name in names if (owner := self._owner_of_target_group(name))), None)
        if frozenset(rule.conditions) in asked_for:
            return None
        hosts = {host.lower() for host in _hosts(rule.conditions)}
        return next((ingress.meta.name for ingress in self.ingresses if _names_host(ingress, hosts)), None)

    def _names_of_targets(self, rule: ListenerRule) -> Iterator[str]:
        for target in _targets(rule):
            if (name := self.existing.target_groups.get(Arn(target))) is not None:
                yield name

    def _owner_of_target_group(self, name: str) -> ObjectName | None:
        """Return the held member that a target group is made for."""
        if name in self.taken:
            return None
        return owner_of_target_group(name, (ingress.meta.name for ingress in self.ingresses))


def owner_of_target_group(name: str, members: Iterable[ObjectName]) -> ObjectName | None:
    """Return the member whose target group is called `namespace/ingress-service:port`.

    Names have hyphens, so that one member's name may begin with another's: the longest one counts.
    """
    owners = [member for member in members if name.startswith(f"{member}-")]
    return max(owners, key=lambda owner: len(owner.name), default=None)


def _names_host(ingress: Ingress, hosts: AbstractSet[str]) -> bool:
    if not hosts:
        return any(not rule.host for rule in ingress.rules)
    return not hosts.isdisjoint(host.lower() for host in ingress.hosts)


def _targets(rule: ListenerRule) -> Iterator[str]:
    for action in rule.actions:
        if isinstance(action, ForwardAction):
            for weighted in action.target_groups:
                if isinstance(weighted.target_group, str):
                    yield weighted.target_group


def _hosts(conditions: Iterable[Condition]) -> Iterator[str]:
    for condition in conditions:
        if isinstance(condition, HostCondition):
            yield from (*condition.values, *condition.regexes)


def _as_wanted(rule: ListenerRule) -> RuleConfig:
    return RuleConfig(
        conditions=rule.conditions,
        actions=_actions(rule.actions),
        transforms=rule.transforms,
        tags=_user_tags(rule),
    )


def _actions(actions: Iterable[Action]) -> tuple[ActionConfig, ...]:
    return tuple(
        ForwardConfig(
            targets=tuple(
                WeightedTarget(target_group=weighted.target_group, weight=weighted.weight)
                for weighted in action.target_groups
            ),
            stickiness=action.stickiness_enabled,
            stickiness_seconds=action.stickiness_seconds,
        )
        if isinstance(action, ForwardAction)
        else action
        for action in actions
    )


def _user_tags(rule: ListenerRule) -> Tags:
    return {
        key: value
        for key, value in (rule.tags.items() if not isinstance(rule.tags, Mark) else ())
        if key not in TRACKING_KEYS
    }
