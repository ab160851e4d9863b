"""A Service or an Ingress and what it became in AWS, as a tree."""

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


_KINDS: Final = {"network": "NLB", "application": "ALB"}


def object_tree(obj: Mapping[str, Any], load_balancer: LoadBalancerView, names: Mapping[str, str]) -> Tree:
    """Return object → load balancer → listeners → rules → target groups → targets.

    Args:
        obj: the Service or the Ingress.
        load_balancer: what it became.
        names: what runs behind a target, by instance id or address.
    """
    metadata = obj["metadata"]
    tree = Tree(styled(f"{obj['kind']} {metadata['namespace']}/{metadata['name']}", "bold"))
    tree.add(styled(f"address {load_balancer.dns_name}"))
    kind, state = _KINDS[load_balancer.type], f"{load_balancer.scheme}, {load_balancer.state}"
    top = tree.add(styled(f"{kind} {load_balancer.name} ({state})", "cyan"))
    top.add(styled(f"zones {', '.join(load_balancer.zones)}"))
    top.add(styled(f"security groups {', '.join(load_balancer.security_groups)}"))
    for listener in load_balancer.listeners:
        branch = top.add(styled(f"listener {listener.protocol} {listener.port}", "cyan"))
        for group in listener.default_target_groups:
            _add_target_group(branch, group, names)
        for rule in listener.rules:
            below = branch.add(styled(f"rule {rule.priority}: {rule.requests}", "cyan"))
            for group in rule.target_groups:
                _add_target_group(below, group, names)
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
