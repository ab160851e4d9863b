"""The listeners that a Service wants, in the normal form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lbcontroller.annotations.formats import ListenerKey
from lbcontroller.annotations.service import ServiceAnnotations
from lbcontroller.build.attribute_checks import AttributeAnnotation, check_attributes
from lbcontroller.build.forward_actions import forward_config
from lbcontroller.build.service_ports import ListenerPort
from lbcontroller.build.service_source import ServiceSource
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.config.listener import ListenerConfig, TlsConfig
from lbcontroller.errors import Problem, ProblemCollector
from lbcontroller.model.attributes import NLB_LISTENER_ATTRIBUTES
from lbcontroller.model.enums import Protocol
from lbcontroller.model.fields import UNKNOWN
from lbcontroller.model.findings import Finding, FindingReason
from lbcontroller.model.limits import CERTIFICATES_PER_LOAD_BALANCER


def listener_config(
    source: ServiceSource, served: ListenerPort, snapshot: Snapshot
) -> tuple[ListenerConfig, tuple[Finding, ...]]:
    """Return one listener, and what its owner should know about it.

    Raises:
        InvalidConfig: with all problems of its action and its target groups.
    """
    asked = source.annotations
    action, findings = forward_config(source, served, snapshot)
    encrypted = served.listener is Protocol.TLS
    return (
        ListenerConfig(
            port=served.port.port,
            protocol=served.listener,
            actions=(action,),
            tls=(
                TlsConfig(
                    certificates=asked.ssl_cert,
                    ssl_policy=asked.ssl_negotiation_policy,
                    alpn_policy=asked.alpn_policy,
                )
                if encrypted
                else None
            ),
            # AWS has no attributes for TLS listeners.
            attributes={} if encrypted else asked.listener_attributes.get(_key(served), {}),
            tags=asked.additional_resource_tags,
        ),
        findings,
    )


def check_listeners(source: ServiceSource) -> tuple[Finding, ...]:
    """Return findings about certificates and attributes of listeners.

    Raises:
        InvalidConfig: with all problems.
    """
    problems, asked = ProblemCollector(), source.annotations
    findings: list[Finding] = [*_many_certificates(source)]
    for problem in _unknown_certificates(source):
        problems.add(problem)
    for key, given in sorted(asked.listener_attributes.items()):
        annotation = AttributeAnnotation(
            field=ServiceAnnotations.key_of("listener_attributes", key),
            given=given,
            known=NLB_LISTENER_ATTRIBUTES,
        )
        with problems.attempt():
            findings += check_attributes(source.context, annotation)
    problems.raise_if_any()
    return tuple(findings)


def without_effect(source: ServiceSource, ports: Iterable[ListenerPort]) -> Iterator[Finding]:
    """Yield a finding for each annotation that no listener of the Service heeds."""
    asked, served = source.annotations, [_key(port) for port in ports]
    yield from _without_listener(source, "actions", asked.actions, served)
    yield from _without_listener(source, "listener_attributes", asked.listener_attributes, served)
    yield from _without_tls(source, served)


def _key(served: ListenerPort) -> ListenerKey:
    return ListenerKey(served.listener, served.port.port)


def _unknown_certificates(source: ServiceSource) -> Iterator[Problem]:
    known = source.context.inventory.certificates
    if known is UNKNOWN:
        return
    for certificate in source.annotations.ssl_cert:
        if ":acm:" in certificate and certificate not in known:
            yield source.problem(
                "ssl_cert",
                "is not a certificate that is issued in this account and region",
                value=certificate,
                hint="network load balancers use certificates of their own region, of status ISSUED",
            )


def _many_certificates(source: ServiceSource) -> Iterator[Finding]:
    count = len(set(source.annotations.ssl_cert))
    if count > CERTIFICATES_PER_LOAD_BALANCER:
        yield source.context.warning(
            FindingReason.OVER_DEFAULT_QUOTA,
            f"{ServiceAnnotations.key_of('ssl_cert')}: there are {count} certificates, and without a raised "
            f"quota AWS takes {CERTIFICATES_PER_LOAD_BALANCER} for a network load balancer",
        )


def _without_listener(
    source: ServiceSource, field: str, asked: Iterable[ListenerKey], served: Iterable[ListenerKey]
) -> Iterator[Finding]:
    names = [f"{key.protocol}-{key.port}" for key in served]
    for key in sorted(set(asked) - set(served)):
        yield source.context.warning(
            FindingReason.IGNORED_SETTING,
            f"{ServiceAnnotations.key_of(field, key)} has no effect: "
            f"there is no such listener, only {', '.join(names)}",
        )


def _without_tls(source: ServiceSource, served: Iterable[ListenerKey]) -> Iterator[Finding]:
    asked = source.annotations
    encrypted = [key for key in served if key.protocol is Protocol.TLS]
    for key in encrypted:
        if key in asked.listener_attributes:
            yield source.context.warning(
                FindingReason.IGNORED_SETTING,
                f"{ServiceAnnotations.key_of('listener_attributes', key)} has no effect: "
                "AWS has no attributes for TLS listeners",
            )
    if encrypted:
        return
    for field in ("ssl_negotiation_policy", "backend_protocol", "alpn_policy"):
        if getattr(asked, field) is not None:
            yield source.context.warning(
                FindingReason.IGNORED_SETTING,
                f"{ServiceAnnotations.key_of(field)} has no effect: no listener has TLS",
            )
