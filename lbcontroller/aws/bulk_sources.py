"""Two ways to read the tags, listeners and rules of many load balancers: exactly, or in few calls.

| read      | exactly                          | in few calls                                       |
|-----------|----------------------------------|----------------------------------------------------|
| tags      | 20 resources in a call           | 100 in a call, from the tagging API                |
| listeners | one call for each load balancer  | those with our tags or known before, 20 in a call  |
| rules     | one call for each listener       | those with our tags or known before, 20 in a call  |

The tagging API learns of changes after a while and names only what has our tags. So the second way may miss
what somebody else made, and what was made a moment ago. It is never the last word on a stack: before one is
changed, its listeners and rules are read exactly.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from lbcontroller.aws.caller import AwsCaller
from lbcontroller.aws.errors import is_not_found
from lbcontroller.aws.listener_reading import ListenerReader, load_balancer_of
from lbcontroller.aws.mirror import Mirror
from lbcontroller.aws.operations import DESCRIBE_LISTENERS, DESCRIBE_RULES, Operation
from lbcontroller.aws.rule_reading import RuleReader, listener_of
from lbcontroller.aws.rule_wire import is_default
from lbcontroller.aws.tagging import TAG_BATCH, read_tagged, read_tags
from lbcontroller.errors import NotReady
from lbcontroller.model.fields import Tags
from lbcontroller.model.identity import CLUSTER_TAG, identify
from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import ObservedLoadBalancerTarget

ARN_BATCH: Final = 20
"""Most ARNs in one call; the ELBv2 API reference says so for load balancers and for tags, and for listeners
and rules it says nothing."""
_RESOURCE_TYPE: Final = "elasticloadbalancing"
"""Load balancers, target groups, listeners and rules, as the tagging API calls them."""

Answer = Mapping[str, Any]
MapInOrder = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]
"""The built-in `map`, or that of an executor."""


class Source(Protocol):
    """A way to read."""

    def tags(self, arns: Sequence[Arn]) -> Mapping[Arn, Tags]:
        """Return the tags of resources; those that are gone, or are known to be others', may be left out."""

    def listeners(self, load_balancers: Collection[Arn]) -> Mapping[Arn, Sequence[Answer]]:
        """Return the listeners of each load balancer."""

    def rules(self, listeners: Collection[Arn]) -> Mapping[Arn, Sequence[Answer]]:
        """Return the rules of each listener but the default one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactSource:
    """Misses nothing that AWS shows."""

    caller: AwsCaller
    listener_reader: ListenerReader
    rule_reader: RuleReader
    map_in_order: MapInOrder

    def tags(self, arns: Sequence[Arn]) -> Mapping[Arn, Tags]:
        """Return the tags of resources; those that are gone are left out."""
        read = self.map_in_order(lambda batch: read_tags(self.caller, batch), _batches(arns, TAG_BATCH))
        return {arn: tags for batch in read for arn, tags in batch.items()}

    def listeners(self, load_balancers: Collection[Arn]) -> Mapping[Arn, Sequence[Answer]]:
        """Return every listener of each load balancer."""
        answers = self.map_in_order(self.listener_reader.answers, load_balancers)
        return dict(zip(load_balancers, answers, strict=True))

    def rules(self, listeners: Collection[Arn]) -> Mapping[Arn, Sequence[Answer]]:
        """Return every rule of each listener but the default one."""
        answers = self.map_in_order(self.rule_reader.answers, listeners)
        return dict(zip(listeners, answers, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickSource:
    """Reads what has our tags or is in the mirror, and asks again about what contradicts the mirror."""

    exact: ExactSource
    mirror: Mirror
    cluster: str
    tagged: Mapping[Arn, Tags]
    """What the tagging API says has the tag of this cluster."""
    strangers: Collection[Arn]
    """Load balancers and target groups that are known not to be ours."""

    @classmethod
    def open(
        cls, exact: ExactSource, mirror: Mirror, cluster: str, strangers: Collection[Arn]
    ) -> QuickSource:
        """Ask the tagging API.

        Raises:
            Denied: the permission `tag:GetResources` is missing.
            LbControllerError: as `AwsCaller.call` does.
        """
        tagged = read_tagged(exact.caller, _RESOURCE_TYPE, [{"Key": CLUSTER_TAG, "Values": [cluster]}])
        return cls(exact=exact, mirror=mirror, cluster=cluster, tagged=tagged, strangers=strangers)

    def tags(self, arns: Sequence[Arn]) -> Mapping[Arn, Tags]:
        """Return the tags of resources that may be ours."""
        known = {arn: self._known(arn) for arn in arns}
        doubtful = [arn for arn in arns if self._is_doubtful(arn, known[arn])]
        asked = self.exact.tags(doubtful)
        certain = {
            arn: tags
            for arn in arns
            if arn not in asked and (tags := self.tagged.get(arn, known[arn])) is not None
        }
        return {**certain, **asked}

    def listeners(self, load_balancers: Collection[Arn]) -> Mapping[Arn, Sequence[Answer]]:
        """Return the listeners of each load balancer that have our tags or were there before."""
        arns = self._parts(load_balancers, self._tagged_parts(":listener/", load_balancer_of))
        answers = self._describe(DESCRIBE_LISTENERS, ("ListenerArns", "Listeners"), arns)
        return _grouped(load_balancers, answers, lambda answer: Arn(answer["LoadBalancerArn"]))

    def rules(self, listeners: Collection[Arn]) -> Mapping[Arn, Sequence[Answer]]:
        """Return the rules of each listener that have our tags or were there before."""
        arns = self._parts(listeners, self._tagged_parts(":listener-rule/", listener_of))
        answers = self._describe(DESCRIBE_RULES, ("RuleArns", "Rules"), arns)
        numbered = (answer for answer in answers if not is_default(answer))
        return _grouped(listeners, numbered, lambda answer: listener_of(Arn(answer["RuleArn"])))

    def _is_doubtful(self, arn: Arn, known: Tags | None) -> bool:
        listed = self.tagged.get(arn)
        if known is None:
            # Not seen before: it is as new as the tagging API may be late, unless it was asked about once.
            return listed is None and arn not in self.strangers
        if identify(self.cluster, known) is None and listed is None:
            return False
        return listed != known

    def _known(self, arn: Arn) -> Tags | None:
        observed = self.mirror.find(arn)
        if observed is None or isinstance(observed, ObservedLoadBalancerTarget):
            return None
        tags = observed.resource.tags
        return tags if isinstance(tags, Mapping) else None

    def _tagged_parts(self, mark: str, owner_of: Callable[[Arn], Arn]) -> Mapping[Arn, Sequence[Arn]]:
        parts: defaultdict[Arn, list[Arn]] = defaultdict(list)
        for arn in self.tagged:
            if mark in arn:
                parts[owner_of(arn)].append(arn)
        return parts

    def _parts(self, owners: Iterable[Arn], tagged: Mapping[Arn, Sequence[Arn]]) -> Sequence[Arn]:
        return [
            arn for owner in owners for arn in sorted({*tagged.get(owner, ()), *self.mirror.parts(owner)})
        ]

    def _describe(
        self, operation: Operation, members: tuple[str, str], arns: Sequence[Arn]
    ) -> Iterator[Answer]:
        parameter, answer = members
        read = self.exact.map_in_order(
            lambda batch: _describe(self.exact.caller, operation, parameter, batch), _batches(arns, ARN_BATCH)
        )
        return (item for page in read for found in page for item in found[answer])


def _describe(
    caller: AwsCaller, operation: Operation, parameter: str, arns: Sequence[Arn]
) -> Sequence[Answer]:
    """Return the answers about resources, without those that are gone."""
    try:
        return [caller.call(operation, **{parameter: list(arns)})]
    except NotReady as error:
        if not is_not_found(error):
            raise
        if len(arns) == 1:
            return []
        # One that is gone fails the whole batch.
        half = len(arns) // 2
        return [
            *_describe(caller, operation, parameter, arns[:half]),
            *_describe(caller, operation, parameter, arns[half:]),
        ]


def _grouped(
    owners: Iterable[Arn], answers: Iterable[Answer], owner_of: Callable[[Answer], Arn]
) -> Mapping[Arn, Sequence[Answer]]:
    grouped: dict[Arn, list[Answer]] = {owner: [] for owner in owners}
    for answer in answers:
        grouped[owner_of(answer)].append(answer)
    return grouped


def _batches(arns: Sequence[Arn], size: int) -> Iterator[Sequence[Arn]]:
    return (arns[start : start + size] for start in range(0, len(arns), size))
