"""The ELBv2 state of one account and region, with look-ups by ARN and an index of target group use."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import Any, cast

from moto.core.resource_tagging import TaggedResource
from moto.elbv2.exceptions import (
    ListenerNotFoundError,
    LoadBalancerNotFoundError,
    RuleNotFoundError,
    TargetGroupNotFoundError,
)
from moto.elbv2.models import ELBv2Backend, FakeAction, FakeRule
from moto.elbv2.responses import ELBV2Response

from lbcontroller.local.aws.strict.resources import (
    StrictListener,
    StrictLoadBalancer,
    StrictRule,
    StrictTargetGroup,
    forwarded_to,
)


class TargetGroupUsage:
    """Which load balancers forward to which target groups, counted per action.

    moto appends to a list that only ever grows; computing the set from all rules on every read makes a full
    DescribeTargetGroups quadratic. Every change of actions goes through `attach` and `detach` instead.
    """

    def __init__(self) -> None:
        self._by_target_group: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._by_load_balancer: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def attach(self, load_balancer_arn: str, actions: Iterable[FakeAction]) -> None:
        """Count the actions of a rule or listener that now exists."""
        for arn in forwarded_to(actions):
            self._by_target_group[arn][load_balancer_arn] += 1
            self._by_load_balancer[load_balancer_arn][arn] += 1

    def detach(self, load_balancer_arn: str, actions: Iterable[FakeAction]) -> None:
        """Take back what `attach` counted for the same actions."""
        for arn in forwarded_to(actions):
            for index, key, user in (
                (self._by_target_group, arn, load_balancer_arn),
                (self._by_load_balancer, load_balancer_arn, arn),
            ):
                index[key][user] -= 1
                if not index[key][user]:
                    del index[key][user]
                if not index[key]:
                    del index[key]

    def load_balancers_of(self, target_group_arn: str) -> list[str]:
        """ARNs of the load balancers that forward to the target group."""
        return list(self._by_target_group.get(target_group_arn, ()))

    def target_groups_of(self, load_balancer_arn: str) -> list[str]:
        """ARNs of the target groups the load balancer forwards to."""
        return list(self._by_load_balancer.get(load_balancer_arn, ()))


class StrictBackend(ELBv2Backend):
    """moto's store with the strict resource classes in it."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.usage = TargetGroupUsage()
        self.trust_stores: dict[str, dict[str, Any]] = {}

    def leading_to(self, load_balancer_arn: str, *, port: int | None = None) -> list[StrictTargetGroup]:
        """Target groups in which the load balancer is registered, on any port or on one."""
        return [
            cast(StrictTargetGroup, group)
            for group in self.target_groups.values()
            if any(
                target == load_balancer_arn and port in {None, registered}
                for target, registered in cast(StrictTargetGroup, group).registered
            )
        ]

    @property
    def _url_module(self) -> Any:
        # moto derives the module from the name of the backend's own module
        return import_module("moto.elbv2.urls")

    def load_balancer(self, arn: str) -> StrictLoadBalancer:
        """The load balancer, or LoadBalancerNotFound."""
        found = self.load_balancers.get(arn)
        if found is None:
            raise LoadBalancerNotFoundError
        return cast(StrictLoadBalancer, found)

    def listener(self, arn: str) -> tuple[StrictLoadBalancer, StrictListener]:
        """The listener and its load balancer, or ListenerNotFound."""
        owner = self.load_balancers.get(arn.replace(":listener/", ":loadbalancer/").rsplit("/", 1)[0])
        found = owner.listeners.get(arn) if owner else None
        if owner is None or found is None:
            raise ListenerNotFoundError
        return cast(StrictLoadBalancer, owner), cast(StrictListener, found)

    def rule(self, arn: str) -> tuple[StrictLoadBalancer, StrictListener, StrictRule | FakeRule]:
        """The rule (a default rule too) with its listener and load balancer, or RuleNotFound."""
        missing = RuleNotFoundError("One or more rules not found")
        try:
            owner, listener = self.listener(arn.replace(":listener-rule/", ":listener/").rsplit("/", 1)[0])
        except ListenerNotFoundError:
            raise missing from None
        if listener.default_rule.arn == arn:
            return owner, listener, listener.default_rule
        found = listener.numbered_rules.get(arn)
        if found is None:
            raise missing
        return owner, listener, found

    def target_group(self, arn: str) -> StrictTargetGroup:
        """The target group, or TargetGroupNotFound."""
        found = self.target_groups.get(arn)
        if found is None:
            raise TargetGroupNotFoundError
        return cast(StrictTargetGroup, found)

    def resource(self, arn: str) -> object:
        """Whatever taggable resource the ARN names, or its kind's NotFound error."""
        if ":listener-rule/" in arn:
            return self.rule(arn)[2]
        if ":listener/" in arn:
            return self.listener(arn)[1]
        if ":targetgroup/" in arn:
            return self.target_group(arn)
        return self.load_balancer(arn)

    def _get_resource_by_arn(self, arn: str) -> Any:
        return self.resource(arn)

    def has_certificate(self, arn: str) -> bool:
        """Whether ACM or IAM knows the certificate."""
        return self._certificate_exists(arn)

    def forget_tags(self, arns: Iterable[str]) -> None:
        """Drop the tags of deleted resources; moto keeps them for ever."""
        for arn in arns:
            self.tagging_service.delete_all_tags_for_resource(arn)

    def iter_tagged_resources(self) -> Iterator[TaggedResource]:
        """Every ELBv2 resource for the tagging API, typed as in its ARN (`…:loadbalancer/app`)."""
        for load_balancer in self.load_balancers.values():
            yield self._tagged(load_balancer.arn, load_balancer.arn)
            for listener in load_balancer.listeners.values():
                yield self._tagged(listener.arn, load_balancer.arn)
                for rule in listener.rules.values():
                    yield self._tagged(rule.arn, load_balancer.arn)
        for arn in self.target_groups:
            yield TaggedResource(
                arn=arn,
                tags=self.tagging_service.get_tag_dict_for_resource(arn),
                resource_type="elasticloadbalancing:targetgroup",
            )

    def _tagged(self, arn: str, load_balancer_arn: str) -> TaggedResource:
        kind = arn.split(":", 5)[5].split("/", 1)[0]
        family = load_balancer_arn.split("/", 2)[1]
        return TaggedResource(
            arn=arn,
            tags=self.tagging_service.get_tag_dict_for_resource(arn),
            resource_type=f"elasticloadbalancing:{kind}/{family}",
        )


class StrictCalls(ELBV2Response):
    """Base of the groups of API calls; the store behind them is the strict one."""

    @property
    def elbv2_backend(self) -> StrictBackend:
        """The account and region of this request."""
        return cast(StrictBackend, super().elbv2_backend)
