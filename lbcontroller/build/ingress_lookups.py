"""The names in the annotations of a group that stand for something in AWS: looked up before a build."""

from __future__ import annotations

from collections.abc import Iterator

from lbcontroller.annotations.ingress import IngressAnnotations
from lbcontroller.annotations.ingress_actions import ForwardRequest
from lbcontroller.build.ingress_groups import GroupMember, IngressGroup
from lbcontroller.build.ingress_members import class_params, own_annotations
from lbcontroller.build.ingress_ports import listen_ports
from lbcontroller.build.requested_certificates import requests_certificate
from lbcontroller.model.enums import Protocol
from lbcontroller.model.inventory import Lookups
from lbcontroller.settings import Settings

_ARN = "arn:"


def lookups(group: IngressGroup, settings: Settings) -> Lookups:
    """Return what must be known of AWS before the stack of a group can be built."""
    members = [(member, own_annotations(member)) for member in group.members]
    asked = [annotations for _, annotations in members]
    return Lookups(
        target_groups=frozenset(name for one in asked for name in _target_groups(one)),
        trust_stores=frozenset(name for one in asked for name in _trust_stores(one)),
        web_acls=frozenset(one.wafv2_acl_name for one in asked if one.wafv2_acl_name),
        certificates=any(_needs_certificates(member, one, settings) for member, one in members),
        hosted_zones=any(_needs_hosted_zones(one, settings) for one in asked),
    )


def _target_groups(asked: IngressAnnotations) -> Iterator[str]:
    for action in asked.actions.values():
        for target in action.targets if isinstance(action, ForwardRequest) else ():
            if target.target_group_name is not None:
                yield target.target_group_name


def _trust_stores(asked: IngressAnnotations) -> Iterator[str]:
    for entry in asked.mutual_authentication or ():
        if entry.trust_store and not entry.trust_store.startswith(_ARN):
            yield entry.trust_store


def _needs_certificates(member: GroupMember, asked: IngressAnnotations, settings: Settings) -> bool:
    """Whether certificates are named, which must exist, or are to be found by hosts."""
    if requests_certificate(asked, settings):
        return False
    ports = listen_ports(asked, member.ingress, class_params(member), settings)
    return bool(asked.certificate_arn) or any(port.protocol is Protocol.HTTPS for port in ports)


def _needs_hosted_zones(asked: IngressAnnotations, settings: Settings) -> bool:
    """Whether a public certificate is requested, which is validated by records in them."""
    return requests_certificate(asked, settings) and not (asked.acm_pca_arn or settings.default_pca_arn)
