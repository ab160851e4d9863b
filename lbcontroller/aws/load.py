"""The bulk read: everything of this cluster in AWS, in as few calls as AWS allows."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from lbcontroller.aws.action_wire import with_secrets
from lbcontroller.aws.caller import AwsCaller
from lbcontroller.aws.errors import is_not_found
from lbcontroller.aws.listener_wire import decode_listener, default_certificate
from lbcontroller.aws.load_balancer_targets import read_registration
from lbcontroller.aws.load_balancer_wire import decode_load_balancer, seen_again
from lbcontroller.aws.mirror import Entry, Mirror
from lbcontroller.aws.operations import (
    DESCRIBE_ALL_SECURITY_GROUPS,
    DESCRIBE_LISTENERS,
    DESCRIBE_LOAD_BALANCERS,
    DESCRIBE_TARGET_GROUPS,
)
from lbcontroller.aws.rule_reading import RuleReader
from lbcontroller.aws.security_groups import decode_security_group
from lbcontroller.aws.tagged_certificates import CertificateReader
from lbcontroller.aws.tagging import TAG_BATCH, read_tags
from lbcontroller.aws.target_groups import decode_target_group
from lbcontroller.aws.wire import decode_tags
from lbcontroller.errors import Denied, NotReady
from lbcontroller.model.enums import LoadBalancerType, TargetType
from lbcontroller.model.fields import UNKNOWN, Tags
from lbcontroller.model.identity import CLUSTER_TAG, StackId, TagFamily, Tracked, identify
from lbcontroller.model.ids import Arn, VpcId
from lbcontroller.model.observed import ObservedListener, ObservedLoadBalancer, ObservedTargetGroup
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
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def load(self) -> frozenset[StackId]:
        """Read everything and return the stacks in which anything differs from what the mirror had.

        Facts that cost a call for each resource are kept where they were known; `Observer` reads them when
        they matter, and `Mirror.doubt` makes it do so again.

        Raises:
            LbControllerError: as `AwsCaller.call` does; the mirror is then as it was.
        """
        with self.mirror.reading() as reading, ThreadPoolExecutor(PARALLEL_READS, "aws-load") as pool:
            load_balancers = self._in_vpc(
                page["LoadBalancers"] for page in self.caller.pages(DESCRIBE_LOAD_BALANCERS)
            )
            target_groups = self._in_vpc(
                page["TargetGroups"] for page in self.caller.pages(DESCRIBE_TARGET_GROUPS)
            )
            tags = self._tags(
                pool,
                [
                    *(answer["LoadBalancerArn"] for answer in load_balancers),
                    *(answer["TargetGroupArn"] for answer in target_groups),
                ],
            )
            found: Found = dict(self._security_groups())
            own = dict(self._load_balancers(load_balancers, tags))
            found |= own
            found |= self._target_groups(target_groups, tags, own.keys())
            listeners = dict(self._listeners(pool, own))
            found |= listeners
            found |= self._rules(pool, _with_rules(own, listeners))
            found |= self._registrations(pool, found, listeners)
            found |= self._certificates()
            return self.mirror.replace_all(reading, found)

    def _in_vpc(self, pages: Iterable[Sequence[Answer]]) -> list[Answer]:
        return [answer for page in pages for answer in page if answer.get("VpcId") == self.vpc_id]

    def _tags(self, pool: Executor, arns: Sequence[Arn]) -> Mapping[Arn, Tags]:
        batches = [arns[start : start + TAG_BATCH] for start in range(0, len(arns), TAG_BATCH)]
        read = pool.map(lambda batch: read_tags(self.caller, batch), batches)
        return {arn: tags for batch in read for arn, tags in batch.items()}

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

    def _listeners(self, pool: Executor, load_balancers: Mapping[Arn, Entry]) -> Iterator[tuple[Arn, Entry]]:
        answers = [answer for part in pool.map(self._listeners_of, load_balancers) for answer in part]
        arns = [Arn(answer["ListenerArn"]) for answer in answers]
        tags = self._tags(pool, arns) if self.listeners_are_tagged else {}
        for answer in answers:
            entry = load_balancers[answer["LoadBalancerArn"]]
            observed = self._decode_listener(answer, tags.get(answer["ListenerArn"], {}), entry.stack)
            yield observed.arn, Entry(stack=entry.stack, observed=observed)

    def _listeners_of(self, load_balancer: Arn) -> Sequence[Answer]:
        pages = self.caller.pages(DESCRIBE_LISTENERS, LoadBalancerArn=load_balancer)
        try:
            return [answer for page in pages for answer in page["Listeners"]]
        except NotReady as error:
            if is_not_found(error):
                # Deleted since it was listed; the next bulk read will miss it too.
                return []
            raise

    def _rules(self, pool: Executor, listeners: Mapping[Arn, Entry]) -> Iterator[tuple[Arn, Entry]]:
        reader = RuleReader(
            caller=self.caller,
            mirror=self.mirror,
            cluster=self.cluster,
            rules_are_tagged=self.listeners_are_tagged,
        )
        answers = dict(zip(listeners, pool.map(reader.answers, listeners), strict=True))
        arns = [Arn(answer["RuleArn"]) for part in answers.values() for answer in part]
        tags = self._tags(pool, arns) if self.listeners_are_tagged else {}
        for listener, entry in listeners.items():
            place = (listener, _port_of(entry))
            for answer in answers[listener]:
                observed = reader.decode(answer, place, entry.stack, tags.get(answer["RuleArn"], {}))
                yield observed.arn, Entry(stack=entry.stack, observed=observed)

    def _registrations(self, pool: Executor, found: Found, listeners: Found) -> Iterator[tuple[Arn, Entry]]:
        """Yield the load balancers that are registered in target groups for them."""
        known = [item.observed for item in listeners.values() if isinstance(item.observed, ObservedListener)]
        groups = [
            (entry.stack, entry.observed)
            for entry in found.values()
            if isinstance(entry.observed, ObservedTargetGroup)
            and entry.observed.resource.target_type is TargetType.ALB
        ]
        read = pool.map(lambda item: read_registration(self.caller, item[1], known), groups)
        for (stack, _), observed in zip(groups, read, strict=True):
            if observed is not None:
                yield observed.arn, Entry(stack=stack, observed=observed)

    def _certificates(self) -> Iterator[tuple[Arn, Entry]]:
        if not self.certificates_wanted():
            return
        reader = CertificateReader(caller=self.caller, mirror=self.mirror, cluster=self.cluster)
        try:
            found = reader.read()
        except Denied as error:
            # Who may not read them has not imported any either.
            event(LOGGER, logging.DEBUG, "certificates_not_read", error=error)
            return
        for arn, (tracked, observed) in found.items():
            yield arn, Entry(stack=tracked.stack, observed=observed)

    def _decode_listener(self, answer: Answer, tags: Tags, stack: StackId) -> ObservedListener:
        tracked = self._tracked(tags)
        name = tracked.resource if tracked is not None and tracked.stack == stack else None
        if not self.listeners_are_tagged:
            name = str(answer["Port"])
        id_ = ResourceId(Kind.LISTENER, name) if name is not None else None
        observed = decode_listener(answer, id_, tags)
        before = self.mirror.find(observed.arn)
        if not isinstance(before, ObservedListener):
            return observed
        known = before.resource
        certificates = observed.resource.certificates
        if (
            certificates is UNKNOWN
            and isinstance(known.certificates, tuple)
            and known.certificates[:1] == (default_certificate(answer),)
        ):
            certificates = known.certificates
        resource = replace(
            observed.resource,
            attributes=known.attributes,
            certificates=certificates,
            default_actions=with_secrets(observed.resource.default_actions, known.default_actions),
        )
        return replace(observed, resource=resource)


def _with_rules(load_balancers: Mapping[Arn, Entry], listeners: Found) -> Found:
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
