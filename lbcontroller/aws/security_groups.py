"""Our security groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lbcontroller.aws import ingress_rules
from lbcontroller.aws.caller import AwsCaller
from lbcontroller.aws.errors import is_duplicate, is_not_found, is_rule_limit
from lbcontroller.aws.identity import Identification
from lbcontroller.aws.mirror import Mirror
from lbcontroller.aws.operations import (
    CREATE_SECURITY_GROUP,
    DELETE_SECURITY_GROUP,
    DESCRIBE_ALL_SECURITY_GROUPS,
)
from lbcontroller.aws.presence import require
from lbcontroller.aws.tagging import change_ec2_tags
from lbcontroller.aws.wire import Changes, decode_tags, tag_list, wanted
from lbcontroller.errors import Denied, InvalidConfig, NotReady, Transient
from lbcontroller.model.fields import Tags
from lbcontroller.model.ids import Arn, SecurityGroupId, VpcId
from lbcontroller.model.ingress_rules import IngressRule
from lbcontroller.model.observed import ObservedSecurityGroup
from lbcontroller.model.references import Kind, ResourceId
from lbcontroller.model.resources import SecurityGroup


def create_request(group: SecurityGroup) -> dict[str, Any]:
    """Return the parameters of CreateSecurityGroup."""
    return {
        "GroupName": group.name,
        "Description": group.description,
        "VpcId": group.vpc_id,
        "TagSpecifications": [{"ResourceType": "security-group", "Tags": tag_list(group.tags)}],
    }


def decode_security_group(answer: Mapping[str, Any], id_: ResourceId) -> ObservedSecurityGroup:
    """Return a security group as DescribeSecurityGroups answers it."""
    return ObservedSecurityGroup(
        arn=Arn(answer["GroupId"]),
        resource=SecurityGroup(
            id=id_,
            name=answer["GroupName"],
            description=answer["Description"],
            vpc_id=VpcId(answer["VpcId"]),
            ingress=ingress_rules.decode_permissions(answer["IpPermissions"]),
            tags=decode_tags(answer.get("Tags", ())),
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityGroups:
    """Creates, updates and deletes security groups, writing through to the mirror."""

    caller: AwsCaller
    mirror: Mirror
    identification: Identification

    def create(self, desired: SecurityGroup) -> Arn:
        """Make a security group with its rules, or take over the one that a lost reply left.

        Raises:
            LbControllerError: as `AwsCaller.call` does; InvalidConfig also for a name that others use.
        """
        try:
            arn = Arn(self.caller.call(CREATE_SECURITY_GROUP, **create_request(desired))["GroupId"])
        except InvalidConfig as error:
            if not is_duplicate(error):
                raise
            return self._adopt(desired, error)
        self._record(arn, desired, frozenset())
        self._set_rules(arn, frozenset(), wanted(Kind.SECURITY_GROUP, "ingress", desired.ingress))
        return arn

    def update(self, arn: Arn, desired: SecurityGroup, changes: Changes) -> None:
        """Make the changes: tags, then rules.

        Raises:
            LbControllerError: as `AwsCaller.call` does.
        """
        change_ec2_tags(self.caller, arn, changes)
        observed = require(self.mirror, ObservedSecurityGroup, arn)
        self.mirror.amend(arn, tags=changes.applied_to_tags(observed.resource.tags))
        if "ingress" in changes.fields and isinstance(observed.resource.ingress, frozenset):
            rules = wanted(Kind.SECURITY_GROUP, "ingress", desired.ingress)
            self._set_rules(arn, observed.resource.ingress, rules)

    def delete(self, arn: Arn) -> None:
        """Delete a security group; that it is gone already is fine.

        Raises:
            NotReady: while something still uses it.
            LbControllerError: as `AwsCaller.call` does.
        """
        try:
            self.caller.call(DELETE_SECURITY_GROUP, GroupId=arn)
        except NotReady as error:
            if not is_not_found(error):
                raise
        self.mirror.forget(arn)

    def _set_rules(
        self, arn: Arn, present: frozenset[IngressRule], rules: frozenset[IngressRule] | None
    ) -> None:
        if rules is None:
            return
        added = ingress_rules.not_among(rules, present)
        removed = ingress_rules.not_among(present, rules)
        group = SecurityGroupId(arn)
        try:
            ingress_rules.authorize(self.caller, group, added)
        except Denied as error:
            if not (is_rule_limit(error) and removed):
                raise
            # There is no room to add before removing.
            ingress_rules.revoke(self.caller, group, removed)
            self.mirror.amend(arn, ingress=present - removed)
            ingress_rules.authorize(self.caller, group, added)
        else:
            self.mirror.amend(arn, ingress=present | added)
            ingress_rules.revoke(self.caller, group, removed)
        self.mirror.amend(arn, ingress=(present | added) - removed)

    def _adopt(self, desired: SecurityGroup, error: InvalidConfig) -> Arn:
        filters = [
            {"Name": "vpc-id", "Values": [desired.vpc_id]},
            {"Name": "group-name", "Values": [desired.name]},
        ]
        for page in self.caller.pages(DESCRIBE_ALL_SECURITY_GROUPS, Filters=filters):
            for answer in page["SecurityGroups"]:
                tags: Tags = decode_tags(answer.get("Tags", ()))
                self.identification.require_ours(desired, tags, f"security group {answer['GroupId']}", error)
                observed = decode_security_group(answer, desired.id)
                self.mirror.record(self.identification.stack_of(desired), observed)
                present = ingress_rules.decode_permissions(answer["IpPermissions"])
                rules = wanted(Kind.SECURITY_GROUP, "ingress", desired.ingress)
                self._set_rules(observed.arn, present, rules)
                return observed.arn
        raise Transient(f"{error}, although it is not listed yet") from error

    def _record(self, arn: Arn, desired: SecurityGroup, rules: frozenset[IngressRule]) -> None:
        observed = ObservedSecurityGroup(
            arn=arn,
            resource=SecurityGroup(
                id=desired.id,
                name=desired.name,
                description=desired.description,
                vpc_id=desired.vpc_id,
                ingress=rules,
                tags=desired.tags,
            ),
        )
        self.mirror.record(self.identification.stack_of(desired), observed)
