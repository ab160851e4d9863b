"""Values of fields in words, as short as they can be told apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

from lbcontroller.model.fields import Mark, OnCreate
from lbcontroller.model.ids import Arn
from lbcontroller.model.ingress_rules import MAX_PORT, IngressRule
from lbcontroller.model.observed import Observed, ObservedListenerRule
from lbcontroller.model.references import Ref, ResourceId
from lbcontroller.model.resources import (
    BindingIngress,
    BindingPort,
    BindingSpec,
    Certificate,
    HealthCheck,
    Listener,
    ListenerRule,
    LoadBalancerTarget,
    MutualAuthentication,
    RequestedCertificate,
    Resource,
)
from lbcontroller.model.subnet_mappings import SubnetMapping
from lbcontroller.plan.rule_texts import part_text
from lbcontroller.plan.steps import Change, Create, Plan

NOTHING = "none"
"""How the absence of a value is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """What resources are called in text: their identity and their name."""

    by_arn: Mapping[str, str]
    by_id: Mapping[ResourceId, str]
    rules: Mapping[str | Ref, ListenerRule]
    """Every rule that exists or is made, by its ARN or a reference to it."""

    @classmethod
    def of(cls, plan: Plan, observed: Sequence[Observed]) -> Labels:
        """Collect the labels of what exists and of what a plan creates."""
        by_arn = {str(item.arn): _observed_label(item) for item in observed}
        steps = (*plan.steps, *(later.step for later in plan.postponed))
        made = [step.resource for step in steps if isinstance(step, Create)]
        created = {resource.id: _label(resource) for resource in made}
        kept = {id_: by_arn.get(arn, str(id_)) for id_, arn in plan.kept.items()}
        present: dict[str | Ref, ListenerRule] = {
            item.arn: item.resource for item in observed if isinstance(item, ObservedListenerRule)
        }
        new: dict[str | Ref, ListenerRule] = {
            Ref(resource.id): resource for resource in made if isinstance(resource, ListenerRule)
        }
        return cls(by_arn=by_arn, by_id={**kept, **created}, rules={**present, **new})

    def existing(self, arn: Arn) -> str:
        """Return the label of something that exists, with its ARN unless that is its name."""
        label = self.by_arn.get(arn, "unknown resource")
        return label if label.endswith(arn) else f"{label} ({arn})"

    def referred(self, reference: str | Ref) -> str:
        """Return the label of what a reference stands for; an ARN of somebody else stands for itself."""
        if isinstance(reference, Ref):
            return self.by_id.get(reference.to, str(reference.to))
        return self.by_arn.get(reference, reference)


def changed_parts(change: Change) -> Iterator[tuple[str, object, object]]:
    """Yield what differs within a change: name, value before, value after."""
    before, after = change.before, change.after
    if isinstance(before, HealthCheck | BindingSpec) and type(before) is type(after):
        for part in fields(before):
            old, new = getattr(before, part.name), getattr(after, part.name)
            if old != new:
                yield f"{change.field}.{part.name}", old, new
    elif isinstance(before, frozenset) and isinstance(after, frozenset):
        for gone in sorted(before - after):
            yield change.field, gone, None
        for added in sorted(after - before):
            yield change.field, None, added
    else:
        yield change.field, before, after


def value_text(value: object, labels: Labels) -> str:
    """Return a value as a person would say it."""
    match value:
        case None | () | "" | Mark.UNMANAGED | Mark.UNKNOWN:
            text = NOTHING
        case Mark.RESET:
            text = "the default of AWS"
        case OnCreate():
            text = value_text(value.value, labels)
        case bool():
            text = "yes" if value else "no"
        case Ref() | str():
            text = labels.referred(value)
        case tuple() | frozenset():
            text = ", ".join(value_text(item, labels) for item in value)
        case Mapping():
            text = ", ".join(f"{key}={value_text(value[key], labels)}" for key in sorted(value))
        case _:
            text = _part_text(value, labels)
    return text


def _part_text(value: object, labels: Labels) -> str:
    match value:
        case IngressRule():
            return f"{value.protocol} {_ports(value)} from {value.peer.value}"
        case SubnetMapping():
            addresses = (value.allocation, value.private_ipv4, value.ipv6, value.source_nat_ipv6_prefix)
            given = ", ".join(address for address in addresses if address is not None)
            return f"{value.subnet} ({given})" if given else value.subnet
        case MutualAuthentication():
            return _mutual_authentication(value)
        case BindingIngress():
            ports = ", ".join(_binding_port(port) for port in value.ports)
            peers = (
                peer.cidr if peer.security_group is None else peer.security_group for peer in value.peers
            )
            return f"{ports} from {', '.join(value_text(peer, labels) for peer in peers)}"
        case _:
            return part_text(value, labels.referred) or str(value)


def _mutual_authentication(value: MutualAuthentication) -> str:
    parts = (
        str(value.mode),
        "" if value.trust_store is None else f"with {value.trust_store}",
        "ignoring expiry" if value.ignore_expiry else "",
        f"advertising CA names {value.advertise_ca_names}" if value.advertise_ca_names else "",
    )
    return " ".join(part for part in parts if part)


def _ports(rule: IngressRule) -> str:
    if rule.from_port == rule.to_port:
        return str(rule.from_port)
    return (
        "all ports" if (rule.from_port, rule.to_port) == (0, MAX_PORT) else f"{rule.from_port}-{rule.to_port}"
    )


def _binding_port(port: BindingPort) -> str:
    return f"{port.protocol} {'all ports' if port.port is None else port.port}"


def _observed_label(item: Observed) -> str:
    """Return what something is called; a rule by its present place, whatever its tags call it."""
    if not isinstance(item, ObservedListenerRule):
        return _label(item.resource)
    id_ = item.resource.id
    return f"{id_.kind} {id_.name.rpartition(':')[0]}:{item.resource.priority}"


def _label(resource: Resource) -> str:
    if isinstance(
        resource, Listener | ListenerRule | LoadBalancerTarget | Certificate | RequestedCertificate
    ):
        return str(resource.id)
    return f"{resource.id} {resource.name}"
