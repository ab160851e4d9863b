"""What the core has to tell a user beside the result: it reports by returning, the shell publishes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How loud a finding is."""

    INFO = "info"
    """Worth knowing; shown by `plan` and in logs."""
    NOTICE = "notice"
    """What goes on; also a Normal event."""
    WARNING = "warning"
    """Probably not what the user meant; also a Warning event."""


class FindingReason(StrEnum):
    """Machine-readable class of a finding; also the event's reason."""

    UNKNOWN_ANNOTATION = "UnknownAnnotation"
    UNKNOWN_ATTRIBUTE = "UnknownAttribute"
    MISSING_ANNOTATION = "MissingAnnotation"
    SUBNETS_LEFT_OUT = "SubnetsLeftOut"
    ADDRESS_ORDER = "AddressOrder"
    OVER_DEFAULT_QUOTA = "OverDefaultQuota"
    IGNORED_SETTING = "IgnoredSetting"
    NEEDS_REPLACEMENT = "NeedsReplacement"
    KEPT_AS_IS = "KeptAsIs"
    CANONICALIZED = "Canonicalized"
    FOREIGN_RESOURCE = "ForeignResource"
    DELETION_PROTECTED = "DeletionProtected"
    REPLACING = "Replacing"
    POSTPONED = "Postponed"
    CERTIFICATE_PENDING = "CertificatePending"
    UNREACHABLE_RULE = "UnreachableRule"
    BACKEND_NOT_FOUND = "BackendNotFound"
    TARGETS_LEFT_OUT = "TargetsLeftOut"
    DEREGISTRATION_HELD = "DeregistrationHeld"
    RULES_HELD = "RulesHeld"
    TARGET_GROUP_CHANGED = "TargetGroupChanged"
    SHORT_GRACE_PERIOD = "ShortGracePeriod"
    DRAIN_NOT_COORDINATED = "DrainNotCoordinated"
    DRIFT_REPAIRED = "DriftRepaired"
    DRIFT_REPORTED = "DriftReported"
    SHARED_SERVER_ID = "SharedServerId"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Finding:
    """One remark about an object of the user."""

    severity: Severity
    subject: str
    """The object, as `Kind namespace/name`."""
    reason: FindingReason
    message: str
