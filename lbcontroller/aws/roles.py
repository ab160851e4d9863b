"""Target groups of other accounts: clients with the credentials of a role that we assume."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from lbcontroller.aws.caller import AwsCaller
from lbcontroller.aws.operations import ASSUME_ROLE, AwsService
from lbcontroller.aws.session import AwsClients
from lbcontroller.aws.wire import without_nones

RENEWED_BEFORE: Final = timedelta(seconds=30)
"""Credentials are not used in their last moments: a call could outlive them."""
SESSION_NAME_LENGTH: Final = 64
"""Most characters of a session's name (STS API reference, AssumeRole)."""
_NOT_IN_SESSION_NAMES: Final = re.compile(r"[^A-Za-z0-9=,.@_-]")


_ACCOUNT_PART: Final = 4
"""Of `arn:aws:iam::123456789012:role/name`, counted from 0."""


class Role(NamedTuple):
    """A role to assume."""

    arn: str
    external_id: str | None


def account_of(role_arn: str) -> str:
    """Return the account that a role belongs to, or the whole text where it is no ARN."""
    parts = role_arn.split(":")
    return parts[_ACCOUNT_PART] if len(parts) > _ACCOUNT_PART else role_arn


class RoleClients:
    """Clients that act as a role; its credentials are renewed when they run out. Thread-safe."""

    def __init__(
        self,
        role: Role,
        *,
        caller: AwsCaller,
        clients: AwsClients,
        session_name: str,
        now: Callable[[], datetime],
    ) -> None:
        """Assume `role` with `caller` when a client is first asked for; `clients` are our own."""
        self._role = role
        self._caller = caller
        self._own_clients = clients
        self._session_name = session_name
        self._now = now
        self._lock = threading.Lock()
        self._clients: AwsClients | None = None
        self._good_until: datetime | None = None

    def client(self, service: AwsService) -> Any:
        """Return the client of a service.

        Raises:
            LbControllerError: the role cannot be assumed, as `AwsCaller.call` says.
        """
        with self._lock:
            if self._clients is None or self._good_until is None or self._now() >= self._good_until:
                self._clients, self._good_until = self._assume()
            return self._clients.client(service)

    def _assume(self) -> tuple[AwsClients, datetime]:
        request = without_nones(
            {
                "RoleArn": self._role.arn,
                "RoleSessionName": self._session_name,
                "ExternalId": self._role.external_id or None,
            }
        )
        credentials = self._caller.call(ASSUME_ROLE, **request)["Credentials"]
        expires: datetime = credentials["Expiration"]
        return self._own_clients.acting_as(credentials), expires - RENEWED_BEFORE


def session_name(cluster: str) -> str:
    """Return the name under which calls of a cluster's controller appear in the other account's logs."""
    return f"AWS-LBC-{_NOT_IN_SESSION_NAMES.sub('', cluster)}"[:SESSION_NAME_LENGTH]
