"""What a plan without a cluster and without an account takes for granted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from lbcontroller.build.ingress_groups import IngressGroup
from lbcontroller.cluster.ingress_class import CONTROLLER, IngressClass
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.model.ids import Arn
from lbcontroller.model.inventory import Lookups, NamedFacts

USUAL_CLASS: Final = "alb"
"""The class that every installation has; manifests of an application seldom bring it along."""


def with_usual_class(snapshot: Snapshot) -> Snapshot:
    """Return the snapshot with the usual class of Ingresses, unless it has it."""
    usual = IngressClass.from_object({"metadata": {"name": USUAL_CLASS}, "spec": {"controller": CONTROLLER}})
    return replace(snapshot, ingress_classes={USUAL_CLASS: usual, **snapshot.ingress_classes})


def assumed(wanted: Lookups, known: NamedFacts) -> NamedFacts:
    """Return that everything exists in AWS that is named and of which nothing is known."""
    return NamedFacts(
        target_groups={**_called(wanted.target_groups, "target group"), **known.target_groups},
        trust_stores={**_called(wanted.trust_stores, "trust store"), **known.trust_stores},
        web_acls={**_called(wanted.web_acls, "web ACL"), **known.web_acls},
    )


def _called(names: Iterable[str], kind: str) -> Mapping[str, Arn]:
    return {name: Arn(f"the {kind} {name}") for name in names}


def group_subject(group: IngressGroup) -> str:
    """Return what a plan is about: an Ingress, or a group with its members."""
    if group.key.name.namespace:
        return f"Ingress {group.key.name}"
    members = ", ".join(str(member.name) for member in group.members)
    return f"Ingress group {group.key.name.name} ({members})"
