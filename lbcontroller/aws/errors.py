"""What an AWS error means: the only place that knows AWS's error codes.

| reaction    | class         | who acts; when it is tried again                                        |
|-------------|---------------|-------------------------------------------------------------------------|
| THROTTLED   | Transient     | in place, slower; then by the work queue                                |
| UNAVAILABLE | Transient     | in place; then by the work queue                                        |
| LATER       | Transient     | by the work queue                                                       |
| UNKNOWN     | Transient     | by the work queue; counted, because a row is missing here               |
| WAITING     | NotReady      | soon                                                                    |
| NOT_FOUND   | NotReady      | soon: what we remembered is forgotten and planned anew                  |
| DENIED      | Denied        | the administrator (IAM)                                                 |
| QUOTA       | Denied        | the administrator (a quota)                                             |
| PROTECTED   | Denied        | the owner of the load balancer (deletion protection)                    |
| REFUSED     | Refused       | the user, with a change                                                 |
| DUPLICATE   | Refused       | the user, unless what exists turns out to be ours                       |

The original error stays reachable as `__cause__`; the predicates below look there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from botocore.exceptions import (
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
    MetadataRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
)
from botocore.exceptions import ConnectionError as NoConnectionError
from botocore.parsers import ResponseParserError

from lbcontroller.aws.operations import Operation
from lbcontroller.errors import Denied, LbControllerError, NotReady, Problem, Refused, Transient

NO_ANSWER: Final = (
    NoConnectionError,
    HTTPClientError,
    IncompleteReadError,
    ResponseParserError,
    CredentialRetrievalError,
    MetadataRetrievalError,
)
"""The request may or may not have been carried out."""
NO_CREDENTIALS: Final = (NoCredentialsError, PartialCredentialsError)
AWS_ERRORS: Final = (ClientError, *NO_ANSWER, *NO_CREDENTIALS)
"""Everything that may go wrong with a call which is not our bug."""
GONE_SECONDS: Final = 1.0
"""How soon the work for which something is gone is planned anew."""


class Reaction(StrEnum):
    """What to do about an error."""

    THROTTLED = "throttled"
    UNAVAILABLE = "unavailable"
    LATER = "later"
    UNKNOWN = "unknown"
    WAITING = "waiting"
    NOT_FOUND = "not-found"
    DENIED = "denied"
    QUOTA = "quota"
    PROTECTED = "protected"
    REFUSED = "refused"
    DUPLICATE = "duplicate"


RETRIED_IN_PLACE: Final = frozenset({Reaction.THROTTLED, Reaction.UNAVAILABLE})

_CODES: Final[Mapping[Reaction, tuple[str, ...]]] = {
    Reaction.THROTTLED: (
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestLimitExceeded",
        "TooManyRequestsException",
        "EC2ThrottledException",
        "SlowDown",
    ),
    Reaction.UNAVAILABLE: (
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "InternalErrorException",
        "InternalServiceException",
        "WAFInternalErrorException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "Unavailable",
        "RequestTimeout",
        "RequestTimeoutException",
        "RequestExpired",
        "ExpiredToken",
        "ExpiredTokenException",
        "HealthUnavailable",
    ),
    Reaction.LATER: ("PriorityInUse", "TrustStoreInUse", "PaginationTokenExpiredException"),
    Reaction.WAITING: (
        "DependencyViolation",
        "InvalidGroup.InUse",
        "ResourceInUse",
        "CapacityReservationPending",
        "PriorRequestNotComplete",
        "InsufficientCapacity",
        "TrustStoreNotReady",
        "ResourceInUseException",
        "ConflictException",
        "RequestInProgressException",
        "OptimisticLockException",
        "WAFUnavailableEntityException",
    ),
    Reaction.NOT_FOUND: (
        "LoadBalancerNotFound",
        "ListenerNotFound",
        "RuleNotFound",
        "TargetGroupNotFound",
        "ResourceNotFoundException",
        "NoSuchHostedZone",
        "InvalidGroup.NotFound",
        "InvalidGroupId.NotFound",
        "InvalidSecurityGroupID.NotFound",
        "InvalidPermission.NotFound",
        "InvalidInstanceID.NotFound",
        "InvalidNetworkInterfaceID.NotFound",
    ),
    Reaction.DENIED: (
        "AccessDenied",
        "AccessDeniedException",
        "UnauthorizedOperation",
        "UnauthorizedAccess",
        "AuthFailure",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "SignatureDoesNotMatch",
        "OptInRequired",
    ),
    Reaction.DUPLICATE: (
        "DuplicateLoadBalancerName",
        "DuplicateTargetGroupName",
        "DuplicateListener",
        "InvalidGroup.Duplicate",
        "InvalidPermission.Duplicate",
        "ResourceAlreadyExistsException",
    ),
    Reaction.REFUSED: (
        "ValidationError",
        "ValidationException",
        "InvalidConfigurationRequest",
        "InvalidParameter",
        "InvalidParameterValue",
        "InvalidParameterCombination",
        "OperationNotPermitted",
        "SubnetNotFound",
        "InvalidSubnet",
        "InvalidSubnetID.NotFound",
        "InvalidSecurityGroup",
        "InvalidGroupId.Malformed",
        "InvalidPrefixListID.NotFound",
        "InvalidPrefixListId.NotFound",
        "InvalidVpcID.NotFound",
        "InvalidScheme",
        "AllocationIdNotFound",
        "AvailabilityZoneNotSupported",
        "CertificateNotFound",
        "SSLPolicyNotFound",
        "ALPNPolicyNotFound",
        "TrustStoreNotFound",
        "UnsupportedProtocol",
        "IncompatibleProtocols",
        "InvalidLoadBalancerAction",
        "InvalidTarget",
        "InvalidTags",
        "DuplicateTagKeys",
        "TargetGroupAssociationLimit",
        "InvalidParameterException",
        "InvalidDomainValidationOptionsException",
        "InvalidChangeBatch",
        "InvalidInput",
        "NoSuchHealthCheck",
        "NoSuchDelegationSet",
        "DelegationSetNotReusable",
        "InvalidArnException",
        "InvalidArgsException",
        "InvalidTagException",
        "TagPolicyException",
        "InvalidResourceException",
        "InvalidOperationException",
        "WAFNonexistentItemException",
        "WAFInvalidParameterException",
        "WAFInvalidOperationException",
        "WAFInvalidAccountException",
        "WAFFeatureNotIncludedInPricingPlanException",
    ),
}

REACTIONS: Final[Mapping[str, Reaction]] = {
    code: reaction for reaction, codes in _CODES.items() for code in codes
}
"""Reaction by AWS error code (source: the error lists of the API references of each service)."""

_REACTIONS_OF_OPERATIONS: Final[Mapping[tuple[str, str], Reaction]] = {
    # An Elastic IP is in use: perhaps by a load balancer that is being deleted, perhaps for ever.
    ("CreateLoadBalancer", "ResourceInUse"): Reaction.LATER,
    # It is the load balancer that WAF does not know: the call names nothing else.
    ("GetWebACLForResource", "WAFNonexistentItemException"): Reaction.NOT_FOUND,
    ("DisassociateWebACL", "WAFNonexistentItemException"): Reaction.NOT_FOUND,
}
_QUOTA_CODE: Final = re.compile(r"^TooMany|Limits?Exceeded(Exception)?$")
_RETRY_SECONDS: Final[Mapping[str, float]] = {
    "InsufficientCapacity": 60.0,
    "PriorRequestNotComplete": 15.0,
    # What is new is known to all parts of WAF, and what was detached to ACM, after seconds to minutes.
    "ResourceInUseException": 15.0,
    "WAFUnavailableEntityException": 15.0,
}
_IN_USE_SECONDS: Final = 2.0
_FORBIDDEN: Final = 403
_SERVER_ERROR: Final = 500
# An authorization failure carries a blob that is new each time: with it, every retry would be a new event.
_UNREPEATABLE: Final = re.compile(r"\s*Encoded authorization failure message:.*", re.DOTALL)


def reaction_to(operation: Operation, error: BaseException) -> Reaction:
    """Return what to do about an error that a call of `operation` raised."""
    if isinstance(error, NO_CREDENTIALS):
        return Reaction.DENIED
    if not isinstance(error, ClientError):
        return Reaction.UNAVAILABLE
    code = error.response.get("Error", {}).get("Code", "")
    if "deletion protection" in _message(error).lower():
        return Reaction.PROTECTED
    listed = _REACTIONS_OF_OPERATIONS.get((operation.name, code)) or REACTIONS.get(code)
    return listed or _by_shape(code, error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _by_shape(code: str, status: int) -> Reaction:
    if _QUOTA_CODE.search(code):
        return Reaction.QUOTA
    if status >= _SERVER_ERROR:
        return Reaction.UNAVAILABLE
    return Reaction.DENIED if status == _FORBIDDEN else Reaction.UNKNOWN


def translated(operation: Operation, error: BaseException) -> LbControllerError:
    """Return the error to raise from `error`."""
    reaction, text = reaction_to(operation, error), _text(error)
    match reaction:
        case Reaction.THROTTLED | Reaction.UNAVAILABLE | Reaction.LATER | Reaction.UNKNOWN:
            return Transient(f"{operation.action}: {text}")
        case Reaction.WAITING:
            seconds = _RETRY_SECONDS.get(_code(error), _IN_USE_SECONDS)
            return NotReady(f"{operation.action}: {text}", retry_after=seconds)
        case Reaction.NOT_FOUND:
            return NotReady(f"{operation.action}: {text}", retry_after=GONE_SECONDS)
        case Reaction.DENIED | Reaction.QUOTA | Reaction.PROTECTED:
            return Denied(operation.action, text)
        case Reaction.REFUSED | Reaction.DUPLICATE:
            return _refused(operation.action, text)


def as_refusal(denied: Denied) -> Refused:
    """Return a denial as the refusal of one setting: everything else does without that permission."""
    refused = _refused(denied.action, str(denied).removeprefix(f"{denied.action}: "))
    refused.__cause__ = denied.__cause__
    return refused


def _refused(action: str, text: str) -> Refused:
    return Refused(Problem(subject="AWS", field=action, value="", expected=f"AWS refuses it: {text}"))


def status_and_code(error: BaseException) -> tuple[int, str]:
    """Return HTTP status and AWS error code of what a request raised; 0 and empty without an answer."""
    if not isinstance(error, ClientError):
        return 0, ""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)), _code(error)


def code_of(error: BaseException) -> str:
    """Return the AWS error code behind an error raised by a call; empty when there was no answer."""
    return _code(error.__cause__) if error.__cause__ is not None else ""


def is_not_found(error: BaseException) -> bool:
    """Whether something that the call named does not exist."""
    return REACTIONS.get(code_of(error)) is Reaction.NOT_FOUND


def is_unauthorized(error: BaseException) -> bool:
    """Whether a permission is missing; what is gone has no tags, which most of our permissions depend on."""
    return REACTIONS.get(code_of(error)) is Reaction.DENIED


def is_duplicate(error: BaseException) -> bool:
    """Whether what the call was to make exists already."""
    return REACTIONS.get(code_of(error)) is Reaction.DUPLICATE


def is_deletion_protected(error: BaseException) -> bool:
    """Whether deletion protection is what refused the call."""
    return isinstance(error.__cause__, ClientError) and (
        "deletion protection" in _message(error.__cause__).lower()
    )


def would_be_done(error: BaseException) -> bool:
    """Whether a call was only to be tried and would have been carried out (EC2's `DryRun`)."""
    return code_of(error) == "DryRunOperation"


def is_priority_in_use(error: BaseException) -> bool:
    """Whether another rule of the listener has the priority that a rule was to get."""
    return code_of(error) == "PriorityInUse"


def is_missing_trust_store(error: BaseException) -> bool:
    """Whether a trust store that the call named does not exist."""
    return code_of(error) == "TrustStoreNotFound"


def is_unknown_to_waf(error: BaseException) -> bool:
    """Whether WAF does not know what the call named."""
    return code_of(error) == "WAFNonexistentItemException"


def is_quota(error: BaseException) -> bool:
    """Whether a quota is used up."""
    code = code_of(error)
    return (REACTIONS.get(code) or _by_shape(code, 0)) is Reaction.QUOTA


def is_certificate_limit(error: BaseException) -> bool:
    """Whether a load balancer has no room for more certificates."""
    return code_of(error) == "TooManyCertificates"


def is_rule_limit(error: BaseException) -> bool:
    """Whether a security group has no room for more rules."""
    return code_of(error) == "RulesPerSecurityGroupLimitExceeded"


def is_missing_security_group(error: BaseException) -> bool:
    """Whether a security group that the call named does not exist."""
    return code_of(error) in (
        "InvalidSecurityGroup",
        "InvalidGroup.NotFound",
        "InvalidGroupId.NotFound",
        "InvalidSecurityGroupID.NotFound",
    )


def is_missing_vpc(error: BaseException) -> bool:
    """Whether a VPC that the call named does not exist, or belongs to another account."""
    return code_of(error) == "InvalidVpcID.NotFound"


def is_invalid_target(error: BaseException) -> bool:
    """Whether one of several targets was refused, and with it all of the call's."""
    return code_of(error) in ("InvalidTarget", "ValidationError")


def needs_zone(error: BaseException) -> bool:
    """Whether a target was refused because AWS takes its address only together with a zone."""
    cause = error.__cause__
    return isinstance(cause, ClientError) and "specify an availability zone" in _message(cause).lower()


def _code(error: BaseException) -> str:
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def _message(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Message", ""))


def _text(error: BaseException) -> str:
    """Return what happened in words that are the same each time it happens."""
    if isinstance(error, ClientError):
        return f"{_code(error)}: {_UNREPEATABLE.sub('', _message(error))}"
    if isinstance(error, NO_CREDENTIALS):
        return "no AWS credentials were found"
    return f"no answer from AWS ({type(error).__name__})"
