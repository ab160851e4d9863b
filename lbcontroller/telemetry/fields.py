"""The closed list of fields that a log line may carry beside its event name.

Searches, alerts and dashboards are written against these names, so a field is added here and never invented
where something is logged. Being a `TypedDict`, the list is enforced by the type checker.
"""

from __future__ import annotations

from typing import Final, TypedDict


class LogFields(TypedDict, total=False):
    """Every field by name."""

    key: object
    """The key of the work that was going on."""
    subject: object
    """A Kubernetes object, as `Kind namespace/name` or `namespace/name`."""
    resource: str
    """A plural of the Kubernetes API, such as `pods`."""
    reason: str
    """Machine-readable class of what is reported."""
    message: str
    """What happened, in words."""
    error: object
    """The error, as its text."""
    arn: str
    """An AWS resource."""
    service: str
    """An AWS service id."""
    operation: str
    """An AWS operation, or what an admission webhook is asked about."""
    action: str
    """A permission, such as `elasticloadbalancing:CreateLoadBalancer` or `patch services/status`."""
    code: str | int
    """An error code of AWS or a status of the API server."""
    request_id: str
    """The id by which AWS support finds a request."""
    step: str
    """A step of a plan."""
    outcome: str
    """How something ended."""
    count: int
    """How many."""
    failures: int
    """Failures in a row."""
    seconds: float
    """How long something took."""
    retry_after: float
    """Seconds until the next attempt."""
    identity: str
    """Who holds, or wants, the lease."""
    webhook: str
    """The path of an admission webhook."""
    address: str
    """Host and port of a server."""
    flag: str
    """A command line flag."""
    value: object
    """What a user wrote."""
    version: str
    """Version of this program."""


FIELD_NAMES: Final = frozenset(LogFields.__annotations__)
