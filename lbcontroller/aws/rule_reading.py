"""Reading the rules of listeners: for the bulk read, and again for one listener that turned out different."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lbcontroller.aws.caller import AwsCaller
from lbcontroller.aws.errors import is_not_found
from lbcontroller.aws.mirror import Mirror
from lbcontroller.aws.operations import DESCRIBE_RULES
from lbcontroller.aws.rule_wire import decode_rule, is_default, with_known_secrets
from lbcontroller.errors import NotReady
from lbcontroller.model.fields import Tags
from lbcontroller.model.identity import StackId, identify
from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import ObservedListenerRule

Answer = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleReader:
    """Reads rules and tells whose they are."""

    caller: AwsCaller
    mirror: Mirror
    cluster: str
    """The name in the tags of what is ours."""
    rules_are_tagged: bool = True
    """Whether a rule without our tags is somebody else's."""

    def answers(self, listener: Arn) -> Sequence[Answer]:
        """Return the rules of a listener but the default one; none when the listener is gone.

        AWS answers those of one listener at a time (ELBv2 API reference, DescribeRules).

        Raises:
            LbControllerError: as `AwsCaller.call` does.
        """
        pages = self.caller.pages(DESCRIBE_RULES, ListenerArn=listener)
        try:
            return [answer for page in pages for answer in page["Rules"] if not is_default(answer)]
        except NotReady as error:
            if is_not_found(error):
                return []
            raise

    def decode(
        self, answer: Answer, listener: tuple[Arn, int], stack: StackId, tags: Tags
    ) -> ObservedListenerRule:
        """Return a rule of a listener, given by ARN and port, of a load balancer of `stack`."""
        tracked = identify(self.cluster, tags)
        ours = not self.rules_are_tagged or (tracked is not None and tracked.stack == stack)
        observed = decode_rule(answer, listener, tags, ours=ours)
        before = self.mirror.find(observed.arn)
        return (
            with_known_secrets(observed, before.resource)
            if isinstance(before, ObservedListenerRule)
            else observed
        )


def listener_of(rule: Arn) -> Arn:
    """Return the listener of a rule; its ARN begins with that one's but for a word."""
    return Arn(rule.replace(":listener-rule/", ":listener/", 1).rpartition("/")[0])
