"""Shield Advanced: whether a load balancer is protected, by a protection that we may take away."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from lbcontroller.aws.caller import AwsCaller
from lbcontroller.aws.errors import is_duplicate, is_not_found
from lbcontroller.aws.operations import (
    CREATE_PROTECTION,
    DELETE_PROTECTION,
    DESCRIBE_PROTECTION,
    GET_SUBSCRIPTION_STATE,
)
from lbcontroller.errors import InvalidConfig, NotReady
from lbcontroller.model.ids import Arn
from lbcontroller.telemetry.logs import event

LOGGER: Final = logging.getLogger(__name__)
PROTECTION_NAME: Final = "managed by aws-load-balancer-controller"
"""Name of the protections that this program makes, the one that LBC gives its own."""
OUR_NAMES: Final = frozenset({PROTECTION_NAME, "managed by aws-alb-ingress-controller"})
"""Names of the protections that may be taken away again."""
SUBSCRIPTION_SECONDS: Final = 7200.0
"""For how long it is remembered whether the account has subscribed to Shield Advanced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """A protection of a load balancer."""

    id: str
    is_ours: bool


@dataclass(slots=True, kw_only=True)
class Shield:
    """Reads and changes the protections of load balancers; for any thread."""

    caller: AwsCaller
    clock: Callable[[], float] = time.monotonic
    """In seconds."""
    _subscribed: bool = False
    _known_until: float = float("-inf")
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def protects(self, load_balancer: Arn, *, wanted: bool) -> bool:
        """Return whether a load balancer is protected as far as we decide about it.

        A protection that somebody else made is neither ours to make nor to take away, and without a
        subscription there is none: then the answer is what is wanted.

        Raises:
            LbControllerError: as `AwsCaller.call` does.
        """
        if not self.is_subscribed():
            return wanted
        found = self._protection_of(load_balancer)
        if found is None:
            return False
        return found.is_ours or wanted

    def set(self, load_balancer: Arn, *, wanted: bool) -> None:
        """Protect a load balancer, or take the protection away if it is ours.

        Raises:
            LbControllerError: as `AwsCaller.call` does.
        """
        if not self.is_subscribed():
            return
        if wanted:
            self._create(load_balancer)
        elif (found := self._protection_of(load_balancer)) is not None and found.is_ours:
            self._delete(found)

    def is_subscribed(self) -> bool:
        """Return whether the account has subscribed to Shield Advanced, which is not for us to do.

        Raises:
            LbControllerError: as `AwsCaller.call` does.
        """
        with self._lock:
            if self.clock() < self._known_until:
                return self._subscribed
        subscribed = str(self.caller.call(GET_SUBSCRIPTION_STATE)["SubscriptionState"]) == "ACTIVE"
        if not subscribed:
            event(LOGGER, logging.WARNING, "shield_not_subscribed")
        with self._lock:
            self._subscribed, self._known_until = subscribed, self.clock() + SUBSCRIPTION_SECONDS
        return subscribed

    def _protection_of(self, load_balancer: Arn) -> Protection | None:
        try:
            found = self.caller.call(DESCRIBE_PROTECTION, ResourceArn=load_balancer)["Protection"]
        except NotReady as error:
            if not is_not_found(error):
                raise
            return None
        return Protection(id=found["Id"], is_ours=found.get("Name") in OUR_NAMES)

    def _create(self, load_balancer: Arn) -> None:
        try:
            self.caller.call(CREATE_PROTECTION, Name=PROTECTION_NAME, ResourceArn=load_balancer)
        except InvalidConfig as error:
            # A reply was lost, or somebody else made one: it is protected.
            if not is_duplicate(error):
                raise

    def _delete(self, protection: Protection) -> None:
        try:
            self.caller.call(DELETE_PROTECTION, ProtectionId=protection.id)
        except NotReady as error:
            if not is_not_found(error):
                raise
