"""What is observed of a stack: from the mirror, and from AWS only for facts that nobody has read yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final, assert_never

from lbcontroller.aws.caller import AwsCaller
from lbcontroller.aws.errors import is_not_found
from lbcontroller.aws.listener_wire import decode_certificates
from lbcontroller.aws.load_balancer_state import read_state
from lbcontroller.aws.mirror import Mirror
from lbcontroller.aws.operations import (
    DESCRIBE_CAPACITY_RESERVATION,
    DESCRIBE_LISTENER_ATTRIBUTES,
    DESCRIBE_LISTENER_CERTIFICATES,
    DESCRIBE_LOAD_BALANCER_ATTRIBUTES,
    DESCRIBE_TARGET_GROUP_ATTRIBUTES,
    Operation,
)
from lbcontroller.aws.protections import PROTECTIONS, ProtectionRefused, Protections
from lbcontroller.aws.requested_certificates import look_again_at_requests
from lbcontroller.aws.wire import decode_attributes
from lbcontroller.errors import NotReady
from lbcontroller.model.fields import RESET, UNKNOWN, Mark, OnCreate
from lbcontroller.model.identity import StackId
from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import (
    InAws,
    LoadBalancerState,
    ObservedCertificate,
    ObservedListener,
    ObservedListenerRule,
    ObservedLoadBalancer,
    ObservedLoadBalancerTarget,
    ObservedRequestedCertificate,
    ObservedSecurityGroup,
    ObservedTargetGroup,
)
from lbcontroller.model.resources import Listener, LoadBalancer, Resource, Stack, TargetGroup
from lbcontroller.plan.policies import is_protected

Read = Callable[[], None]
ASK_AGAIN: Final = timedelta(seconds=45)
"""Until a protection is asked for again that the controller lacked the permission to read."""


@dataclass(frozen=True, slots=True)
class _Refusal:
    error: ProtectionRefused
    until: datetime


class Observer:
    """Tells what exists of a stack."""

    def __init__(
        self,
        caller: AwsCaller,
        mirror: Mirror,
        *,
        complete: Callable[[StackId], object],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Tell what is in `mirror`.

        Args:
            caller: reads what is missing.
            mirror: what is known.
            complete: reads the rest of a stack that was only partly read.
            now: the time.
        """
        self._caller = caller
        self._complete = complete
        self._mirror = mirror
        self._now = now
        self._protections = Protections.of(caller, mirror)
        self._refused: dict[tuple[Arn, str], _Refusal] = {}
        """By load balancer and field; stacks have load balancers of their own, and one worker at a time."""

    def observe(self, stack: StackId) -> tuple[InAws, ...]:
        """Return everything of a stack in AWS, ordered by ARN, without a call."""
        return self._mirror.observed(stack)

    def stacks(self) -> frozenset[StackId]:
        """Return every stack that has something in AWS."""
        return self._mirror.stacks()

    def is_partly_read(self, stack: StackId) -> bool:
        """Return whether there may be listeners and rules in a stack that nobody has read."""
        return self._mirror.is_partly_read(stack)

    def was_doubted(self, stack: StackId) -> bool:
        """Return whether what costs a call is read where it matters; until then checkpoints are believed."""
        return self._mirror.was_doubted(stack)

    def complete(self, stack: StackId) -> None:
        """Read the listeners and rules of a stack exactly, if that was not done since the start.

        Raises:
            LbControllerError: as `AwsCaller.call` does.
        """
        if self._mirror.is_partly_read(stack):
            self._complete(stack)

    def doubt(self, stack: StackId) -> int:
        """Make `read_unknown` read again what no bulk read verifies: somebody may have changed it.

        Returns:
            How many calls that may take.
        """
        return self._mirror.doubt(stack)

    def read_unknown(self, stack: Stack) -> tuple[ProtectionRefused, ...]:
        """Read the facts that `stack` manages and nobody has read yet.

        Most facts come with the bulk read, and those of what we made ourselves are known. What is left costs
        a call for each resource, so it is read only where something is asked for.

        Returns:
            What may not be read, which is left as it is.

        Raises:
            LbControllerError: as `AwsCaller.call` does.
        """
        existing = [(observed.resource.id, observed) for observed in self._mirror.observed(stack.id)]
        reads = [
            read
            for desired in stack.resources
            for id_, observed in existing
            if id_ == desired.id
            for read in self._missing(desired, observed)
        ]
        refused = []
        for read in reads:
            try:
                read()
            except ProtectionRefused as error:
                refused.append(error)
        return tuple(refused)

    def read_certificates(self, stack: StackId) -> int:
        """Read the certificates of a stack's listeners that nobody has read; return how many calls that took.

        A build needs them before it can say what it wants, where somebody keeps what was there.

        Raises:
            LbControllerError: as `AwsCaller.call` does.
        """
        unknown = [
            item.arn
            for item in self._mirror.observed(stack)
            if isinstance(item, ObservedListener) and item.resource.certificates is UNKNOWN
        ]
        for arn in unknown:
            self._read_certificates(arn)
        return len(unknown)

    def refresh_requests(self, stack: StackId) -> None:
        """Read again what became of the certificates that were requested and not issued so far."""
        look_again_at_requests(self._caller, self._mirror, stack)

    def refresh_states(self, stack: StackId) -> None:
        """Read again whether load balancers are set up that were not when they were last seen.

        Raises:
            LbControllerError: as `AwsCaller.call` does.
        """
        for observed in self._load_balancers(stack):
            if observed.state is LoadBalancerState.PROVISIONING:
                read_state(self._caller, self._mirror, observed.arn, self._now())

    def refresh_protection(self, stack: StackId) -> None:
        """Read again whether load balancers are still protected that were when they were last seen.

        Raises:
            LbControllerError: as `AwsCaller.call` does.
        """
        for observed in self._load_balancers(stack):
            if is_protected(observed.resource):
                self._read_attributes(DESCRIBE_LOAD_BALANCER_ATTRIBUTES, "LoadBalancerArn", observed.arn)

    def _load_balancers(self, stack: StackId) -> Iterator[ObservedLoadBalancer]:
        return (item for item in self._mirror.observed(stack) if isinstance(item, ObservedLoadBalancer))

    def _missing(self, desired: Resource, observed: InAws) -> Iterator[Read]:
        arn = observed.arn
        match observed:
            case ObservedLoadBalancer(resource=load_balancer) if isinstance(desired, LoadBalancer):
                yield from self._missing_of_load_balancer(arn, desired, load_balancer)
            case ObservedTargetGroup(resource=target_group) if isinstance(desired, TargetGroup):
                if desired.attributes and target_group.attributes is UNKNOWN:
                    yield partial(
                        self._read_attributes, DESCRIBE_TARGET_GROUP_ATTRIBUTES, "TargetGroupArn", arn
                    )
            case ObservedListener(resource=listener) if isinstance(desired, Listener):
                if desired.attributes and listener.attributes is UNKNOWN:
                    yield partial(self._read_attributes, DESCRIBE_LISTENER_ATTRIBUTES, "ListenerArn", arn)
                if _is_unknown(desired.certificates, listener.certificates):
                    yield partial(self._read_certificates, arn)
            case (
                ObservedSecurityGroup()
                | ObservedCertificate()
                | ObservedRequestedCertificate()
                | ObservedLoadBalancer()
                | ObservedTargetGroup()
                | ObservedListener()
                | ObservedListenerRule()
                | ObservedLoadBalancerTarget()
            ):
                pass
            case _:
                assert_never(observed)

    def _missing_of_load_balancer(
        self, arn: Arn, desired: LoadBalancer, present: LoadBalancer
    ) -> Iterator[Read]:
        if desired.attributes and present.attributes is UNKNOWN:
            yield partial(self._read_attributes, DESCRIBE_LOAD_BALANCER_ATTRIBUTES, "LoadBalancerArn", arn)
        if _is_unknown(desired.capacity_units, present.capacity_units):
            yield partial(self._read_capacity, arn)
        for field in PROTECTIONS:
            if _is_unknown(getattr(desired, field), getattr(present, field)):
                yield partial(self._read_protection, arn, desired, field)

    def _read_attributes(self, operation: Operation, parameter: str, arn: Arn) -> None:
        with self._losing(arn):
            answer = self._caller.call(operation, **{parameter: arn})
            self._mirror.amend(arn, attributes=decode_attributes(answer["Attributes"]))

    def _read_capacity(self, arn: Arn) -> None:
        with self._losing(arn):
            answer = self._caller.call(DESCRIBE_CAPACITY_RESERVATION, LoadBalancerArn=arn)
            minimum = answer.get("MinimumLoadBalancerCapacity") or {}
            self._mirror.amend(arn, capacity_units=minimum.get("CapacityUnits", 0))

    def _read_certificates(self, arn: Arn) -> None:
        with self._losing(arn):
            pages = self._caller.pages(DESCRIBE_LISTENER_CERTIFICATES, ListenerArn=arn)
            items = [item for page in pages for item in page["Certificates"]]
            self._mirror.amend(arn, certificates=decode_certificates(items))

    def _read_protection(self, arn: Arn, desired: LoadBalancer, field: str) -> None:
        """Read a protection, but not again a moment after a permission for it was missing.

        Raises:
            ProtectionRefused: it is missing.
        """
        refused = self._refused.get((arn, field))
        if refused is not None and self._now() < refused.until:
            raise refused.error
        try:
            self._protections.read(arn, desired, field)
        except ProtectionRefused as error:
            self._refused[arn, field] = _Refusal(error, self._now() + ASK_AGAIN)
            raise
        self._refused.pop((arn, field), None)

    @contextmanager
    def _losing(self, arn: Arn) -> Iterator[None]:
        """Take it for lost if AWS does not know it: then it is planned anew, not asked about again."""
        try:
            yield
        except NotReady as error:
            if not is_not_found(error):
                raise
            self._mirror.lose(arn)


def _is_unknown(desired: object, present: object) -> bool:
    """Whether a value for what exists was asked for and nobody has read the one it has."""
    asked_for = desired is RESET or not isinstance(desired, Mark | OnCreate)
    return asked_for and present is UNKNOWN
