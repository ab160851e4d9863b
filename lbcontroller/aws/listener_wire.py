"""Listeners as ELBv2 spells them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from lbcontroller.aws.wire import given, tag_list, without_nones
from lbcontroller.model.actions import Action, ForwardAction, WeightedTargetGroup
from lbcontroller.model.enums import AlpnPolicy, Protocol
from lbcontroller.model.fields import UNKNOWN, UNMANAGED, Tags
from lbcontroller.model.ids import Arn, CertificateArn
from lbcontroller.model.observed import ObservedListener
from lbcontroller.model.references import Kind, Ref, ResourceId
from lbcontroller.model.resources import CertificateRef, Listener

SECURE_PROTOCOLS: Final = frozenset({Protocol.TLS, Protocol.HTTPS})
"""Protocols of listeners that have certificates."""


def create_request(listener: Listener) -> dict[str, Any]:
    """Return the parameters of CreateListener for a listener whose references are resolved."""
    return without_nones(
        {
            "LoadBalancerArn": listener.load_balancer,
            **settings_request(listener),
            "Tags": tag_list(listener.tags) or None,
        }
    )


def settings_request(listener: Listener) -> dict[str, Any]:
    """Return the parameters that CreateListener and ModifyListener share."""
    certificates, alpn = certificate_arns(given(listener.certificates)), given(listener.alpn_policy)
    return without_nones(
        {
            "Port": listener.port,
            "Protocol": listener.protocol,
            "DefaultActions": actions_request(listener.default_actions),
            "Certificates": certificate_request(certificates[0]) if certificates else None,
            "SslPolicy": given(listener.ssl_policy),
            "AlpnPolicy": [alpn] if alpn is not None else None,
        }
    )


def certificate_arns(certificates: tuple[CertificateRef, ...] | None) -> tuple[CertificateArn, ...]:
    """Return the certificates of a listener whose references are resolved; none where none are given."""
    for certificate in certificates or ():
        if isinstance(certificate, Ref):
            raise TypeError(f"an unresolved reference: {certificate}")
    return tuple(CertificateArn(str(certificate)) for certificate in certificates or ())


def certificate_request(certificate: CertificateArn) -> list[dict[str, str]]:
    """Return one certificate as AWS takes it: one in each call (ELBv2 API reference)."""
    return [{"CertificateArn": certificate}]


def actions_request(actions: Sequence[Action]) -> list[dict[str, Any]]:
    """Return actions as AWS takes them."""
    return [
        _forward_request(action, order)
        for order, action in enumerate(actions, start=1)
        if isinstance(action, ForwardAction)
    ]


def _forward_request(action: ForwardAction, order: int) -> dict[str, Any]:
    sticky = action.stickiness_enabled
    config = {
        "TargetGroups": [
            without_nones({"TargetGroupArn": weighted.target_group, "Weight": weighted.weight})
            for weighted in action.target_groups
        ],
        "TargetGroupStickinessConfig": {"Enabled": sticky} if sticky is not None else None,
    }
    return {"Type": "forward", "Order": order, "ForwardConfig": without_nones(config)}


def decode_listener(answer: Mapping[str, Any], id_: ResourceId | None, tags: Tags) -> ObservedListener:
    """Return a listener as DescribeListeners answers it; attributes and further certificates are unknown.

    Args:
        answer: one of the listeners.
        id_: what its tags say it is; None for one that is not ours.
        tags: its tags.
    """
    protocol, alpn = Protocol(answer["Protocol"]), answer.get("AlpnPolicy")
    secure = protocol in SECURE_PROTOCOLS
    return ObservedListener(
        arn=Arn(answer["ListenerArn"]),
        resource=Listener(
            id=id_ or ResourceId(Kind.LISTENER, str(answer["Port"])),
            load_balancer=Arn(answer["LoadBalancerArn"]),
            port=answer["Port"],
            protocol=protocol,
            default_actions=tuple(_decode_actions(answer.get("DefaultActions", ()))),
            certificates=UNKNOWN if secure else (),
            ssl_policy=answer.get("SslPolicy", UNMANAGED) if secure else UNMANAGED,
            alpn_policy=AlpnPolicy(alpn[0]) if alpn else UNMANAGED,
            attributes=UNKNOWN,
            tags=tags,
        ),
        ours=id_ is not None,
    )


def default_certificate(answer: Mapping[str, Any]) -> CertificateArn | None:
    """Return the default certificate of a listener as DescribeListeners answers it."""
    return next((CertificateArn(item["CertificateArn"]) for item in answer.get("Certificates", ())), None)


def decode_certificates(items: Iterable[Mapping[str, Any]]) -> tuple[CertificateArn, ...]:
    """Return the certificates that DescribeListenerCertificates answers: the default one, then the others."""
    # The default one is listed once more where it is in the SNI list too.
    by_place = sorted(items, key=lambda item: (not item.get("IsDefault", False), item["CertificateArn"]))
    return tuple(dict.fromkeys(CertificateArn(item["CertificateArn"]) for item in by_place))


def _decode_actions(actions: Iterable[Mapping[str, Any]]) -> Iterator[Action]:
    for action in actions:
        if action["Type"] == "forward":
            yield _decode_forward(action)


def _decode_forward(action: Mapping[str, Any]) -> ForwardAction:
    config = action.get("ForwardConfig") or {"TargetGroups": [{"TargetGroupArn": action["TargetGroupArn"]}]}
    return ForwardAction(
        target_groups=tuple(
            WeightedTargetGroup(target_group=Arn(item["TargetGroupArn"]), weight=item.get("Weight"))
            for item in config["TargetGroups"]
        ),
        stickiness_enabled=config.get("TargetGroupStickinessConfig", {}).get("Enabled"),
    )
