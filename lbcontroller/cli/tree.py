"""A Service and what it became in AWS, as a tree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from rich.text import Text
from rich.tree import Tree

from lbcontroller.cli.aws_view import LoadBalancerView, TargetGroupView
from lbcontroller.cli.console import styled
from lbcontroller.local.aws.recorder import Call, mutating
from lbcontroller.model.enums import TargetHealthState
from lbcontroller.model.observed import Target, TargetHealth

_HEALTH_STYLES: Final = {
    TargetHealthState.HEALTHY: "green",
    TargetHealthState.UNHEALTHY: "red",
    TargetHealthState.DRAINING: "yellow",
    TargetHealthState.INITIAL: "yellow",
}


def service_tree(
    service: Mapping[str, Any], load_balancer: LoadBalancerView, names: Mapping[str, str]
) -> Tree:
    """Return Service → load balancer → listeners → target groups → targets.

    Args:
        service: the Service's object.
        load_balancer: what it became.
        names: what runs behind a target, by instance id or address.
    """
    metadata = service["metadata"]
    tree = Tree(styled(f"Service {metadata['namespace']}/{metadata['name']}", "bold"))
    tree.add(styled(f"address {load_balancer.dns_name}"))
    top = tree.add(
        styled(f"NLB {load_balancer.name} ({load_balancer.scheme}, {load_balancer.state})", "cyan")
    )
    top.add(styled(f"zones {', '.join(load_balancer.zones)}"))
    top.add(styled(f"security groups {', '.join(load_balancer.security_groups)}"))
    for listener in load_balancer.listeners:
        branch = top.add(styled(f"listener {listener.protocol} {listener.port}", "cyan"))
        for group in listener.target_groups:
            _add_target_group(branch, group, names)
    return tree


def _add_target_group(branch: Tree, group: TargetGroupView, names: Mapping[str, str]) -> None:
    text = f"target group {group.name} ({group.target_type}, health check {group.health_check})"
    below = branch.add(styled(text, "cyan"))
    for target, health in sorted(group.targets.items()):
        below.add(_target_text(target, health, names))


def _target_text(target: Target, health: TargetHealth, names: Mapping[str, str]) -> Text:
    behind = f" {names[target.id]}" if target.id in names else ""
    why = f" ({health.reason})" if health.reason else ""
    text = styled(f"{health.state:<9}", _HEALTH_STYLES.get(health.state, ""))
    return text.append_text(styled(f" {target.id}:{target.port}{behind}{why}"))


def event_lines(events: Iterable[Mapping[str, Any]]) -> Iterator[Text]:
    """Yield events as `kubectl describe` shows them, without their age."""
    for event in events:
        source = (event.get("source") or {}).get("component", "")
        style = "yellow" if event["type"] == "Warning" else ""
        yield styled(f"  {event['type']:<8} {event['reason']:<24} {source:<10} {event['message']}", style)


def call_lines(calls: Iterable[Call]) -> Iterator[Text]:
    """Yield how many AWS calls there were, and which."""
    made = list(calls)
    writes = mutating(made)
    reads = [call for call in made if not call.request.mutating]
    yield styled(f"  AWS calls: {len(made)} (writes {len(writes)}, reads {len(reads)})", "bold")
    for kind, group in (("writes", writes), ("reads", reads)):
        names = [call.name for call in group]
        if names:
            counted = ", ".join(f"{names.count(name)} {name}" for name in dict.fromkeys(names))
            yield styled(f"    {kind}: {counted}", "dim")
