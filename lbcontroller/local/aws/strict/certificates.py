"""Certificate summaries as ACM lists them: common key types by default, with their domain names."""

from __future__ import annotations

from typing import Any, Final

from moto.acm.responses import AWSCertificateManagerResponse
from moto.core.responses import ActionResult

from lbcontroller.local.aws.strict.patching import Method, wrap

_DEFAULT_KEY_TYPES: Final = frozenset({"RSA_1024", "RSA_2048"})
"""What ListCertificates lists unless `Includes.keyTypes` asks for more."""


def install() -> None:
    """Patch ListCertificates."""
    wrap(AWSCertificateManagerResponse, "list_certificates", _as_acm_lists)


def _as_acm_lists(original: Method) -> Method:
    def list_certificates(response: Any) -> ActionResult:
        includes = response._get_param("Includes") or {}  # noqa: SLF001 - moto's way to read parameters
        summaries = original(response).result["CertificateSummaryList"]
        if not includes.get("keyTypes"):
            summaries = [item for item in summaries if item["KeyAlgorithm"] in _DEFAULT_KEY_TYPES]
        return ActionResult({"CertificateSummaryList": [_with_names(item) for item in summaries]})

    return list_certificates


def _with_names(summary: dict[str, Any]) -> dict[str, Any]:
    names = summary.get("SubjectAlternativeNames") or [summary["DomainName"]]
    return {
        **summary,
        "SubjectAlternativeNameSummaries": names,
        "HasAdditionalSubjectAlternativeNames": False,
    }
