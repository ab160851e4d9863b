"""The security group that all load balancers share: who wants it, and its reconcile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from lbcontroller.build.backend_security_group import build_backend_security_group
from lbcontroller.controller.access import AwsAccess
from lbcontroller.controller.steps import StepExecutor
from lbcontroller.errors import Denied, InvalidConfig, LbControllerError, NotReady
from lbcontroller.keys import StackKey
from lbcontroller.plan.planner import plan
from lbcontroller.plan.policies import PlanPolicy
from lbcontroller.settings import Settings

_GROUP: Final = "the shared backend security group"


@dataclass(slots=True)
class BackendGroupUsers:
    """Which stacks want the shared group. A stack that was not looked at since start-up counts as wanting it.

    The deletion of the group and its use by a new stack exclude each other here, so that no load balancer is
    made with the id of a group that is going away.
    """

    wake: Callable[[], None]
    """Asks for a reconcile of the shared group."""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _wants: dict[StackKey, bool] = field(default_factory=dict)
    _deleting: bool = False
    _failure: LbControllerError | None = None
    """What kept the last reconcile of the group from its end."""

    def want(self, key: StackKey) -> None:
        """Note that a stack waits for the group.

        Raises:
            Denied: an administrator must act before the group can be made.
            InvalidConfig: a user must.
        """
        with self._lock:
            is_news = self._wants.get(key) is not True
            self._wants[key] = True
            failure = self._failure
        # What failed is tried again when its class says, not whenever somebody who waits looks.
        if is_news or failure is None:
            self.wake()
        if isinstance(failure, Denied):
            raise Denied(failure.action, f"{_GROUP} cannot be made: {failure}")
        if isinstance(failure, InvalidConfig):
            raise InvalidConfig(*failure.problems)

    def use(self, key: StackKey) -> None:
        """Note that a stack is about to use the group.

        Raises:
            NotReady: when the group is being deleted; it will be made anew.
        """
        with self._lock:
            self._wants[key] = True
            deleting = self._deleting
        if deleting:
            raise NotReady(f"{_GROUP} is being made anew", retry_after=1.0)

    def leave(self, key: StackKey) -> None:
        """Note that nothing of a stack uses the group; its object may still be there, or be in the cache."""
        with self._lock:
            changed = self._wants.get(key) is not False
            self._wants[key] = False
        if changed:
            self.wake()

    def forget(self, key: StackKey) -> None:
        """Note that the object of a stack is gone."""
        with self._lock:
            used = self._wants.pop(key, False)
        if used:
            self.wake()

    def waiting(self) -> tuple[StackKey, ...]:
        """Return the stacks that want the group."""
        with self._lock:
            return tuple(key for key, wants in self._wants.items() if wants)

    def begin(self, holders: Iterable[StackKey]) -> bool:
        """Return whether the group is wanted, by a stack that says so or by one of `holders` not yet settled.

        When it is not, its deletion begins: no stack may start to use it before `end`.
        """
        with self._lock:
            wanted = any(self._wants.values()) or any(key not in self._wants for key in holders)
            self._deleting = not wanted
            return wanted

    def end(self, failure: LbControllerError | None) -> None:
        """End what `begin` began, with what kept it from being done."""
        with self._lock:
            self._deleting = False
            self._failure = failure


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendGroupReconciler:
    """Makes the shared group when a stack wants it, and removes it when none does."""

    aws: AwsAccess
    executor: StepExecutor
    users: BackendGroupUsers
    holders: Callable[[], Iterable[StackKey]]
    """The stacks of all objects that are ours or still hold our finalizer."""
    wake_stack: Callable[[StackKey], None]
    settings: Settings
    policy: Callable[[], PlanPolicy]

    def reconcile(self) -> float | None:
        """Bring the shared group to what is wanted; return when to look again, in seconds.

        Raises:
            NotReady: the group is still in use by what is being deleted.
            LbControllerError: as the steps do; whoever waits for the group hears of it.
        """
        if self.settings.backend_security_group or not self.settings.enable_backend_security_group:
            return None
        wanted = self.users.begin(self.holders())
        failure = None
        try:
            self._apply(wanted=wanted)
        except LbControllerError as error:
            failure = error
            raise
        finally:
            self.users.end(failure)
        return None

    def _apply(self, *, wanted: bool) -> None:
        if wanted and not self.users.waiting():
            return  # a stack that was not looked at yet keeps the group there is, and asks when it needs one
        stack = build_backend_security_group(self.settings, self.aws.inventory.vpc_id, wanted=wanted)
        steps = plan(stack, self.aws.observer.observe(stack.id), self.policy())
        self.executor.run(steps)
        if steps.steps and wanted:
            for key in self.users.waiting():
                self.wake_stack(key)
