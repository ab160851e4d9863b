"""What a plan without a cluster and without an account takes for granted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from lbcontroller.build.ingress_groups import IngressGroup
from lbcontroller.build.ingress_members import own_annotations
from lbcontroller.cluster.ingress_class import CONTROLLER, IngressClass
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.model.dns import HostedZone, plain_name
from lbcontroller.model.fields import UNKNOWN, Known
from lbcontroller.model.ids import Arn, CertificateArn
from lbcontroller.model.inventory import CertificateFact, Lookups, NamedFacts

USUAL_CLASS: Final = "alb"
"""The class that every installation has; manifests of an application seldom bring it along."""


def with_usual_class(snapshot: Snapshot) -> Snapshot:
    """Return the snapshot with the usual class of Ingresses, unless it has it."""
    usual = IngressClass.from_object({"metadata": {"name": USUAL_CLASS}, "spec": {"controller": CONTROLLER}})
    return replace(snapshot, ingress_classes={USUAL_CLASS: usual, **snapshot.ingress_classes})


def assumed(wanted: Lookups, group: IngressGroup, known: NamedFacts) -> NamedFacts:
    """Return that everything exists in AWS that a group names and of which nothing is known."""
    hosts = {plain_name(host) for member in group.members for host in member.ingress.hosts}
    zones = tuple(HostedZone(name=host, id=f"the hosted zone of {host}") for host in sorted(hosts))
    return NamedFacts(
        target_groups={**_called(wanted.target_groups, "target group"), **known.target_groups},
        trust_stores={**_called(wanted.trust_stores, "trust store"), **known.trust_stores},
        web_acls={**_called(wanted.web_acls, "web ACL"), **known.web_acls},
        hosted_zones=zones if wanted.hosted_zones and known.hosted_zones is None else known.hosted_zones,
    )


def with_certificates(
    known: Known[Mapping[CertificateArn, CertificateFact]], group: IngressGroup
) -> Known[Mapping[CertificateArn, CertificateFact]]:
    """Return that each host of a group has a certificate, and each named one exists, if nothing is known."""
    if known is not UNKNOWN:
        return known
    hosts = {host for member in group.members for host in member.ingress.hosts}
    named = {arn for member in group.members for arn in own_annotations(member).certificate_arn}
    facts = [
        *(CertificateFact(arn=arn, domains=frozenset()) for arn in named),
        *(
            CertificateFact(arn=CertificateArn(f"the certificate of {host}"), domains=frozenset({host}))
            for host in hosts
        ),
    ]
    return {fact.arn: fact for fact in facts}


def _called(names: Iterable[str], kind: str) -> Mapping[str, Arn]:
    return {name: Arn(f"the {kind} {name}") for name in names}


def group_subject(group: IngressGroup) -> str:
    """Return what a plan is about: an Ingress, or a group with its members."""
    if group.key.name.namespace:
        return f"Ingress {group.key.name}"
    members = ", ".join(str(member.name) for member in group.members)
    return f"Ingress group {group.key.name.name} ({members})"
