"""The rules that bindings need on the security groups of their targets.

Ports are exact: a rule opens what a target group uses and nothing between. Only where a security group would
hold more rules than AWS allows are ranges joined, those that open the fewest ports more first.
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from lbcontroller.build.targets import TargetsResult
from lbcontroller.cluster.binding import Binding
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.errors import InvalidConfig, Problem
from lbcontroller.model.enums import TargetType
from lbcontroller.model.findings import Finding, FindingReason, Severity
from lbcontroller.model.ids import SecurityGroupId
from lbcontroller.model.ingress_rules import MAX_PORT, SHARED_RULE_DESCRIPTION, IngressRule, Peer, PeerKind
from lbcontroller.model.observed import Target
from lbcontroller.model.references import Ref
from lbcontroller.model.resources import BindingPeer, BindingPort, BindingSpec


def binding_rules(
    spec: BindingSpec, targets: TargetsResult, snapshot: Snapshot, groups: Mapping[Target, SecurityGroupId]
) -> Mapping[SecurityGroupId, frozenset[IngressRule]]:
    """Return the rules one binding needs, by the security group that guards its targets.

    Nothing is opened for an entry without peers or without ports, and none on a group without targets.

    Args:
        spec: the binding, its references resolved.
        targets: what is to be registered.
        snapshot: pods, for ports given by name.
        groups: the security group in front of each target; targets without one need no rule.

    Raises:
        InvalidConfig: for a malformed CIDR, or a port name that no pod has.
    """
    by_group: defaultdict[SecurityGroupId, set[Target]] = defaultdict(set)
    for target in targets.targets & groups.keys():
        by_group[groups[target]].add(target)
    ports = _PortNumbers(spec, targets, snapshot)
    return {
        group: frozenset(
            IngressRule(
                protocol=port.protocol.lower(),
                from_port=first,
                to_port=last,
                peer=_peer(spec, peer),
                description=SHARED_RULE_DESCRIPTION,
            )
            for entry in spec.networking or ()
            for peer in entry.peers
            for port in entry.ports
            for first, last in ports.ranges(port, members)
        )
        for group, members in sorted(by_group.items())
    }


def possible_rules(spec: BindingSpec) -> frozenset[IngressRule]:
    """Return rules that cover whatever a binding may need, without a look at its targets.

    A port that is given by name may be any. For a malformed CIDR nothing was ever opened.
    """
    return frozenset(
        IngressRule(
            protocol=port.protocol.lower(),
            from_port=port.port if isinstance(port.port, int) else 0,
            to_port=port.port if isinstance(port.port, int) else MAX_PORT,
            peer=source,
            description=SHARED_RULE_DESCRIPTION,
        )
        for entry in spec.networking or ()
        for peer in entry.peers
        if (source := _readable_peer(spec, peer)) is not None
        for port in entry.ports
    )


def rules_held(binding: Binding, why: str) -> Finding:
    """Return what to tell about rules that stay because nobody knows what a binding needs."""
    return Finding(
        severity=Severity.WARNING,
        subject=binding.subject,
        reason=FindingReason.RULES_HELD,
        message=(
            "rules on security groups that nobody else needs stay open as long as it is not known which of "
            f"them spec.networking of this binding needs: {why}"
        ),
    )


class _PortNumbers:
    """Turns the ports of one binding into numbers."""

    def __init__(self, spec: BindingSpec, targets: TargetsResult, snapshot: Snapshot) -> None:
        self._spec = spec
        self._targets = targets
        self._snapshot = snapshot

    def ranges(self, port: BindingPort, targets: Iterable[Target]) -> Iterator[tuple[int, int]]:
        """Yield first and last port of each range that `port` opens for `targets`."""
        match port.port:
            case None:
                yield 0, MAX_PORT
            case int(number):
                yield number, number
            case str(name):
                for number in sorted(self._named(name, targets)):
                    yield number, number

    def _named(self, name: str, targets: Iterable[Target]) -> set[int]:
        if self._spec.target_type is TargetType.INSTANCE:
            raise InvalidConfig(self._problem(name, "expected a number, because nodes have no named ports"))
        numbers = {number for target in targets if (number := self._of_pod(name, target))}
        if not numbers:
            raise InvalidConfig(self._problem(name, "expected the name of a container port of the pods"))
        return numbers

    def _of_pod(self, name: str, target: Target) -> int | None:
        pod_name = self._targets.pods.get(target)
        pod = self._snapshot.pods.get(pod_name) if pod_name is not None else None
        # Without a pod at hand the registered port is what the name stood for.
        return pod.container_ports.get(name) if pod is not None else target.port

    def _problem(self, name: str, expected: str) -> Problem:
        return Problem(
            subject=_subject(self._spec),
            field="spec.networking.ingress.ports.port",
            value=name,
            expected=expected,
        )


def _subject(spec: BindingSpec) -> str:
    return f"TargetGroupBinding of Service {spec.service}"


def _readable_peer(spec: BindingSpec, peer: BindingPeer) -> Peer | None:
    try:
        return _peer(spec, peer)
    except InvalidConfig:
        return None


def _peer(spec: BindingSpec, peer: BindingPeer) -> Peer:
    if isinstance(peer.security_group, Ref):
        raise TypeError(f"the binding's reference is not resolved: {peer.security_group}")
    if peer.security_group is not None:
        return Peer(PeerKind.SECURITY_GROUP, peer.security_group)
    try:
        network = ipaddress.ip_network(peer.cidr or "", strict=False)
    except ValueError as error:
        raise InvalidConfig(
            Problem(
                subject=_subject(spec),
                field="spec.networking.ingress.from.ipBlock.cidr",
                value=peer.cidr or "",
                expected="expected a CIDR such as 10.0.0.0/16",
            )
        ) from error
    return Peer(PeerKind.CIDR if network.version == 4 else PeerKind.CIDR_IPV6, str(network))  # noqa: PLR2004 - IP version


def merge_rules(rules: Iterable[IngressRule], limit: int) -> frozenset[IngressRule]:
    """Return the union of all bindings' rules for one security group, in at most `limit` rules if possible.

    Ranges of one protocol and peer are joined only while there are too many rules. With more peers than
    `limit` the result stays longer: what AWS then answers names its quota.
    """
    union = frozenset(rules)
    excess = len(union) - limit
    if excess <= 0:
        return union
    families: defaultdict[tuple[str, Peer, str], list[IngressRule]] = defaultdict(list)
    for rule in sorted(union):
        families[rule.protocol, rule.peer, rule.description].append(rule)
    gaps = sorted(
        (gap, key, index)
        for key, family in families.items()
        for index, gap in enumerate(_gaps(family), start=1)
    )
    closed = {(key, index) for _, key, index in gaps[:excess]}
    return frozenset(
        rule
        for key, family in families.items()
        for rule in _joined(family, {index for index in range(1, len(family)) if (key, index) in closed})
    )


def _gaps(family: Sequence[IngressRule]) -> Iterator[int]:
    """Yield how many ports joining each rule with its predecessors would open; below 1 where they touch."""
    reach = family[0].to_port
    for rule in family[1:]:
        yield rule.from_port - reach - 1
        reach = max(reach, rule.to_port)


def _joined(family: Sequence[IngressRule], closed: set[int]) -> Iterator[IngressRule]:
    """Yield the rules of a family, those at the indexes in `closed` joined with their predecessor."""
    current = family[0]
    for index, rule in enumerate(family[1:], start=1):
        if index in closed:
            current = replace(current, to_port=max(current.to_port, rule.to_port))
        else:
            yield current
            current = rule
    yield current
