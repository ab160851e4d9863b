"""Listeners as ELBv2 spells them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from lbcontroller.aws.action_wire import actions_request, decode_actions
from lbcontroller.aws.wire import given, tag_list, without_nones
from lbcontroller.model.enums import AlpnPolicy, OnOff, Protocol
from lbcontroller.model.fields import UNKNOWN, UNMANAGED, Field, Tags
from lbcontroller.model.ids import Arn, CertificateArn
from lbcontroller.model.observed import ObservedListener
from lbcontroller.model.references import Kind, Ref, ResourceId
from lbcontroller.model.resources import (
    CertificateRef,
    Listener,
    MutualAuthentication,
    MutualAuthenticationMode,
)

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
    mutual = given(listener.mutual_authentication)
    return without_nones(
        {
            "Port": listener.port,
            "Protocol": listener.protocol,
            "DefaultActions": actions_request(listener.default_actions),
            "Certificates": certificate_request(certificates[0]) if certificates else None,
            "SslPolicy": given(listener.ssl_policy),
            "AlpnPolicy": [alpn] if alpn is not None else None,
            "MutualAuthentication": mutual_authentication_request(mutual) if mutual is not None else None,
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


def mutual_authentication_request(mutual: MutualAuthentication) -> dict[str, Any]:
    """Return how clients are asked for certificates, as AWS takes it."""
    return without_nones(
        {
            "Mode": mutual.mode,
            "TrustStoreArn": mutual.trust_store,
            "IgnoreClientCertificateExpiry": mutual.ignore_expiry,
            "AdvertiseTrustStoreCaNames": mutual.advertise_ca_names,
        }
    )


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
            default_actions=decode_actions(answer.get("DefaultActions", ())),
            certificates=UNKNOWN if secure else (),
            ssl_policy=answer.get("SslPolicy", UNMANAGED) if secure else UNMANAGED,
            alpn_policy=AlpnPolicy(alpn[0]) if alpn else UNMANAGED,
            attributes=UNKNOWN,
            tags=tags,
            mutual_authentication=_decode_mutual_authentication(answer.get("MutualAuthentication")),
        ),
        ours=id_ is not None,
    )


def default_certificate(answer: Mapping[str, Any]) -> CertificateArn | None:
    """Return the default certificate of a listener as DescribeListeners answers it."""
    return next((CertificateArn(item["CertificateArn"]) for item in answer.get("Certificates", ())), None)


def decode_certificates(items: Iterable[Mapping[str, Any]]) -> tuple[CertificateArn, ...]:
    """Return the certificates that DescribeListenerCertificates answers: the default one, then the others.

    None where the SNI list is empty, because all are to be in it, the default one too.
    """
    by_place = sorted(items, key=lambda item: (not item.get("IsDefault", False), item["CertificateArn"]))
    if all(item.get("IsDefault", False) for item in by_place):
        return ()
    # The default one is listed once more where it is in the SNI list too.
    return tuple(dict.fromkeys(CertificateArn(item["CertificateArn"]) for item in by_place))


def _decode_mutual_authentication(answer: Mapping[str, Any] | None) -> Field[MutualAuthentication]:
    if not answer or not answer.get("Mode"):
        return UNMANAGED
    mode = MutualAuthenticationMode(answer["Mode"])
    if mode is not MutualAuthenticationMode.VERIFY:
        # AWS may answer an empty trust store and flags that mean nothing there.
        return MutualAuthentication(mode=mode)
    return MutualAuthentication(
        mode=mode,
        trust_store=Arn(answer["TrustStoreArn"]),
        ignore_expiry=bool(answer.get("IgnoreClientCertificateExpiry")),
        advertise_ca_names=OnOff(answer.get("AdvertiseTrustStoreCaNames") or OnOff.OFF),
    )
