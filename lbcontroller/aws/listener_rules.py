"""The calls that make, change, reorder and delete the rules of listeners."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from operator import eq
from typing import Any, Final

from lbcontroller.aws.action_wire import lacks_secret, with_secrets
from lbcontroller.aws.caller import AwsCaller
from lbcontroller.aws.errors import is_not_found, is_priority_in_use
from lbcontroller.aws.identity import Identification
from lbcontroller.aws.mirror import Mirror
from lbcontroller.aws.operations import CREATE_RULE, DELETE_RULE, MODIFY_RULE, SET_RULE_PRIORITIES
from lbcontroller.aws.presence import not_there, require
from lbcontroller.aws.rule_reading import RuleReader
from lbcontroller.aws.rule_wire import (
    PARTS,
    create_request,
    decode_rule,
    modify_request,
    rule_id,
    with_known_secrets,
)
from lbcontroller.aws.tagging import TAG_BATCH, change_tags, read_tags
from lbcontroller.aws.wire import Changes, known
from lbcontroller.errors import NotReady, Transient
from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import ObservedListener, ObservedListenerRule
from lbcontroller.model.references import Kind
from lbcontroller.model.resources import ListenerRule
from lbcontroller.plan.equality import SAME

_SOON: Final = 1.0
_SECRET_SECONDS: Final = 60.0
"""How soon a rule is tried again whose client secret somebody has to provide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerRules:
    """Creates, updates, reorders and deletes rules, writing through to the mirror."""

    caller: AwsCaller
    mirror: Mirror
    identification: Identification

    def create(self, desired: ListenerRule) -> Arn:
        """Make a rule, or take over the one that a lost reply left.

        Raises:
            NotReady: another rule has the priority, or nobody knows a client secret.
            LbControllerError: as `AwsCaller.call` does.
        """
        if lacks_secret(desired.actions):
            raise NotReady(
                f"rule {desired.id.name} cannot be made while its client secret is unknown",
                retry_after=_SECRET_SECONDS,
            )
        listener = _arn_of_listener(desired)
        place = (listener, self._port(listener))
        try:
            answer = self.caller.call(CREATE_RULE, **create_request(desired))["Rules"][0]
        except Transient as error:
            if not is_priority_in_use(error):
                raise
            return self._adopt(desired, error)
        observed = decode_rule(answer, place, known(desired.tags), ours=True)
        stack = self.mirror.stack_of(listener) or self.identification.stack_of(desired)
        self.mirror.record(stack, with_known_secrets(observed, desired))
        return observed.arn

    def update(self, arn: Arn, desired: ListenerRule, changes: Changes) -> None:
        """Make the changes: tags, then conditions, actions and transforms in one call, then the priority.

        Raises:
            LbControllerError: as `AwsCaller.call` does.
        """
        present = self._find(arn).resource
        change_tags(self.caller, arn, changes, present.tags)
        self.mirror.amend(arn, tags=changes.applied_to_tags(present.tags))
        if parts := changes.fields & PARTS:
            answer = self.caller.call(MODIFY_RULE, RuleArn=arn, **modify_request(desired, parts))["Rules"][0]
            listener = _arn_of_listener(present)
            now = decode_rule(answer, (listener, self._port(listener)), {}, ours=True).resource
            sent = desired.actions if "actions" in parts else ()
            self.mirror.amend(
                arn,
                conditions=now.conditions,
                actions=with_secrets(now.actions, sent, present.actions),
                transforms=now.transforms,
            )
        if "priority" in changes.fields:
            self.reorder(_arn_of_listener(present), {arn: desired.priority})

    def reorder(self, listener: Arn, priorities: Mapping[Arn, int]) -> None:
        """Give rules of a listener other priorities, all at once or none of them.

        Raises:
            NotReady: a rule that we did not know of has one of the priorities, or one of the rules is gone.
            LbControllerError: as `AwsCaller.call` does.
        """
        wanted = [
            {"RuleArn": arn, "Priority": priority}
            for arn, priority in sorted(priorities.items(), key=lambda item: (item[1], item[0]))
        ]
        try:
            self.caller.call(SET_RULE_PRIORITIES, RulePriorities=wanted)
        except Transient as error:
            if not is_priority_in_use(error):
                raise
            self._read_again(listener, tagged=any(self._find(arn).resource.tags for arn in priorities))
            raise NotReady(f"{error}; it is planned anew", retry_after=_SOON) from error
        port = self._port(listener)
        for arn, priority in priorities.items():
            self.mirror.amend(arn, priority=priority, id=rule_id(port, priority))

    def delete(self, arn: Arn) -> None:
        """Delete a rule; that it is gone already is fine.

        Raises:
            LbControllerError: as `AwsCaller.call` does.
        """
        try:
            self.caller.call(DELETE_RULE, RuleArn=arn)
        except NotReady as error:
            if not is_not_found(error):
                raise
        self.mirror.forget(arn)

    def _adopt(self, desired: ListenerRule, refusal: Transient) -> Arn:
        """Take over the rule that has the priority, if it is the desired one."""
        for found in self._read_again(_arn_of_listener(desired), tagged=bool(desired.tags)):
            if found.ours and found.resource.priority == desired.priority and _is(desired, found):
                # Whether it has the client secret that is asked for nobody can tell, so it is said again.
                if found.resource.actions != with_secrets(found.resource.actions, desired.actions):
                    self.update(found.arn, desired, _ACTIONS)
                return found.arn
        raise NotReady(f"{refusal}; it is planned anew", retry_after=_SOON) from refusal

    def _read_again(self, listener: Arn, *, tagged: bool) -> tuple[ObservedListenerRule, ...]:
        """Read the rules of a listener, which are not as the mirror has them."""
        stack = self.mirror.stack_of(listener)
        if stack is None:
            raise not_there(ObservedListener, listener)
        reader = RuleReader(
            caller=self.caller,
            mirror=self.mirror,
            cluster=self.identification.cluster,
            rules_are_tagged=tagged,
        )
        answers = reader.answers(listener)
        arns = [Arn(answer["RuleArn"]) for answer in answers]
        batches = (arns[start : start + TAG_BATCH] for start in range(0, len(arns), TAG_BATCH))
        tags = {arn: tags for batch in batches for arn, tags in read_tags(self.caller, batch).items()}
        place = (listener, self._port(listener))
        found = tuple(
            reader.decode(answer, place, stack, tags.get(Arn(answer["RuleArn"]), {})) for answer in answers
        )
        for gone in {rule.arn for rule in self._rules_of(listener)} - set(arns):
            self.mirror.forget(gone)
        for rule in found:
            self.mirror.record(stack, rule)
        return found

    def _rules_of(self, listener: Arn) -> Iterator[ObservedListenerRule]:
        stack = self.mirror.stack_of(listener)
        for item in self.mirror.observed(stack) if stack is not None else ():
            if isinstance(item, ObservedListenerRule) and item.resource.listener == listener:
                yield item

    def _port(self, listener: Arn) -> int:
        return require(self.mirror, ObservedListener, listener).resource.port

    def _find(self, arn: Arn) -> ObservedListenerRule:
        return require(self.mirror, ObservedListenerRule, arn)


_ACTIONS: Final = Changes(fields=frozenset({"actions"}), new_tags={}, gone_tags=(), attributes={})


def _is(desired: ListenerRule, found: ObservedListenerRule) -> bool:
    """Return whether a rule does what is desired, for the requests that are meant."""
    present = with_known_secrets(found, desired).resource
    return all(_same(part)(getattr(desired, part), getattr(present, part)) for part in PARTS)


def _same(part: str) -> Callable[[Any, Any], bool]:
    return SAME.get((Kind.LISTENER_RULE, part), eq)


def _arn_of_listener(rule: ListenerRule) -> Arn:
    if not isinstance(rule.listener, str):
        raise TypeError(f"an unresolved reference: {rule.listener}")
    return rule.listener
