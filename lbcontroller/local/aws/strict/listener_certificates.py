"""Certificates of listeners: one default, SNI certificates beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from moto.core.responses import ActionResult, EmptyResult
from moto.elbv2.exceptions import TooManyCertificatesError

from lbcontroller.local.aws.strict.backend import StrictBackend, StrictCalls
from lbcontroller.local.aws.strict.errors import invalid, refused
from lbcontroller.local.aws.strict.paging import page

SECURE_PROTOCOLS: Final = frozenset({"HTTPS", "TLS"})
MAX_EXTRA_CERTIFICATES: Final = 25
"""Certificates per load balancer besides default ones ("Quotas for your Application Load Balancers")."""


class ListenerCertificateCalls(StrictCalls):
    """The API calls about certificates of listeners."""

    def add_listener_certificates(self) -> ActionResult:
        """Add SNI certificates; one that is there already stays there once."""
        backend, params = self.elbv2_backend, self._get_params()
        _, listener = backend.listener(params["ListenerArn"])
        _check_known(backend, params["Certificates"])
        wanted = [certificate["CertificateArn"] for certificate in params["Certificates"]]
        together = list(dict.fromkeys([*listener.extra_certificates, *wanted]))
        if len(together) > MAX_EXTRA_CERTIFICATES:
            raise TooManyCertificatesError
        listener.extra_certificates = together
        return ActionResult({"Certificates": [{"CertificateArn": arn} for arn in together]})

    def remove_listener_certificates(self) -> ActionResult:
        """Remove SNI certificates; the default certificate can only be replaced."""
        params = self._get_params()
        _, listener = self.elbv2_backend.listener(params["ListenerArn"])
        doomed = {certificate["CertificateArn"] for certificate in params["Certificates"]}
        if listener.certificate in doomed - set(listener.extra_certificates):
            raise refused("OperationNotPermitted", "Default certificate cannot be removed from the listener")
        listener.extra_certificates = [arn for arn in listener.extra_certificates if arn not in doomed]
        return EmptyResult()

    def describe_listener_certificates(self) -> ActionResult:
        """The default certificate first, then the SNI certificates."""
        params = self._get_params()
        _, listener = self.elbv2_backend.listener(params["ListenerArn"])
        default = [listener.certificate] if listener.certificate else []
        described = [
            *({"CertificateArn": arn, "IsDefault": True} for arn in default),
            *({"CertificateArn": arn, "IsDefault": False} for arn in listener.extra_certificates),
        ]
        return page(described, "Certificates", size=params.get("PageSize"), marker=params.get("Marker"))


def check_certificates(
    backend: StrictBackend, protocol: str | None, certificates: Sequence[Mapping[str, str]] | None
) -> None:
    """Refuse default certificates AWS would refuse.

    Raises:
        ELBClientError: ValidationError, TooManyCertificates or CertificateNotFound.
    """
    if protocol in SECURE_PROTOCOLS:
        if not certificates:
            raise invalid("A certificate must be specified for HTTPS or TLS listeners")
        if len(certificates) > 1:
            raise refused(
                "TooManyCertificates",
                f"Up to '1' certificate ARNs can be specified, but '{len(certificates)}' were specified",
            )
    _check_known(backend, certificates or ())


def _check_known(backend: StrictBackend, certificates: Sequence[Mapping[str, str]]) -> None:
    for certificate in certificates:
        arn = certificate["CertificateArn"]
        if not backend.has_certificate(arn):
            raise refused("CertificateNotFound", f"Certificate ARN '{arn}' is not valid")
