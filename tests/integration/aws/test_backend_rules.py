"""Rules of security groups in front of targets: written through, and others never in the way."""

from __future__ import annotations

from lbcontroller.model.ids import SecurityGroupId
from lbcontroller.model.ingress_rules import SHARED_RULE_DESCRIPTION, IngressRule, Peer, PeerKind
from tests.support.aws_access import AwsUnderTest


def a_rule(port: int, description: str = SHARED_RULE_DESCRIPTION) -> IngressRule:
    return IngressRule(
        protocol="tcp",
        from_port=port,
        to_port=port,
        peer=Peer(PeerKind.CIDR, "10.0.0.0/16"),
        description=description,
    )


def test_rules_are_read_once_and_written_through(account: AwsUnderTest) -> None:
    group = SecurityGroupId(account.world.ids["sg.nodes"])

    calls = account.called(lambda: account.rules.describe_rules([group]))
    account.rules.authorize(group, [a_rule(80), a_rule(81)])
    account.rules.revoke(group, [a_rule(81)])
    again = account.called(lambda: account.rules.describe_rules([group]))

    assert calls == ["ec2:DescribeSecurityGroups"]
    assert again == []
    assert account.rules.describe_rules([group]) == {group: {a_rule(80)}}
    account.restart()
    assert account.rules.describe_rules([group]) == {group: {a_rule(80)}}


def test_a_group_as_source_is_authorized_and_revoked(account: AwsUnderTest) -> None:
    group = SecurityGroupId(account.world.ids["sg.nodes"])
    source = Peer(PeerKind.SECURITY_GROUP, account.world.ids["sg.custom-front"])
    rule = IngressRule(
        protocol="tcp", from_port=80, to_port=90, peer=source, description=SHARED_RULE_DESCRIPTION
    )

    account.rules.authorize(group, [rule])
    account.restart()
    assert account.rules.describe_rules([group]) == {group: {rule}}
    account.rules.revoke(group, [rule])

    account.restart()
    assert account.rules.describe_rules([group]) == {group: frozenset()}


def test_rules_that_are_there_already_do_not_stop_the_others(account: AwsUnderTest) -> None:
    group = SecurityGroupId(account.world.ids["sg.nodes"])
    account.rules.authorize(group, [a_rule(80)])

    account.rules.authorize(group, [a_rule(80), a_rule(81)])

    account.restart()
    assert account.rules.describe_rules([group]) == {group: {a_rule(80), a_rule(81)}}


def test_rules_that_are_gone_already_do_not_stop_the_others(account: AwsUnderTest) -> None:
    group = SecurityGroupId(account.world.ids["sg.nodes"])
    account.rules.authorize(group, [a_rule(80)])

    account.rules.revoke(group, [a_rule(80), a_rule(81)])

    account.restart()
    assert account.rules.describe_rules([group]) == {group: frozenset()}


def test_a_group_that_does_not_exist_is_left_out(account: AwsUnderTest) -> None:
    group, gone = SecurityGroupId(account.world.ids["sg.nodes"]), SecurityGroupId("sg-0123456789abcdef0")

    assert account.rules.describe_rules([gone, group]).keys() == {group}


def test_rules_of_a_group_that_is_gone_need_no_revoking(account: AwsUnderTest) -> None:
    gone = SecurityGroupId("sg-0123456789abcdef0")

    calls = account.called(lambda: account.rules.revoke(gone, [a_rule(80)]))

    assert calls == ["ec2:RevokeSecurityGroupIngress", "ec2:DescribeSecurityGroups"]
    assert account.rules.describe_rules([gone]) == {}
