"""Rules on security groups of nodes and pods, which belong to somebody else: read once, written through."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from lbcontroller.aws import ingress_rules
from lbcontroller.aws.caller import AwsCaller
from lbcontroller.aws.mirror import Mirror
from lbcontroller.errors import LbControllerError
from lbcontroller.model.fields import UNKNOWN
from lbcontroller.model.ids import SecurityGroupId
from lbcontroller.model.ingress_rules import IngressRule


class BackendRules:
    """Reads and changes the inbound rules of security groups that are not ours."""

    def __init__(self, caller: AwsCaller, mirror: Mirror) -> None:
        self._caller = caller
        self._mirror = mirror

    def describe_rules(
        self, groups: Collection[SecurityGroupId]
    ) -> Mapping[SecurityGroupId, frozenset[IngressRule]]:
        """Return all rules of the groups, from memory where they were read before.

        A group that does not exist is left out.

        Raises:
            LbControllerError: as `AwsCaller.call` does.
        """
        known = {group: self._mirror.rules(group) for group in groups}
        missing = [group for group, rules in known.items() if rules is UNKNOWN]
        for group, rules in ingress_rules.read_rules(self._caller, missing).items():
            self._mirror.record_rules(group, rules)
            known[group] = rules
        return {group: rules for group, rules in known.items() if rules is not UNKNOWN}

    def authorize(self, group: SecurityGroupId, rules: Collection[IngressRule]) -> None:
        """Add rules in one call.

        Raises:
            LbControllerError: as `AwsCaller.call` does; the rules are then read again when they are needed.
        """
        self._change(group, added=rules)

    def revoke(self, group: SecurityGroupId, rules: Collection[IngressRule]) -> None:
        """Remove rules in one call.

        Raises:
            LbControllerError: as `AwsCaller.call` does; the rules are then read again when they are needed.
        """
        self._change(group, removed=rules)

    def doubt(self) -> None:
        """Read the rules again when they are asked for: somebody may have changed them."""
        self._mirror.forget_all_rules()

    def _change(
        self,
        group: SecurityGroupId,
        *,
        added: Collection[IngressRule] = (),
        removed: Collection[IngressRule] = (),
    ) -> None:
        try:
            ingress_rules.authorize(self._caller, group, added)
            ingress_rules.revoke(self._caller, group, removed)
        except LbControllerError:
            self._mirror.forget_rules(group)
            raise
        rules = self._mirror.rules(group)
        if rules is not UNKNOWN:
            self._mirror.record_rules(group, (rules | frozenset(added)) - frozenset(removed))
