"""Probes of EC2 and of certificates."""

from __future__ import annotations

from typing import Any

from tests.support.strict_probes.bench import Answer, Bench, Probes

probe = Probes()


def _permission(**peers: Any) -> list[dict[str, Any]]:
    return [{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, **peers}]


@probe(aws_answers=["DependencyViolation"] * 3)
def security_groups_in_use_are_not_deleted(bench: Bench) -> Answer:
    of_interface, of_balancer, of_rule = (bench.security_group() for _ in range(3))
    bench.ec2.create_network_interface(SubnetId=bench.subnets[0], Groups=[of_interface])
    bench.load_balancer(SecurityGroups=[of_balancer])
    peers = _permission(UserIdGroupPairs=[{"GroupId": of_rule}])
    bench.ec2.authorize_security_group_ingress(GroupId=bench.security_group(), IpPermissions=peers)
    return [
        bench.outcome(bench.ec2.delete_security_group, GroupId=group)
        for group in (of_interface, of_balancer, of_rule)
    ]


@probe(aws_answers="ok")
def rules_are_revoked_without_their_description(bench: Bench) -> Answer:
    group, peer = bench.security_group(), bench.security_group()
    with_description = _permission(UserIdGroupPairs=[{"GroupId": peer, "Description": "x"}])
    bench.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=with_description)
    return bench.outcome(
        bench.ec2.revoke_security_group_ingress,
        GroupId=group,
        IpPermissions=_permission(UserIdGroupPairs=[{"GroupId": peer}]),
    )


@probe(aws_answers=["10.0.0.0/8", "InvalidPermission.Duplicate"])
def host_bits_of_a_cidr_are_masked(bench: Bench) -> Answer:
    group = bench.security_group()
    authorize = bench.ec2.authorize_security_group_ingress
    authorize(GroupId=group, IpPermissions=_permission(IpRanges=[{"CidrIp": "10.0.0.5/8"}]))
    described = bench.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
    again = _permission(IpRanges=[{"CidrIp": "10.0.0.0/8"}])
    return [
        described["IpPermissions"][0]["IpRanges"][0]["CidrIp"],
        bench.outcome(authorize, GroupId=group, IpPermissions=again),
    ]


@probe(aws_answers=1)
def interfaces_are_found_by_secondary_addresses(bench: Bench) -> Answer:
    made = bench.ec2.create_network_interface(
        SubnetId=bench.subnets[0],
        PrivateIpAddresses=[
            {"PrivateIpAddress": "10.0.0.20", "Primary": True},
            {"PrivateIpAddress": "10.0.0.21", "Primary": False},
        ],
    )["NetworkInterface"]
    filters = [{"Name": "addresses.private-ip-address", "Values": ["10.0.0.21"]}]
    found = bench.ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"]
    return sum(item["NetworkInterfaceId"] == made["NetworkInterfaceId"] for item in found)


@probe(aws_answers="associated")
def ipv6_blocks_of_subnets_have_a_state(bench: Bench) -> Answer:
    vpc = bench.ec2.create_vpc(CidrBlock="10.1.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]
    block = vpc["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"].replace("/56", "/64")
    subnet = bench.ec2.create_subnet(VpcId=vpc["VpcId"], CidrBlock="10.1.0.0/24", Ipv6CidrBlock=block)
    return subnet["Subnet"]["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlockState"]["State"]


@probe(aws_answers=[[5, 2], [5, 2], [5, 2]])
def descriptions_of_ec2_are_paged(bench: Bench) -> Answer:
    vpc = bench.ec2.create_vpc(CidrBlock="10.2.0.0/16")["Vpc"]["VpcId"]
    for number in range(7):
        subnet = bench.ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.2.{number}.0/24")["Subnet"]
        bench.ec2.create_network_interface(SubnetId=subnet["SubnetId"])
        if number:  # the VPC's default group is the seventh
            bench.ec2.create_security_group(GroupName=f"{number}", Description="d", VpcId=vpc)
    of_vpc = [{"Name": "vpc-id", "Values": [vpc]}]
    return [
        [
            len(found[member])
            for found in bench.ec2.get_paginator(f"describe_{operation}").paginate(
                Filters=of_vpc, PaginationConfig={"PageSize": 5}
            )
        ]
        for operation, member in (
            ("subnets", "Subnets"),
            ("security_groups", "SecurityGroups"),
            ("network_interfaces", "NetworkInterfaces"),
        )
    ]


@probe(aws_answers=[1, 1])
def certificates_are_listed_in_pages(bench: Bench) -> Answer:
    pages = bench.acm.get_paginator("list_certificates").paginate(PaginationConfig={"PageSize": 1})
    return [len(found["CertificateSummaryList"]) for found in pages]


@probe(aws_answers=["a.example.com"])
def certificate_summaries_have_their_domain_names(bench: Bench) -> Answer:
    summaries = bench.acm.list_certificates()["CertificateSummaryList"]
    found = [item for item in summaries if item["CertificateArn"] == bench.certificates[0]]
    return found[0].get("SubjectAlternativeNameSummaries")
