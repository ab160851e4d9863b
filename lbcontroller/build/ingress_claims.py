"""What each member of a group brings to the listeners that they share: whom AWS means when it refuses one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from lbcontroller.annotations.ingress import IngressAnnotations
from lbcontroller.build.ingress_ports import SharedPort
from lbcontroller.build.ingress_wishes import Wishes
from lbcontroller.build.result import Claim
from lbcontroller.keys import ObjectName
from lbcontroller.model.enums import Protocol
from lbcontroller.model.references import Kind, Ref, ResourceId
from lbcontroller.model.resources import CertificateRef, RequestedCertificate

_POLICY: Final = IngressAnnotations.key_of("ssl_policy")
_MUTUAL: Final = IngressAnnotations.key_of("mutual_authentication")


def claims(
    ports: Iterable[SharedPort],
    wishes: Mapping[ObjectName, Wishes],
    requested: Mapping[ObjectName, RequestedCertificate],
) -> tuple[Claim, ...]:
    """Return what members bring to their listeners, and to the certificates that are made for them.

    Args:
        ports: the listeners of the group.
        wishes: of the members that are served.
        requested: the certificates that ACM is asked for, by whoever waits for one, too.
    """
    of_listeners = (claim for port in ports for claim in _of_listener(port, wishes))
    of_certificates = (
        Claim(resource=certificate.id, field="secret", value=str(certificate.secret), member=name)
        for name, one in wishes.items()
        for certificate in one.certificates.imported
    )
    of_requests = (
        Claim(resource=certificate.id, field="hosts", value=certificate.hosts[0], member=name)
        for name, certificate in requested.items()
    )
    return (*of_listeners, *of_certificates, *of_requests)


def _of_listener(port: SharedPort, wishes: Mapping[ObjectName, Wishes]) -> Iterator[Claim]:
    id_ = ResourceId(Kind.LISTENER, str(port.port))
    served = {member.context.subject: member.name for member in port.members if member.name in wishes}
    for name in served.values():
        yield Claim(resource=id_, field="port", value="", member=name)
    if port.protocol is Protocol.HTTPS:
        for name in served.values():
            for certificate in wishes[name].certificates.used:
                value = certificate_name(certificate)
                yield Claim(resource=id_, field="certificates", value=value, member=name)
            for mutual in _of_port(wishes[name], port.port):
                if port.speakers.get(_MUTUAL) in served and served[port.speakers[_MUTUAL]] == name:
                    yield Claim(
                        resource=id_,
                        field="mutual_authentication",
                        value=mutual,
                        member=name,
                        setting="mutual_authentication",
                    )
        if port.ssl_policy is not None and (speaker := served.get(port.speakers.get(_POLICY, ""))):
            yield Claim(
                resource=id_, field="ssl_policy", value=port.ssl_policy, member=speaker, setting="ssl_policy"
            )


def _of_port(wishes: Wishes, port: int) -> Iterator[str]:
    mutual = wishes.mutual_authentication.get(port)
    if mutual is not None:
        yield str(mutual.trust_store or mutual.mode)


def certificate_name(certificate: CertificateRef) -> str:
    """Return the ARN of a certificate, or the name of the one that is made from a Secret."""
    return certificate.to.name if isinstance(certificate, Ref) else certificate
