"""Pages for the describe calls of EC2 and ACM that moto answers in one go."""

from __future__ import annotations

from typing import Any, Final

from moto.acm.responses import AWSCertificateManagerResponse
from moto.core.responses import ActionResult
from moto.ec2.exceptions import InvalidParameterValueError
from moto.ec2.responses.elastic_network_interfaces import ElasticNetworkInterfaces
from moto.ec2.responses.security_groups import SecurityGroups
from moto.ec2.responses.subnets import Subnets

from lbcontroller.local.aws.strict.patching import Method, wrap

_PAGED: Final[tuple[tuple[type, str, str, str], ...]] = (
    (Subnets, "describe_subnets", "Subnets", "MaxResults"),
    (SecurityGroups, "describe_security_groups", "SecurityGroups", "MaxResults"),
    (ElasticNetworkInterfaces, "describe_network_interfaces", "NetworkInterfaces", "MaxResults"),
    (AWSCertificateManagerResponse, "list_certificates", "CertificateSummaryList", "MaxItems"),
)
"""Class, method, list member of the answer, parameter with the page size."""


def install() -> None:
    """Patch the calls in `_PAGED`."""
    for owner, method, member, size in _PAGED:
        wrap(owner, method, _Paging(member, size))


class _Paging:
    """Makes a paged method of one that answers everything."""

    def __init__(self, member: str, size_parameter: str) -> None:
        self._member = member
        self._size_parameter = size_parameter

    def __call__(self, original: Method) -> Method:
        def describe(response: Any) -> ActionResult:
            token = response._get_param("NextToken") or "0"  # noqa: SLF001 - moto's way to read parameters
            if not token.isdecimal():
                raise InvalidParameterValueError(token)
            answer = dict(original(response).result)
            items = list(answer[self._member])
            size = response._get_int_param(self._size_parameter)  # noqa: SLF001 - as above
            start = int(token)
            end = len(items) if size is None else start + size
            answer[self._member] = items[start:end]
            answer["NextToken"] = str(end) if end < len(items) else None
            return ActionResult(answer)

        return describe
