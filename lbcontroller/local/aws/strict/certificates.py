"""ACM: summaries as it lists them, imports in place, certificates in use, validation through Route 53."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from moto.acm.exceptions import AWSValidationException
from moto.acm.models import AWSCertificateManagerBackend, CertBundle
from moto.acm.responses import AWSCertificateManagerResponse
from moto.core.exceptions import AWSError
from moto.core.responses import ActionResult
from moto.elbv2.models import elbv2_backends
from moto.route53.models import route53_backends

from lbcontroller.local.aws.strict.patching import Method, wrap

_DEFAULT_KEY_TYPES: Final = frozenset({"RSA_1024", "RSA_2048"})
"""What ListCertificates lists unless `Includes.keyTypes` asks for more."""
_LISTED_NAMES: Final = 100
"""Names that a summary has room for (CertificateSummary, SubjectAlternativeNameSummaries)."""


class CertificateInUseError(AWSError):
    """A listener uses a certificate that is to be deleted."""

    TYPE = "ResourceInUseException"


def install() -> None:
    """Patch ACM."""
    wrap(AWSCertificateManagerResponse, "list_certificates", _as_acm_lists)
    wrap(AWSCertificateManagerBackend, "import_certificate", _in_place)
    wrap(AWSCertificateManagerBackend, "delete_certificate", _unless_used)
    wrap(AWSCertificateManagerBackend, "describe_certificate", _validated_by_records)
    wrap(AWSCertificateManagerResponse, "describe_certificate", _with_users)
    wrap(CertBundle, "check", _without_time)


def _as_acm_lists(original: Method) -> Method:
    def list_certificates(response: Any) -> ActionResult:
        includes = response._get_param("Includes") or {}  # noqa: SLF001 - moto's way to read parameters
        summaries = original(response).result["CertificateSummaryList"]
        if not includes.get("keyTypes"):
            summaries = [item for item in summaries if item["KeyAlgorithm"] in _DEFAULT_KEY_TYPES]
        if response._get_param("SortBy") == "CREATED_AT":  # noqa: SLF001 - as above
            newest_first = response._get_param("SortOrder") == "DESCENDING"  # noqa: SLF001 - as above
            summaries = sorted(summaries, key=_made_at, reverse=newest_first)
        return ActionResult({"CertificateSummaryList": [_with_names(item) for item in summaries]})

    return list_certificates


def _made_at(summary: dict[str, Any]) -> float:
    return float(summary.get("CreatedAt") or summary["ImportedAt"])


def _with_names(summary: dict[str, Any]) -> dict[str, Any]:
    names = summary.get("SubjectAlternativeNames") or [summary["DomainName"]]
    return {
        **summary,
        "SubjectAlternativeNameSummaries": names[:_LISTED_NAMES],
        "HasAdditionalSubjectAlternativeNames": len(names) > _LISTED_NAMES,
    }


def _in_place(original: Method) -> Method:
    """ImportCertificate that checks the key, and keeps what belongs to the ARN when it is given one."""

    def import_certificate(backend: Any, certificate: bytes, private_key: bytes, **options: Any) -> str:
        before = backend._certificates.get(options["arn"])  # noqa: SLF001 - moto's store
        if options["arn"] is not None and options["tags"]:
            raise AWSValidationException("Tagging is not permitted on re-import.")
        if before is not None and before.type != "IMPORTED":
            raise AWSValidationException("The certificate is not an imported certificate.")
        if _public_key(certificate) != _public_key_of(private_key):
            raise AWSValidationException("The certificate and the private key do not match.")
        if before is not None and _kind_of_key(before.cert) != _kind_of_key(certificate):
            raise AWSValidationException("The key algorithm of a re-imported certificate cannot change.")
        arn: str = original(backend, certificate, private_key, **options)
        if before is not None:
            backend._certificates[arn].tags = before.tags  # noqa: SLF001 - as above
        return arn

    return import_certificate


def _public_key(certificate: bytes) -> bytes:
    try:
        key = x509.load_pem_x509_certificate(certificate).public_key()
    except ValueError:
        raise AWSValidationException("The certificate is not PEM-encoded or is not valid.") from None
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _public_key_of(private_key: bytes) -> bytes:
    try:
        key = serialization.load_pem_private_key(private_key, password=None)
    except (ValueError, TypeError):
        raise AWSValidationException("The private key is not PEM-encoded or is not valid.") from None
    return key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _kind_of_key(certificate: bytes) -> tuple[str, int]:
    key: Any = x509.load_pem_x509_certificate(certificate).public_key()
    return type(key).__name__, key.key_size


def _unless_used(original: Method) -> Method:
    """DeleteCertificate that refuses while a listener has the certificate, and ends its token."""

    def delete_certificate(backend: Any, arn: str) -> None:
        users = sorted(_users(backend, arn))
        if users:
            raise CertificateInUseError(f"Certificate {arn} in account {backend.account_id} is in use.")
        original(backend, arn)
        tokens = backend._idempotency_tokens  # noqa: SLF001 - moto's store
        for token in [token for token, entry in tokens.items() if entry["arn"] == arn]:
            del tokens[token]

    return delete_certificate


def _users(backend: Any, certificate: str) -> Iterator[str]:
    for load_balancer in elbv2_backends[backend.account_id][backend.region_name].load_balancers.values():
        listeners: Any = load_balancer.listeners  # of StrictListener
        for listener in listeners.values():
            if certificate in {listener.certificate, *listener.extra_certificates}:
                yield load_balancer.arn


def _without_time(_original: Method) -> Method:
    """A check without the clock: moto issues after a minute, ACM when it sees the records."""

    def check(_bundle: Any) -> None:
        return

    return check


def _validated_by_records(original: Method) -> Method:
    """DescribeCertificate of a certificate that is issued once every record is in a public hosted zone.

    The first look at a request comes too early: ACM shows the records some seconds later.
    """

    def describe_certificate(backend: Any, arn: str) -> Any:
        bundle = original(backend, arn)
        if bundle.status == "PENDING_VALIDATION" and _wanted(bundle) <= set(_records(backend.account_id)):
            bundle.status = "ISSUED"
        return bundle

    return describe_certificate


def _wanted(bundle: Any) -> set[tuple[str, str]]:
    options = bundle.describe()["Certificate"]["DomainValidationOptions"]
    return {(option["ResourceRecord"]["Name"], option["ResourceRecord"]["Value"]) for option in options}


def _records(account: str) -> Iterator[tuple[str, str]]:
    zones: Any = route53_backends[account]["aws"].zones.values()
    for zone in zones:
        for record in () if zone.private_zone else zone.rrsets:
            for value in record.records if record.type == "CNAME" else ():
                yield record.name, value["Value"] if isinstance(value, dict) else value


def _with_users(original: Method) -> Method:
    """DescribeCertificate that tells who uses the certificate, and no records at the first look."""

    def describe_certificate(response: Any) -> ActionResult:
        result = original(response).result["Certificate"]
        backend = response.acm_backend
        bundle = backend._certificates[result["CertificateArn"]]  # noqa: SLF001 - moto's store
        seen = getattr(bundle, "seen", False)
        bundle.seen = True
        result = {**result, "InUseBy": sorted(_users(backend, result["CertificateArn"]))}
        if not seen and result["Status"] == "PENDING_VALIDATION":
            options = result.get("DomainValidationOptions", ())
            result["DomainValidationOptions"] = [
                {key: value for key, value in option.items() if key != "ResourceRecord"} for option in options
            ]
        return ActionResult({"Certificate": result})

    return describe_certificate
