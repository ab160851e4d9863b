"""What a listener of a Service does: all traffic to the Service, or shares by an `actions.*` annotation."""

from __future__ import annotations

from collections.abc import Iterator

from lbcontroller.annotations.actions import ForwardAction
from lbcontroller.annotations.actions import WeightedTarget as AskedTarget
from lbcontroller.annotations.formats import ListenerKey
from lbcontroller.build.service_ports import ListenerPort
from lbcontroller.build.service_source import ServiceSource
from lbcontroller.build.service_target_groups import target_group_config, with_session_affinity
from lbcontroller.build.targets import find_port
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.config.listener import ForwardConfig, WeightedTarget
from lbcontroller.config.target_group import TargetGroupConfig
from lbcontroller.errors import InvalidConfig, ProblemCollector
from lbcontroller.keys import ObjectName
from lbcontroller.model.enums import Protocol
from lbcontroller.model.findings import Finding
from lbcontroller.model.limits import TARGET_GROUPS_PER_ACTION


def forward_config(
    source: ServiceSource, served: ListenerPort, snapshot: Snapshot
) -> tuple[ForwardConfig, tuple[Finding, ...]]:
    """Return where a listener forwards to, and what its owner should know.

    Raises:
        InvalidConfig: with all problems of the target groups and of the action.
    """
    asked = source.annotations.actions.get(_key(served))
    problems = ProblemCollector()
    findings: tuple[Finding, ...] = ()
    targets: list[WeightedTarget] = []
    with problems.attempt():
        own = target_group_config(source, source.service, served.port, served.target)
        own, findings = with_session_affinity(source, served, own)
        weight = asked.forward_config.base_service_weight if asked is not None else None
        targets.append(WeightedTarget(target_group=own, weight=weight))
    for other in asked.forward_config.target_groups if asked is not None else ():
        with problems.attempt():
            targets.append(_weighted(source, served, other, snapshot))
    problems.raise_if_any()
    if asked is None:
        return ForwardConfig(targets=tuple(targets)), findings
    _check(source, served, targets)
    return ForwardConfig(targets=tuple(targets), stickiness=_stickiness(asked)), findings


def _key(served: ListenerPort) -> ListenerKey:
    return ListenerKey(served.listener, served.port.port)


def _stickiness(action: ForwardAction) -> bool | None:
    stickiness = action.forward_config.target_group_stickiness_config
    return None if stickiness is None else stickiness.enabled


def _weighted(
    source: ServiceSource, served: ListenerPort, asked: AskedTarget, snapshot: Snapshot
) -> WeightedTarget:
    if asked.target_group_arn is not None:
        return WeightedTarget(target_group=asked.target_group_arn, weight=asked.weight)
    name = ObjectName(source.service.meta.name.namespace, asked.service_name or "")
    service = snapshot.services.get(name)
    if service is None:
        raise InvalidConfig(
            source.problem(
                "actions", "names a Service that does not exist", parameter=_key(served), value=str(name)
            )
        )
    port = find_port(service, asked.service_port or 0)
    if port is None:
        raise InvalidConfig(
            source.problem(
                "actions",
                "names a port that the Service does not have",
                parameter=_key(served),
                value=f"{name}:{asked.service_port}",
                hint="its ports are "
                + ", ".join(
                    f"{port.port} ({port.name})" if port.name else str(port.port) for port in service.ports
                ),
            )
        )
    plain = served.listener is Protocol.TLS and asked.decrypt
    return WeightedTarget(
        target_group=target_group_config(source, service, port, Protocol.TCP if plain else served.listener),
        weight=asked.weight,
    )


def _check(source: ServiceSource, served: ListenerPort, targets: list[WeightedTarget]) -> None:
    """Refuse what AWS refuses of a whole action."""
    problems = ProblemCollector()
    if len(targets) > TARGET_GROUPS_PER_ACTION:
        problems.add(
            source.problem(
                "actions",
                f"must have at most {TARGET_GROUPS_PER_ACTION} target groups with the Service's own",
                parameter=_key(served),
                value=f"{len(targets)} target groups",
            )
        )
    if len(targets) > 1 and not source.context.settings.feature_gates.weighted_target_groups:
        problems.add(
            source.problem(
                "actions",
                "must have one target group, because the controller runs with "
                "--feature-gates=WeightedTargetGroups=false",
                parameter=_key(served),
                value=f"{len(targets)} target groups",
            )
        )
    protocols = {config.resource_name: config.protocol for config in _own(targets)}
    if len(set(protocols.values())) > 1:
        problems.add(
            source.problem(
                "actions",
                "must forward to target groups of one protocol",
                parameter=_key(served),
                value=", ".join(f"{name} by {protocol}" for name, protocol in protocols.items()),
                hint="set decrypt to true for plain TCP behind TLS, or "
                f"{source.annotations.key_of('backend_protocol')}=ssl for TLS to the Service itself",
            )
        )
    problems.raise_if_any()


def _own(targets: list[WeightedTarget]) -> Iterator[TargetGroupConfig]:
    for target in targets:
        if isinstance(target.target_group, TargetGroupConfig):
            yield target.target_group
