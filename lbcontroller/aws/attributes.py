"""The calls that set attributes, and what AWS refuses of them.

Attributes that AWS documents are set as part of their resource: a load balancer without them is not the one
that was asked for, so a refusal stops the plan. Attributes that AWS does not document, new or misspelt ones,
are set behind them by a call of their own, because AWS refuses a call as a whole. Nothing else depends on
them, so their refusal stops nothing else.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from lbcontroller.aws.caller import AwsCaller
from lbcontroller.aws.mirror import Mirror
from lbcontroller.aws.operations import (
    MODIFY_LISTENER_ATTRIBUTES,
    MODIFY_LOAD_BALANCER_ATTRIBUTES,
    MODIFY_TARGET_GROUP_ATTRIBUTES,
    Operation,
)
from lbcontroller.aws.wire import attribute_list
from lbcontroller.errors import Refused
from lbcontroller.model.attributes import undocumented
from lbcontroller.model.fields import Attributes, Mark
from lbcontroller.model.ids import Arn
from lbcontroller.model.references import Kind, ResourceId
from lbcontroller.model.resources import Listener, LoadBalancer, TargetGroup

ASK_AGAIN_SECONDS: Final = 240.0
"""Less than the worker's pause after bad input: the retry behind it asks AWS again, nothing before does."""

_CALLS: Final[Mapping[Kind, tuple[Operation, str]]] = {
    Kind.LOAD_BALANCER: (MODIFY_LOAD_BALANCER_ATTRIBUTES, "LoadBalancerArn"),
    Kind.TARGET_GROUP: (MODIFY_TARGET_GROUP_ATTRIBUTES, "TargetGroupArn"),
    Kind.LISTENER: (MODIFY_LISTENER_ATTRIBUTES, "ListenerArn"),
}


class AttributesRefused(Refused):
    """AWS refuses attributes of a resource, which exists all the same."""

    def __init__(self, subject: ResourceId, arn: Arn, attributes: Attributes, error: Refused) -> None:
        """Say with `error` which attributes were in the call."""
        super().__init__(*error.problems)
        self.subject = subject
        self.arn = arn
        self.attributes = attributes


class UndocumentedRefused(AttributesRefused):
    """AWS refuses attributes that it does not document; whatever else was asked for is not affected."""


@dataclass(frozen=True, slots=True)
class _Refusal:
    attributes: Attributes
    error: Refused
    until: float


@dataclass(slots=True, kw_only=True)
class AttributeWriter:
    """Sets attributes, writing through to the mirror; for any thread."""

    caller: AwsCaller
    mirror: Mirror
    clock: Callable[[], float] = time.monotonic
    """In seconds."""
    _refused: dict[Arn, _Refusal] = field(default_factory=dict)
    """What AWS refused last of each resource, so that it is not asked the same at each reconcile."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def write(
        self,
        arn: Arn,
        desired: LoadBalancer | TargetGroup | Listener,
        present: Attributes | Mark,
        attributes: Attributes,
    ) -> None:
        """Set those of the desired attributes that differ.

        Args:
            arn: the resource.
            desired: what it is to be.
            present: the attributes it has, for the mirror; a mark where they are not known.
            attributes: what to set; nothing is called when there is none.

        Raises:
            AttributesRefused: AWS does not take attributes that it documents.
            UndocumentedRefused: AWS does not take others; those that it documents are set.
            LbControllerError: as `AwsCaller.call` does.
        """
        new = undocumented(desired)
        documented = {key: value for key, value in attributes.items() if key not in new}
        others = {key: value for key, value in attributes.items() if key in new}
        if documented:
            self._set(arn, desired.id, documented)
            present = self._record(arn, present, documented)
        if others:
            self._try(arn, desired.id, others)
            self._record(arn, present, others)

    def _set(self, arn: Arn, subject: ResourceId, attributes: Attributes) -> None:
        operation, parameter = _CALLS[subject.kind]
        try:
            self.caller.call(operation, **{parameter: arn}, Attributes=attribute_list(attributes))
        except Refused as error:
            raise AttributesRefused(subject, arn, attributes, error) from error.__cause__

    def _try(self, arn: Arn, subject: ResourceId, attributes: Attributes) -> None:
        with self._lock:
            last = self._refused.pop(arn, None)
            if last is not None and last.attributes == attributes and self.clock() < last.until:
                self._refused[arn] = last
                raise UndocumentedRefused(subject, arn, attributes, last.error)
        try:
            self._set(arn, subject, attributes)
        except AttributesRefused as error:
            with self._lock:
                self._refused[arn] = _Refusal(attributes, error, self.clock() + ASK_AGAIN_SECONDS)
            raise UndocumentedRefused(subject, arn, attributes, error) from error.__cause__

    def _record(self, arn: Arn, present: Attributes | Mark, attributes: Attributes) -> Attributes | Mark:
        if isinstance(present, Mark):
            return present
        now = {**present, **attributes}
        self.mirror.amend(arn, attributes=now)
        return now
