"""The bulk read: everything of this cluster in AWS, in as few calls as AWS allows."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from lbcontroller.aws.bulk_sources import ExactSource, MapInOrder, QuickSource, Source
from lbcontroller.aws.caller import AwsCaller
from lbcontroller.aws.listener_reading import ListenerReader
from lbcontroller.aws.load_balancer_targets import read_registration
from lbcontroller.aws.load_balancer_wire import decode_load_balancer, seen_again
from lbcontroller.aws.mirror import Mirror
from lbcontroller.aws.mirror_index import Entry
from lbcontroller.aws.operations import (
    DESCRIBE_ALL_SECURITY_GROUPS,
    DESCRIBE_LOAD_BALANCERS,
    DESCRIBE_TARGET_GROUPS,
)
from lbcontroller.aws.requested_certificates import RequestedCertificateReader
from lbcontroller.aws.rule_reading import RuleReader
from lbcontroller.aws.security_groups import decode_security_group
from lbcontroller.aws.tagged_certificates import CertificateReader
from lbcontroller.aws.target_groups import decode_target_group
from lbcontroller.aws.wire import decode_tags
from lbcontroller.errors import Denied
from lbcontroller.model.enums import LoadBalancerType, TargetType
from lbcontroller.model.fields import Tags
from lbcontroller.model.identity import CLUSTER_TAG, StackId, TagFamily, Tracked, identify
from lbcontroller.model.ids import Arn, VpcId
from lbcontroller.model.observed import (
    ObservedListener,
    ObservedListenerRule,
    ObservedLoadBalancer,
    ObservedTargetGroup,
)
from lbcontroller.model.references import Kind, ResourceId
from lbcontroller.telemetry.logs import event

LOGGER: Final = logging.getLogger(__name__)
PARALLEL_READS: Final = 8
"""Calls at a time: more gain nothing, and the connection pool keeps room for the workers."""
FAMILIES: Final = frozenset({TagFamily.SERVICE, TagFamily.INGRESS, TagFamily.SHARED})
"""Stacks that are read: those that a front end builds."""

Answer: TypeAlias = Mapping[str, Any]
Found: TypeAlias = dict[Arn, Entry]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loader:
    """Fills the mirror, at the start and again for the drift sweep."""

    caller: AwsCaller
    mirror: Mirror
    cluster: str
    """The name in the tags of what is ours."""
    vpc_id: VpcId
    listeners_are_tagged: bool = True
    """Whether a listener or rule without our tags is somebody else's."""
    certificates_wanted: Callable[[], bool] = lambda: True
    """Whether any certificate of ours may exist; without Ingresses none does."""
    requests_certificates: bool = False
    """Whether certificates are requested: those that LBC requested are ours only then."""
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    strangers: set[Arn] = field(default_factory=set)
    """Load balancers and target groups of the VPC that were not ours when their tags were last read."""
    denied: set[str] = field(default_factory=set)
    """Permissions that are missing, and were told."""

    def load(self) -> frozenset[StackId]:
        """Read everything exactly and return the stacks in which anything differs from what the mirror had.

        Facts that cost a call for each resource are kept where they were known; `Observer` reads them when
        they matter, and `Mirror.doubt` makes it do so again.

        Raises:
            LbControllerError: as `AwsCaller.call` does; the mirror is then as it was.
        """
        with self.mirror.reading() as reading, ThreadPoolExecutor(PARALLEL_READS, "aws-load") as pool:
            found = self._found(self._exact(pool.map), pool.map)
            return self.mirror.replace_all(reading, found)

    def survey(self) -> frozenset[StackId]:
        """Read everything in as few calls as AWS allows; return the stacks in which anything differs.

        Stacks seen for the first time are only partly read by that: `complete` reads the rest of one.

        Raises:
            LbControllerError: as `AwsCaller.call` does; the mirror is then as it was.
        """
        if not self.listeners_are_tagged:
            return self.load()
        with self.mirror.reading() as reading, ThreadPoolExecutor(PARALLEL_READS, "aws-load") as pool:
            try:
                source = QuickSource.open(self._exact(pool.map), self.mirror, self.cluster, self.strangers)
            except Denied as error:
                if error.action not in self.denied:
                    event(LOGGER, logging.WARNING, "tags_not_listed", action=error.action, error=error)
                self.denied.add(error.action)
            else:
                found = self._found(source, pool.map)
                return self.mirror.replace_all(reading, found, whole=False)
        return self.load()

    def paced(self, before_call: Callable[[], None]) -> Loader:
        """Return a loader for the same mirror whose every call waits for `before_call`."""
        return replace(self, caller=self.caller.paced(before_call))

    def complete(self, stack: StackId) -> bool:
        """Read the tags, listeners and rules of one stack exactly; return whether anything differs.

        Raises:
            LbControllerError: as `AwsCaller.call` does; the mirror is then as it was.
        """
        with self.mirror.reading() as reading:
            source = self._exact(map)
            observed = self.mirror.observed(stack)
            tagged = [
                item for item in observed if isinstance(item, ObservedLoadBalancer | ObservedTargetGroup)
            ]
            own = frozenset(item.arn for item in tagged if isinstance(item, ObservedLoadBalancer))
            tags = source.tags([item.arn for item in tagged])
            found: Found = {
                item.arn: Entry(stack=stack, observed=_again(item, tags[item.arn], own))
                for item in tagged
                if item.arn in tags and self._is_of(stack, tags[item.arn])
            }
            found |= self._parts(source, {arn: entry for arn, entry in found.items() if arn in own})
            read = ObservedLoadBalancer | ObservedTargetGroup | ObservedListener | ObservedListenerRule
            instead_of = [item.arn for item in observed if isinstance(item, read)]
            return self.mirror.take_over(reading, stack, found, instead_of=instead_of)

    def _exact(self, map_in_order: MapInOrder) -> ExactSource:
        return ExactSource(
            caller=self.caller,
            listener_reader=self._listener_reader(),
            rule_reader=self._rule_reader(),
            map_in_order=map_in_order,
        )

    def _listener_reader(self) -> ListenerReader:
        return ListenerReader(
            caller=self.caller,
            mirror=self.mirror,
            cluster=self.cluster,
            listeners_are_tagged=self.listeners_are_tagged,
        )

    def _rule_reader(self) -> RuleReader:
        return RuleReader(
            caller=self.caller,
            mirror=self.mirror,
            cluster=self.cluster,
            rules_are_tagged=self.listeners_are_tagged,
        )

    def _found(self, source: Source, map_in_order: MapInOrder) -> Found:
        load_balancers = self._in_vpc(
            page["LoadBalancers"] for page in self.caller.pages(DESCRIBE_LOAD_BALANCERS)
        )
        target_groups = self._in_vpc(
            page["TargetGroups"] for page in self.caller.pages(DESCRIBE_TARGET_GROUPS)
        )
        arns = [
            *(Arn(answer["LoadBalancerArn"]) for answer in load_balancers),
            *(Arn(answer["TargetGroupArn"]) for answer in target_groups),
        ]
        tags = source.tags(arns)
        self._note_strangers(arns, tags)
        found: Found = dict(self._security_groups())
        own = dict(self._load_balancers(load_balancers, tags))
        found |= own
        found |= self._target_groups(target_groups, tags, own.keys())
        parts = self._parts(source, own)
        found |= parts
        found |= self._registrations(map_in_order, found, parts)
        found |= self._certificates()
        return found

    def _note_strangers(self, arns: Iterable[Arn], tags: Mapping[Arn, Tags]) -> None:
        """Remember what is not ours: `survey` asks about it once."""
        self.strangers.clear()
        self.strangers.update(arn for arn in arns if self._tracked(tags.get(arn, {})) is None)

    def _in_vpc(self, pages: Iterable[Sequence[Answer]]) -> list[Answer]:
        return [answer for page in pages for answer in page if answer.get("VpcId") == self.vpc_id]

    def _tracked(self, tags: Tags) -> Tracked | None:
        tracked = identify(self.cluster, tags)
        return tracked if tracked is not None and tracked.stack.family in FAMILIES else None

    def _security_groups(self) -> Iterator[tuple[Arn, Entry]]:
        filters = [
            {"Name": "vpc-id", "Values": [self.vpc_id]},
            {"Name": f"tag:{CLUSTER_TAG}", "Values": [self.cluster]},
        ]
        for page in self.caller.pages(DESCRIBE_ALL_SECURITY_GROUPS, Filters=filters):
            for answer in page["SecurityGroups"]:
                tracked = self._tracked(decode_tags(answer.get("Tags", ())))
                if tracked is not None:
                    id_ = ResourceId(Kind.SECURITY_GROUP, tracked.resource)
                    observed = decode_security_group(answer, id_)
                    yield observed.arn, Entry(stack=tracked.stack, observed=observed)

    def _load_balancers(
        self, answers: Iterable[Answer], tags: Mapping[Arn, Tags]
    ) -> Iterator[tuple[Arn, Entry]]:
        for answer in answers:
            arn = Arn(answer["LoadBalancerArn"])
            tracked = self._tracked(tags.get(arn, {}))
            if tracked is None:
                continue
            id_ = ResourceId(Kind.LOAD_BALANCER, tracked.resource)
            observed = decode_load_balancer(answer, id_, tags[arn])
            before = self.mirror.find(arn)
            if isinstance(before, ObservedLoadBalancer):
                observed = seen_again(observed, before, self.now())
            yield arn, Entry(stack=tracked.stack, observed=observed)

    def _target_groups(
        self, answers: Iterable[Answer], tags: Mapping[Arn, Tags], own: Iterable[Arn]
    ) -> Iterator[tuple[Arn, Entry]]:
        load_balancers = frozenset(own)
        for answer in answers:
            arn = Arn(answer["TargetGroupArn"])
            tracked = self._tracked(tags.get(arn, {}))
            if tracked is None:
                continue
            id_ = ResourceId(Kind.TARGET_GROUP, tracked.resource)
            observed = decode_target_group(answer, id_, tags[arn])
            # Which of our own load balancers use it the mirror knows from their listeners.
            observed = replace(observed, load_balancers=observed.load_balancers - load_balancers)
            before = self.mirror.find(arn)
            if isinstance(before, ObservedTargetGroup):
                resource = replace(observed.resource, attributes=before.resource.attributes)
                observed = replace(observed, resource=resource)
            yield arn, Entry(stack=tracked.stack, observed=observed)

    def _parts(self, source: Source, load_balancers: Found) -> Found:
        """Return the listeners of load balancers, and the rules of those."""
        listeners = dict(self._listeners(source, load_balancers))
        return {**listeners, **dict(self._rules(source, _with_rules(load_balancers, listeners)))}

    def _listeners(self, source: Source, load_balancers: Found) -> Iterator[tuple[Arn, Entry]]:
        answers = source.listeners(load_balancers)
        arns = [Arn(answer["ListenerArn"]) for part in answers.values() for answer in part]
        tags = source.tags(arns) if self.listeners_are_tagged else {}
        reader = self._listener_reader()
        for load_balancer, entry in load_balancers.items():
            for answer in answers[load_balancer]:
                observed = reader.decode(answer, entry.stack, tags.get(answer["ListenerArn"], {}))
                yield observed.arn, Entry(stack=entry.stack, observed=observed)

    def _rules(self, source: Source, listeners: Found) -> Iterator[tuple[Arn, Entry]]:
        answers = source.rules(listeners)
        arns = [Arn(answer["RuleArn"]) for part in answers.values() for answer in part]
        tags = source.tags(arns) if self.listeners_are_tagged else {}
        reader = self._rule_reader()
        for listener, entry in listeners.items():
            place = (listener, _port_of(entry))
            for answer in answers[listener]:
                observed = reader.decode(answer, place, entry.stack, tags.get(answer["RuleArn"], {}))
                yield observed.arn, Entry(stack=entry.stack, observed=observed)

    def _registrations(
        self, map_in_order: MapInOrder, found: Found, parts: Found
    ) -> Iterator[tuple[Arn, Entry]]:
        """Yield the load balancers that are registered in target groups for them."""
        known = [item.observed for item in parts.values() if isinstance(item.observed, ObservedListener)]
        groups = [
            (entry.stack, entry.observed)
            for entry in found.values()
            if isinstance(entry.observed, ObservedTargetGroup)
            and entry.observed.resource.target_type is TargetType.ALB
        ]
        read = map_in_order(lambda item: read_registration(self.caller, item[1], known), groups)
        for (stack, _), observed in zip(groups, read, strict=True):
            if observed is not None:
                yield observed.arn, Entry(stack=stack, observed=observed)

    def _certificates(self) -> Iterator[tuple[Arn, Entry]]:
        if not self.certificates_wanted():
            return
        reader = CertificateReader(caller=self.caller, mirror=self.mirror, cluster=self.cluster)
        requests = RequestedCertificateReader(caller=self.caller, mirror=self.mirror, cluster=self.cluster)
        try:
            tagged = reader.tagged()
            imported = reader.read(tagged)
            requested = requests.read(tagged) if self.requests_certificates else {}
        except Denied as error:
            # Who may not read them has not imported or requested any either.
            event(LOGGER, logging.DEBUG, "certificates_not_read", error=error)
            return
        for arn, (tracked, certificate) in imported.items():
            yield arn, Entry(stack=tracked.stack, observed=certificate)
        for arn, (tracked, request) in requested.items():
            yield arn, Entry(stack=tracked.stack, observed=request)

    def _is_of(self, stack: StackId, tags: Tags) -> bool:
        tracked = self._tracked(tags)
        return tracked is not None and tracked.stack == stack


def _again(
    observed: ObservedLoadBalancer | ObservedTargetGroup, tags: Tags, own: frozenset[Arn]
) -> ObservedLoadBalancer | ObservedTargetGroup:
    """Return what the mirror has with the tags that were read."""
    if isinstance(observed, ObservedLoadBalancer):
        return replace(observed, resource=replace(observed.resource, tags=tags))
    return replace(
        observed,
        resource=replace(observed.resource, tags=tags),
        # Which of our own load balancers use it the mirror knows from their listeners.
        load_balancers=observed.load_balancers - own,
    )


def _with_rules(load_balancers: Found, listeners: Found) -> Found:
    """Return the listeners that may have rules: those of application load balancers."""
    applications = {
        arn
        for arn, entry in load_balancers.items()
        if isinstance(entry.observed, ObservedLoadBalancer)
        and entry.observed.resource.type is LoadBalancerType.APPLICATION
    }
    return {
        arn: entry
        for arn, entry in listeners.items()
        if isinstance(entry.observed, ObservedListener)
        and entry.observed.resource.load_balancer in applications
    }


def _port_of(entry: Entry) -> int:
    return entry.observed.resource.port if isinstance(entry.observed, ObservedListener) else 0
