"""What one member of a group wants of the listeners that it shares: rules, default actions, certificates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lbcontroller.annotations.ingress import IngressAnnotations
from lbcontroller.annotations.mutual_authentication import PortMutualAuthentication
from lbcontroller.build.attribute_checks import AttributeAnnotation, check_attributes
from lbcontroller.build.ingress_actions import Front, serve
from lbcontroller.build.ingress_certificates import MemberCertificates, member_certificates
from lbcontroller.build.ingress_member import Member
from lbcontroller.build.ingress_ports import SharedPort
from lbcontroller.build.ingress_rules import MemberRule, member_rules
from lbcontroller.build.listeners import target_groups_in
from lbcontroller.build.named import named
from lbcontroller.config.listener import ActionConfig
from lbcontroller.errors import ProblemCollector
from lbcontroller.model.attributes import ALB_LISTENER_ATTRIBUTES
from lbcontroller.model.enums import IpAddressType, Protocol
from lbcontroller.model.findings import Finding, FindingReason
from lbcontroller.model.ids import Arn
from lbcontroller.model.resources import MutualAuthentication

_ARN: Final = "arn:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a member wants, for each port that it listens on."""

    rules: Mapping[int, tuple[MemberRule, ...]]
    default_actions: Mapping[int, tuple[ActionConfig, ...]]
    """Only where it has a default backend."""
    certificates: MemberCertificates
    mutual_authentication: Mapping[int, MutualAuthentication]
    findings: tuple[Finding, ...]


def wishes_of(
    member: Member, ports: Sequence[SharedPort], *, ip_address_type: IpAddressType, redirected: bool
) -> Wishes:
    """Return what a member wants.

    Args:
        member: the Ingress.
        ports: the listeners it shares with others.
        ip_address_type: of the load balancer.
        redirected: whether clients that come over HTTP are sent to HTTPS, so that nothing is served there.

    Raises:
        InvalidConfig: with all problems.
        NotReady: when something was not read or looked up yet.
    """
    problems = ProblemCollector()
    rules: dict[int, tuple[MemberRule, ...]] = {}
    defaults: dict[int, tuple[ActionConfig, ...]] = {}
    findings: list[Finding] = []
    certificates = MemberCertificates(used=())
    for port in ports:
        if redirected and port.protocol is Protocol.HTTP:
            continue
        front = Front(protocol=port.protocol, ip_address_type=ip_address_type)
        with problems.attempt():
            rules[port.port], remarks = member_rules(member, front)
            findings += remarks
        if member.ingress.default_backend is not None:
            with problems.attempt():
                served = serve(member, member.ingress.default_backend, front, "spec.defaultBackend")
                defaults[port.port] = served.actions
                findings += served.findings
    if any(port.protocol is Protocol.HTTPS for port in ports):
        with problems.attempt():
            certificates = member_certificates(member)
    with problems.attempt():
        mutual = _mutual_authentication(member, ports)
    with problems.attempt():
        findings += _checked_attributes(member)
    problems.raise_if_any()
    findings += _without_effect(member, ports)
    return Wishes(
        rules=rules,
        default_actions=defaults,
        certificates=certificates,
        mutual_authentication=mutual,
        findings=tuple(dict.fromkeys(findings)),
    )


def target_group_names(wishes: Wishes) -> Iterator[str]:
    """Yield the resource names of the target groups that a member wants."""
    actions = (
        *(item.rule.actions for rules in wishes.rules.values() for item in rules),
        *wishes.default_actions.values(),
    )
    yield from (config.resource_name for one in actions for config in target_groups_in(one))


def _mutual_authentication(member: Member, ports: Sequence[SharedPort]) -> dict[int, MutualAuthentication]:
    encrypted = {port.port for port in ports if port.protocol is Protocol.HTTPS}
    return {
        entry.port: MutualAuthentication(
            mode=entry.mode,
            trust_store=_trust_store(member, entry),
            ignore_expiry=entry.ignore_expiry,
            advertise_ca_names=entry.advertise_ca_names,
        )
        for entry in member.annotations.mutual_authentication or ()
        if entry.port in encrypted
    }


def _trust_store(member: Member, entry: PortMutualAuthentication) -> Arn | None:
    name = entry.trust_store
    if not name:
        return None
    if name.startswith(_ARN):
        return Arn(name)
    return named(
        member.context.inventory.named.trust_stores,
        name,
        what="trust store",
        absent=member.problem(
            "mutual_authentication",
            "names a trust store that must exist in this account and region",
            value=name,
            hint="make the trust store, or give the ARN of another one",
        ),
    )


def _checked_attributes(member: Member) -> tuple[Finding, ...]:
    problems, findings = ProblemCollector(), list[Finding]()
    for key, given in sorted(member.annotations.listener_attributes.items()):
        annotation = AttributeAnnotation(
            field=IngressAnnotations.key_of("listener_attributes", key),
            given=given,
            known=ALB_LISTENER_ATTRIBUTES,
        )
        with problems.attempt():
            findings += check_attributes(member.context, annotation)
    problems.raise_if_any()
    return tuple(findings)


def _without_effect(member: Member, ports: Sequence[SharedPort]) -> Iterator[Finding]:
    """Yield a finding for each setting that no listener of the member heeds."""
    context, served = member.context, {port.port: port.protocol for port in ports}
    for key in sorted(member.annotations.listener_attributes):
        if served.get(key.port) is not key.protocol:
            names = ", ".join(f"{protocol}-{number}" for number, protocol in sorted(served.items()))
            yield context.warning(
                FindingReason.IGNORED_SETTING,
                f"{IngressAnnotations.key_of('listener_attributes', key)} has no effect: "
                f"the Ingress has no such listener, only {names}",
            )
    gate = context.settings.feature_gates.enable_certificate_management
    if member.annotations.create_acm_cert and not gate:
        yield context.warning(
            FindingReason.IGNORED_SETTING,
            f"{IngressAnnotations.key_of('create_acm_cert')} has no effect: it needs the feature gate "
            "EnableCertificateManagement",
        )
    if Protocol.HTTPS in served.values():
        return
    fields = (
        "certificate_arn",
        *(("create_acm_cert",) if gate else ()),
        "ssl_policy",
        "mutual_authentication",
    )
    if member.ingress.tls:
        listening = ", ".join(f"{protocol}:{number}" for number, protocol in sorted(served.items()))
        yield context.warning(
            FindingReason.IGNORED_SETTING,
            f"spec.tls has no effect: the Ingress listens on {listening} only. "
            f'For HTTPS set {IngressAnnotations.key_of("listen_ports")}=[{{"HTTPS": 443}}]',
        )
    for field in fields:
        if getattr(member.annotations, field):
            yield context.warning(
                FindingReason.IGNORED_SETTING,
                f"{IngressAnnotations.key_of(field)} has no effect: no listener of the Ingress is HTTPS",
            )
