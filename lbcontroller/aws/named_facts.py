"""What names in annotations stand for in AWS: looked up when a build asks, and remembered for a while."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from lbcontroller.aws.caller import AwsCaller
from lbcontroller.aws.errors import is_missing_trust_store, is_not_found
from lbcontroller.aws.hosted_zones import read_hosted_zones
from lbcontroller.aws.operations import DESCRIBE_TARGET_GROUPS, DESCRIBE_TRUST_STORES
from lbcontroller.aws.web_acls import WebAcls
from lbcontroller.errors import Denied, InvalidConfig, LbControllerError, NotReady
from lbcontroller.model.dns import HostedZone
from lbcontroller.model.ids import Arn
from lbcontroller.model.inventory import Lookups, NamedFacts, NotAllowed
from lbcontroller.telemetry.logs import event

LOGGER: Final = logging.getLogger(__name__)
TARGET_GROUP_SECONDS: Final = 1200.0
TRUST_STORE_SECONDS: Final = 600.0
WEB_ACL_SECONDS: Final = 3600.0
HOSTED_ZONE_SECONDS: Final = 300.0
"""For how long a name is remembered to stand for something, as long as LBC does."""
MISSING_SECONDS: Final = 10.0
"""For how long it is remembered that nothing has a name: somebody may be about to make it."""
UNANSWERED_SECONDS: Final = 5.0
"""How long to wait after AWS could not answer; the call was repeated a few times by then."""

Found = TypeVar("Found", bound=str)
Read = Callable[[Collection[str]], Mapping[str, Found]]
"""Returns what exists of some names."""


@dataclass(frozen=True, slots=True)
class _Answer(Generic[Found]):
    value: Found | NotAllowed | None
    at: float

    @property
    def is_found(self) -> bool:
        """Whether anything has the name."""
        return isinstance(self.value, str)


@dataclass(slots=True)
class _Names(Generic[Found]):
    """The names of one kind of thing."""

    read: Read[Found]
    seconds: float
    clock: Callable[[], float]
    answers: dict[str, _Answer[Found]] = field(default_factory=dict)
    pause_until: float = float("-inf")

    def look_up(self, names: Collection[str]) -> None:
        """Read those that are not known, or not any more; when AWS cannot answer they stay as they are."""
        due = sorted(name for name in names if not self._is_fresh(name))
        if due and self.clock() >= self.pause_until:
            self._note(due)

    def look_again(self) -> bool:
        """Read those again that nothing had; return whether anything has one of them now."""
        missing = sorted(name for name, answer in self.answers.items() if not answer.is_found)
        due = [name for name in missing if not self._is_fresh(name)]
        if not due or self.clock() < self.pause_until:
            return False
        self._note(due)
        return any(self.answers[name].is_found for name in due)

    def known(self) -> dict[str, Found | NotAllowed | None]:
        """Return every answer, old ones too: whoever needs a name has it looked up first."""
        return {name: answer.value for name, answer in self.answers.items()}

    def _is_fresh(self, name: str) -> bool:
        answer = self.answers.get(name)
        if answer is None:
            return False
        seconds = self.seconds if answer.is_found else MISSING_SECONDS
        return self.clock() - answer.at < seconds

    def _note(self, names: Collection[str]) -> None:
        """Note what AWS says; whoever asked for a name suffers when it says nothing, and nobody else."""
        found: Mapping[str, Found | NotAllowed]
        try:
            found = self.read(names)
        except Denied as error:
            event(LOGGER, logging.WARNING, "name_not_looked_up", action=error.action, error=error)
            found = dict.fromkeys(names, NotAllowed(action=error.action))
        except LbControllerError as error:
            event(LOGGER, logging.WARNING, "name_not_looked_up", error=error)
            self.pause_until = self.clock() + UNANSWERED_SECONDS
            return
        now = self.clock()
        self.answers |= {name: _Answer(found.get(name), now) for name in names}


@dataclass(slots=True)
class _Zones:
    """The hosted zones of the account, from the first time that somebody needs them."""

    caller: AwsCaller
    clock: Callable[[], float]
    known: tuple[HostedZone, ...] | NotAllowed | None = None
    wanted: bool = False
    due: float = float("-inf")

    def look_up(self) -> None:
        """Read them, if that was not done a short while ago; when AWS cannot answer they stay as they are."""
        self.wanted = True
        if self.clock() >= self.due:
            self._read()

    def look_again(self) -> bool:
        """Read them again if they are needed; return whether they are others now."""
        before = self.known
        if self.wanted:
            self._read()
        return self.known != before

    def _read(self) -> None:
        self.due = self.clock() + HOSTED_ZONE_SECONDS
        try:
            self.known = read_hosted_zones(self.caller)
        except Denied as error:
            event(LOGGER, logging.WARNING, "name_not_looked_up", action=error.action, error=error)
            self.known = NotAllowed(action=error.action)
        except LbControllerError as error:
            event(LOGGER, logging.WARNING, "name_not_looked_up", error=error)
            self.due = self.clock() + UNANSWERED_SECONDS


class NamedLookups:
    """Finds target groups, trust stores and web ACLs by name, and lists hosted zones.

    Not for several threads at a time.
    """

    def __init__(self, caller: AwsCaller, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._caller = caller
        self._web_acl_names = WebAcls(caller=caller)
        self._target_groups = _Names[Arn](self._read_target_groups, TARGET_GROUP_SECONDS, clock)
        self._trust_stores = _Names[Arn](self._read_trust_stores, TRUST_STORE_SECONDS, clock)
        self._web_acls = _Names[str](lambda _names: self._web_acl_names.by_name(), WEB_ACL_SECONDS, clock)
        self._zones = _Zones(caller, clock)

    def look_up(self, lookups: Lookups) -> None:
        """Read what is not known of these names, as far as AWS answers."""
        self._target_groups.look_up(lookups.target_groups)
        self._trust_stores.look_up(lookups.trust_stores)
        self._web_acls.look_up(lookups.web_acls)
        if lookups.hosted_zones:
            self._zones.look_up()

    def look_again(self) -> bool:
        """Read the names again that nothing had; return whether anything has one of them now."""
        found = [kind.look_again() for kind in (self._target_groups, self._trust_stores, self._web_acls)]
        return any((*found, self._zones.look_again()))

    def facts(self) -> NamedFacts:
        """Return everything that was looked up."""
        return NamedFacts(
            target_groups=self._target_groups.known(),
            trust_stores=self._trust_stores.known(),
            web_acls=self._web_acls.known(),
            hosted_zones=self._zones.known,
        )

    def _read_target_groups(self, names: Collection[str]) -> Mapping[str, Arn]:
        found = {name: self._target_group(name) for name in names}
        return {name: arn for name, arn in found.items() if arn is not None}

    def _target_group(self, name: str) -> Arn | None:
        try:
            answer = self._caller.call(DESCRIBE_TARGET_GROUPS, Names=[name])
        except NotReady as error:
            if not is_not_found(error):
                raise
            return None
        except InvalidConfig:
            # No target group can have a name that AWS refuses.
            return None
        return next((Arn(item["TargetGroupArn"]) for item in answer["TargetGroups"]), None)

    def _read_trust_stores(self, names: Collection[str]) -> Mapping[str, Arn]:
        found = {name: self._trust_store(name) for name in names}
        return {name: arn for name, arn in found.items() if arn is not None}

    def _trust_store(self, name: str) -> Arn | None:
        try:
            answer = self._caller.call(DESCRIBE_TRUST_STORES, Names=[name])
        except InvalidConfig as error:
            if not is_missing_trust_store(error):
                event(LOGGER, logging.DEBUG, "name_not_looked_up", error=error)
            return None
        return next((Arn(item["TrustStoreArn"]) for item in answer["TrustStores"]), None)
