from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lbcontroller.local.aws import LocalAws
from lbcontroller.local.aws.iam import PolicyGate
from lbcontroller.local.aws.recorder import Request
from tests.support.strict_probes.bench import FIXED_404, Bench, forward, path_condition

ACCOUNT = "123456789012"
OWNED = [{"Key": "cluster", "Value": "mine"}]
ELB = "arn:aws:elasticloadbalancing:us-west-2:123456789012"
IF_TAGGED = {"StringEquals": {"aws:RequestTag/cluster": "mine"}}
IF_OWNED = {"StringEquals": {"aws:ResourceTag/cluster": "mine"}}


def a_statement(*actions: str, **rest: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": "*", **rest}


LOOKED_UP = a_statement("ec2:Describe*", "ec2:GetSecurityGroupsForVpc", "iam:CreateServiceLinkedRole")
"""What creating a load balancer or a target group needs besides."""


def a_gate(*statements: dict[str, Any], tags: Mapping[str, str] | None = None) -> PolicyGate:
    return PolicyGate(
        {"Statement": list(statements)},
        account_id=ACCOUNT,
        tags_of=lambda _arn, _region: tags or {},
        exists=lambda _arn, _region: True,
    )


def a_request(operation: str, service: str = "elbv2", **params: Any) -> Request:
    return Request(service=service, operation=operation, params=params, region="us-west-2", access_key="key")


@pytest.fixture(scope="module")
def lifetime() -> Sequence[Request]:
    """The requests of a load balancer's life."""
    with LocalAws() as aws:
        live(Bench(aws.client, aws.region), aws.caller_client("elbv2"), aws.caller_client("ec2"))
        return [call.request for call in aws.calls]


def live(bench: Bench, elb: Any, ec2: Any) -> None:
    ec2.describe_subnets(SubnetIds=bench.subnets)
    tagged = [{"ResourceType": "security-group", "Tags": OWNED}]
    made = ec2.create_security_group(
        GroupName="g", Description="d", VpcId=bench.vpc, TagSpecifications=tagged
    )
    opening = [{"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}]
    ec2.authorize_security_group_ingress(GroupId=made["GroupId"], IpPermissions=opening)
    ec2.create_tags(Resources=[made["GroupId"]], Tags=[{"Key": "a", "Value": "b"}])
    balancer = elb.create_load_balancer(
        Name="a", Subnets=bench.subnets, SecurityGroups=[made["GroupId"]], Tags=OWNED
    )["LoadBalancers"][0]["LoadBalancerArn"]
    group = elb.create_target_group(
        Name="t", Protocol="HTTP", Port=80, VpcId=bench.vpc, TargetType="ip", Tags=OWNED
    )["TargetGroups"][0]["TargetGroupArn"]
    listener = elb.create_listener(
        LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=forward(group), Tags=OWNED
    )["Listeners"][0]["ListenerArn"]
    rule = elb.create_rule(
        ListenerArn=listener, Priority=1, Conditions=path_condition("/a"), Actions=FIXED_404, Tags=OWNED
    )["Rules"][0]["RuleArn"]
    elb.set_rule_priorities(RulePriorities=[{"RuleArn": rule, "Priority": 2}])
    elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "10.0.0.9"}])
    elb.delete_load_balancer(LoadBalancerArn=balancer)


@pytest.fixture
def refusing() -> Iterator[LocalAws]:
    with LocalAws(policy={"Statement": [a_statement("elasticloadbalancing:Describe*")]}) as aws:
        yield aws


def test_the_server_holds_the_caller_to_the_policy(refusing: LocalAws) -> None:
    elb, ec2 = refusing.caller_client("elbv2"), refusing.caller_client("ec2")
    elb.describe_load_balancers()
    with pytest.raises(ClientError) as denied:
        ec2.describe_vpcs()
    assert denied.value.response["Error"]["Code"] == "UnauthorizedOperation"
    assert denied.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert refusing.used_actions == {"elasticloadbalancing:DescribeLoadBalancers"}
    assert [check.action for check in refusing.denied] == ["ec2:DescribeVpcs"]
    refusing.client("ec2").describe_vpcs()


def test_every_action_of_a_lifetime_is_missed_when_it_is_gone(lifetime: Sequence[Request]) -> None:
    full = a_gate(a_statement("*"))
    assert [full(request) for request in lifetime] == [None] * len(lifetime)
    assert {"elasticloadbalancing:AddTags", "ec2:CreateTags"} <= full.used_actions
    for action in full.used_actions:
        rest = sorted(full.used_actions - {action})
        gate = a_gate(a_statement(*rest))
        assert any(gate(request) for request in lifetime), action
        assert {check.action for check in gate.denied} == {action}


def test_creating_with_tags_needs_the_tagging_permission_too() -> None:
    gate = a_gate(a_statement("elasticloadbalancing:CreateTargetGroup"), LOOKED_UP)
    assert gate(a_request("CreateTargetGroup", Name="t")) is None
    assert gate(a_request("CreateTargetGroup", Name="t", Tags=OWNED)) is not None


@pytest.mark.parametrize(
    "missing", ["ec2:DescribeInternetGateways", "ec2:GetSecurityGroupsForVpc", "iam:CreateServiceLinkedRole"]
)
def test_creating_needs_what_is_looked_up_in_the_callers_name(missing: str) -> None:
    rest = {"Effect": "Allow", "NotAction": missing, "Resource": "*"}
    denial = a_gate(rest)(a_request("CreateLoadBalancer", Name="a", Type="network"))
    assert denial is not None
    assert missing in denial.message


def test_the_service_role_can_be_allowed_for_load_balancing_only() -> None:
    role = "iam:CreateServiceLinkedRole"
    everything_else = {"Effect": "Allow", "NotAction": role, "Resource": "*"}
    for service, allowed in (("elasticloadbalancing.amazonaws.com", True), ("eks.amazonaws.com", False)):
        statement = a_statement(role, Condition={"StringEquals": {"iam:AWSServiceName": service}})
        denial = a_gate(everything_else, statement)(a_request("CreateTargetGroup", Name="t"))
        assert (denial is None) == allowed


def test_another_policy_can_be_in_force_for_a_while(refusing: LocalAws) -> None:
    ec2 = refusing.caller_client("ec2")
    with refusing.held_to({"Statement": [a_statement("ec2:DescribeVpcs")]}) as gate:
        ec2.describe_vpcs()
    assert [check.action for check in gate.allowed] == ["ec2:DescribeVpcs"]
    with pytest.raises(ClientError):
        ec2.describe_vpcs()


def test_what_is_denied_says_whether_there_was_such_a_resource(refusing: LocalAws) -> None:
    bench = Bench(refusing.client, refusing.region)
    inspector, caller = refusing.client("elbv2"), refusing.caller_client("elbv2")
    group = inspector.create_target_group(
        Name="t", Protocol="HTTP", Port=80, VpcId=bench.vpc, TargetType="ip"
    )["TargetGroups"][0]["TargetGroupArn"]

    with pytest.raises(ClientError):
        caller.delete_target_group(TargetGroupArn=group)
    inspector.delete_target_group(TargetGroupArn=group)
    with pytest.raises(ClientError):
        caller.delete_target_group(TargetGroupArn=group)

    assert [(check.resource, check.exists) for check in refusing.denied] == [(group, True), (group, False)]


def test_tagging_can_be_allowed_for_creation_only() -> None:
    on_creation = {"StringEquals": {"elasticloadbalancing:CreateAction": ["CreateTargetGroup"]}}
    tagging = a_statement(
        "elasticloadbalancing:AddTags", Resource=f"{ELB}:targetgroup/*/*", Condition=on_creation
    )
    gate = a_gate(a_statement("elasticloadbalancing:CreateTargetGroup"), tagging, LOOKED_UP)
    assert gate(a_request("CreateTargetGroup", Name="t", Tags=OWNED)) is None
    assert gate(a_request("AddTags", ResourceArns=[f"{ELB}:targetgroup/t/1"], Tags=OWNED)) is not None


def test_what_is_created_can_be_required_to_have_a_tag() -> None:
    gate = a_gate(
        a_statement("elasticloadbalancing:CreateLoadBalancer", Condition=IF_TAGGED),
        a_statement("elasticloadbalancing:AddTags"),
        LOOKED_UP,
    )
    assert gate(a_request("CreateLoadBalancer", Name="a", Tags=OWNED)) is None
    assert gate(a_request("CreateLoadBalancer", Name="a")) is not None


def test_what_is_deleted_can_be_required_to_have_a_tag() -> None:
    allowing = a_statement("elasticloadbalancing:DeleteLoadBalancer", Condition=IF_OWNED)
    request = a_request("DeleteLoadBalancer", LoadBalancerArn=f"{ELB}:loadbalancer/app/a/1")
    assert a_gate(allowing, tags={"cluster": "mine"})(request) is None
    assert a_gate(allowing)(request) is not None


def test_network_load_balancers_are_resources_of_their_own() -> None:
    gate = a_gate(
        a_statement("elasticloadbalancing:CreateLoadBalancer", Resource=f"{ELB}:loadbalancer/net/*/*"),
        LOOKED_UP,
    )
    assert gate(a_request("CreateLoadBalancer", Name="a", Type="network")) is None
    assert gate(a_request("CreateLoadBalancer", Name="a")) is not None


def test_every_rule_that_is_moved_counts() -> None:
    first, second = (f"{ELB}:listener-rule/app/a/1/2/{number}" for number in (1, 2))
    moved = [{"RuleArn": arn, "Priority": 1} for arn in (first, second)]
    gate = a_gate(a_statement("elasticloadbalancing:SetRulePriorities", Resource=first))
    assert gate(a_request("SetRulePriorities", RulePriorities=moved[:1])) is None
    assert gate(a_request("SetRulePriorities", RulePriorities=moved)) is not None


@pytest.mark.parametrize(
    ("service", "web_acl", "pattern"),
    [
        ("wafv2", {"WebACLArn": "arn:aws:wafv2:us-west-2:1:regional/webacl/a/1"}, "*:regional/webacl/*"),
        ("waf-regional", {"WebACLId": "1"}, "*:webacl/*"),
    ],
    ids=["WAF", "WAF Classic"],
)
def test_a_firewall_needs_permission_on_the_load_balancer_and_for_the_web_acl(
    service: str, web_acl: dict[str, str], pattern: str
) -> None:
    load_balancer = f"{ELB}:loadbalancer/app/a/1"
    request = a_request("AssociateWebACL", service=service, ResourceArn=load_balancer, **web_acl)
    guard = a_statement(f"{service}:*", Resource=load_balancer)
    use = a_statement(f"{service}:*", Resource=pattern)
    set_web_acl = a_statement("elasticloadbalancing:SetWebAcl", Condition=IF_OWNED)
    mine = {"cluster": "mine"}
    assert a_gate(guard, use)(request) is not None
    assert a_gate(guard, use, set_web_acl)(request) is not None
    assert a_gate(guard, set_web_acl, tags=mine)(request) is not None
    assert a_gate(guard, use, set_web_acl, tags=mine)(request) is None


def test_reading_a_web_acl_takes_two_permissions() -> None:
    request = a_request("GetWebACLForResource", service="wafv2", ResourceArn=f"{ELB}:loadbalancer/app/a/1")
    assert a_gate(a_statement("wafv2:GetWebACLForResource"))(request) is not None
    assert a_gate(a_statement("wafv2:GetWebACLForResource", "wafv2:GetWebACL"))(request) is None


def test_an_import_is_tagged_by_a_permission_of_its_own() -> None:
    new = a_request("ImportCertificate", service="acm", Tags=OWNED)
    again = a_request(
        "ImportCertificate", service="acm", CertificateArn="arn:aws:acm:us-west-2:1:certificate/1"
    )
    import_tagged = a_statement("acm:ImportCertificate", Condition=IF_TAGGED)
    tag = a_statement("acm:AddTagsToCertificate", Condition=IF_TAGGED)
    import_own = a_statement("acm:ImportCertificate", Condition=IF_OWNED)
    assert a_gate(import_tagged)(new) is not None
    assert a_gate(import_tagged, tag)(new) is None
    assert a_gate(import_tagged, tag)(again) is not None
    assert a_gate(import_own, tags={"cluster": "mine"})(again) is None


def test_clients_that_log_in_at_cognito_need_a_permission() -> None:
    allowed = a_statement("elasticloadbalancing:*")
    login = a_request("CreateRule", Actions=[{"Type": "authenticate-cognito"}])
    plain = a_request("CreateRule", Actions=FIXED_404)
    assert a_gate(allowed)(plain) is None
    assert a_gate(allowed)(login) is not None
    assert a_gate(allowed, a_statement("cognito-idp:DescribeUserPoolClient"))(login) is None


def test_protections_are_resources() -> None:
    own = a_statement("shield:*", Resource="arn:aws:shield::*:protection/*")
    assert a_gate(own)(a_request("CreateProtection", service="shield")) is None
    assert a_gate(own)(a_request("GetSubscriptionState", service="shield")) is not None


def test_each_service_denies_in_its_own_words() -> None:
    gate = a_gate(a_statement("nothing:AtAll"))
    codes = {}
    for service, operation in (
        ("ec2", "DescribeVpcs"),
        ("elbv2", "DescribeTags"),
        ("acm", "ListCertificates"),
    ):
        denial = gate(a_request(operation, service=service))
        assert denial is not None
        codes[service] = denial.code
    assert codes == {"ec2": "UnauthorizedOperation", "elbv2": "AccessDenied", "acm": "AccessDeniedException"}


def test_asking_who_one_is_needs_no_permission() -> None:
    assert a_gate(a_statement("nothing:AtAll"))(a_request("GetCallerIdentity", service="sts")) is None
