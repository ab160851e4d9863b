from __future__ import annotations

from collections.abc import Iterator

import pytest

from lbcontroller.local.aws import LocalAws
from lbcontroller.local.aws.state import anonymous, observe, observed_state
from lbcontroller.local.aws.world import SeededWorld, World, seed
from tests.support.strict_probes.bench import FIXED_404, forward


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws() as aws:
        yield aws


@pytest.fixture
def world(aws: LocalAws) -> SeededWorld:
    return seed(aws)


def test_ids_are_the_same_every_time(aws: LocalAws, world: SeededWorld) -> None:
    assert seed(aws).ids == world.ids
    assert world.vpc_id == "vpc-5fe13e4030d7eb223"


def test_a_world_that_is_made_again_knows_nothing_of_what_was_done_in_the_first_one(aws: LocalAws) -> None:
    first = seed(aws)
    made = everything(aws)
    ec2 = aws.client("ec2")
    ec2.authorize_security_group_ingress(
        GroupId=first.ids["sg.nodes"], IpProtocol="tcp", FromPort=80, ToPort=80, CidrIp="10.0.0.0/8"
    )
    ec2.create_tags(Resources=[first.ids["subnet.private-a"]], Tags=[{"Key": "a", "Value": "b"}])
    aws.client("elbv2").create_target_group(Name="left", Protocol="TCP", Port=80, VpcId=first.vpc_id)
    assert everything(aws) != made

    later_ids = set()
    for _ in range(2):
        again = seed(aws)
        assert (again.ids, again.vpc_id, again.nodes) == (first.ids, first.vpc_id, first.nodes)
        assert everything(aws) == made
        aws.client("elbv2").create_target_group(Name="next", Protocol="TCP", Port=80, VpcId=again.vpc_id)
        later_ids.add(ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"])
    assert len(later_ids) == 1


def everything(aws: LocalAws) -> list[object]:
    """Return what can be listed of a world."""
    ec2 = aws.client("ec2")
    return [
        ec2.describe_vpcs()["Vpcs"],
        ec2.describe_subnets()["Subnets"],
        ec2.describe_security_groups()["SecurityGroups"],
        ec2.describe_network_interfaces()["NetworkInterfaces"],
        ec2.describe_route_tables()["RouteTables"],
        ec2.describe_addresses()["Addresses"],
        aws.client("acm").list_certificates()["CertificateSummaryList"],
        aws.client("elbv2").describe_target_groups()["TargetGroups"],
        aws.client("wafv2").list_web_acls(Scope="REGIONAL")["WebACLs"],
    ]


def test_certificates_are_issued(aws: LocalAws, world: SeededWorld) -> None:
    found = aws.client("acm").list_certificates(CertificateStatuses=["ISSUED"])["CertificateSummaryList"]
    assert sorted(item["DomainName"] for item in found) == [
        "*.apps.example.com",
        "api.example.com",
        "www.example.com",
    ]
    assert found[0]["CertificateArn"] in world.names


def test_subnets_carry_the_tags_of_the_cluster(aws: LocalAws) -> None:
    world = seed(aws, World(cluster_name="demo", nodes=0))
    found = aws.client("ec2").describe_subnets(SubnetIds=[world.ids["subnet.private-b"]])["Subnets"][0]
    assert {tag["Key"]: tag["Value"] for tag in found["Tags"]} == {
        "Name": "private-b",
        "kubernetes.io/role/internal-elb": "1",
        "kubernetes.io/cluster/demo": "shared",
    }
    assert found["CidrBlock"] == "10.0.11.0/24"


def test_pods_have_addresses_of_their_nodes_interface(aws: LocalAws) -> None:
    world = seed(aws, World(nodes=4, pods_per_node=2))
    last = world.nodes[3]
    filters = [{"Name": "addresses.private-ip-address", "Values": [last.pod_ips[1]]}]
    found = aws.client("ec2").describe_network_interfaces(Filters=filters)["NetworkInterfaces"]
    assert [item["NetworkInterfaceId"] for item in found] == [last.network_interface_id]
    assert (last.zone, last.ip, last.pod_ips) == ("us-west-2a", "10.0.10.11", ["10.0.10.110", "10.0.10.111"])


def test_placeholders_are_filled(world: SeededWorld) -> None:
    assert world.fill("a: ${subnet.public-a}, ${vpc}") == f"a: {world.ids['subnet.public-a']}, {world.vpc_id}"
    with pytest.raises(KeyError):
        world.fill("${subnet.unknown}")


def test_a_world_has_room_for_so_many_nodes() -> None:
    with pytest.raises(ValueError, match="up to 9 nodes"):
        World(nodes=10)


def test_an_untouched_world_has_next_to_no_state(world: SeededWorld) -> None:
    state = observed_state(world)
    assert (state["load_balancers"], state["target_groups"]) == ({}, {})
    assert list(state["security_groups"]) == ["nodes"]


def test_state_has_names_for_ids_and_hashes(aws: LocalAws, world: SeededWorld) -> None:
    elb, tags = aws.client("elbv2"), [{"Key": "service.k8s.aws/resource", "Value": "ns/web:80"}]
    group = elb.create_target_group(
        Name="k8s-ns-web-0123456789",
        Protocol="TCP",
        Port=30080,
        VpcId=world.vpc_id,
        TargetType="instance",
        Tags=tags,
    )["TargetGroups"][0]["TargetGroupArn"]
    owner = elb.create_load_balancer(
        Name="k8s-ns-web-abcdef0123",
        Type="network",
        Subnets=[world.ids["subnet.public-b"], world.ids["subnet.public-a"]],
        SecurityGroups=[world.ids["sg.nodes"]],
    )["LoadBalancers"][0]["LoadBalancerArn"]
    elb.create_listener(LoadBalancerArn=owner, Protocol="TCP", Port=80, DefaultActions=forward(group))
    elb.register_targets(TargetGroupArn=group, Targets=[{"Id": world.nodes[1].instance_id}])

    observed = observe(world)
    balancer = observed.state["load_balancers"]["k8s-ns-web-<hash>"]
    shown = observed.state["target_groups"]["k8s-ns-web-<ns/web:80>"]
    assert [zone["SubnetId"] for zone in balancer["zones"]] == ["subnet/public-a", "subnet/public-b"]
    assert balancer["security_groups"] == ["sg/nodes"]
    action = balancer["listeners"]["80/TCP"]["DefaultActions"][0]
    assert action["TargetGroupArn"] == "tg/k8s-ns-web-<ns/web:80>"
    assert shown["targets"] == ["node-1:<nodePort>"]
    assert shown["Port"] == "<nodePort>"
    assert shown["load_balancers"] == ["lb/k8s-ns-web-<hash>"]
    assert observed.named({"arn": group, "vpc": world.vpc_id}) == {
        "arn": "tg/k8s-ns-web-<ns/web:80>",
        "vpc": "vpc/main",
    }


def test_state_has_rules_certificates_and_ingress(aws: LocalAws, world: SeededWorld) -> None:
    elb, ec2 = aws.client("elbv2"), aws.client("ec2")
    owner = elb.create_load_balancer(
        Name="site", Subnets=[world.ids["subnet.public-a"], world.ids["subnet.public-b"]]
    )["LoadBalancers"][0]["LoadBalancerArn"]
    listener = elb.create_listener(
        LoadBalancerArn=owner,
        Protocol="HTTPS",
        Port=443,
        Certificates=[{"CertificateArn": world.ids["cert.www.example.com"]}],
        DefaultActions=FIXED_404,
    )["Listeners"][0]["ListenerArn"]
    extra = [{"CertificateArn": world.ids["cert.api.example.com"]}]
    elb.add_listener_certificates(ListenerArn=listener, Certificates=extra)
    condition = {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/a"]}}
    elb.create_rule(ListenerArn=listener, Priority=7, Conditions=[condition], Actions=FIXED_404)
    open_to_office = {
        "IpProtocol": "tcp",
        "FromPort": 8080,
        "ToPort": 8080,
        "PrefixListIds": [{"PrefixListId": world.ids["pl.office"]}],
    }
    ec2.authorize_security_group_ingress(GroupId=world.ids["sg.nodes"], IpPermissions=[open_to_office])

    state = observed_state(world)
    shown = state["load_balancers"]["site"]["listeners"]["443/HTTPS"]
    assert shown["certificates"] == {"default": ["cert/www.example.com"], "sni": ["cert/api.example.com"]}
    assert [(rule["priority"], rule["conditions"][0]["Values"]) for rule in shown["rules"]] == [("7", ["/a"])]
    assert state["security_groups"]["nodes"]["ingress"] == [
        {"IpProtocol": "tcp", "FromPort": 8080, "ToPort": 8080, "peer": "pl/office", "description": ""}
    ]


def test_reading_the_state_is_not_recorded(aws: LocalAws, world: SeededWorld) -> None:
    observed_state(world)
    assert aws.calls == ()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("k8s-traffic-my-cluster-0123456789", "k8s-traffic-my-cluster-<hash>"),
        ("k8s-ns-web-0123456789", "k8s-ns-web-<hash>"),
        ("k8s-0123456789", "k8s-<hash>"),
        ("internal-a-1234567890.us-west-2.elb.amazonaws.com", "internal-a-<id>.us-west-2.elb.amazonaws.com"),
        ("a-0123456789abcdef.elb.eu-west-1.amazonaws.com", "a-<id>.elb.eu-west-1.amazonaws.com"),
        ("status 400, RequestID: 12-ab, api error", "status 400, RequestID: <id>, api error"),
        ("k8s-ns-web", "k8s-ns-web"),
    ],
)
def test_what_differs_between_runs_is_anonymous(text: str, shown: str) -> None:
    assert anonymous([text]) == [shown]
