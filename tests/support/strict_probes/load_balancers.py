"""Probes of load balancers."""

from __future__ import annotations

from tests.support.strict_probes.bench import Answer, Bench, Probes, all_pages, attributes

probe = Probes()


@probe(aws_answers=True)
def creating_the_same_load_balancer_again_answers_the_existing_one(bench: Bench) -> Answer:
    name = bench.name()
    return bench.load_balancer_arn(Name=name) == bench.load_balancer_arn(Name=name)


@probe(aws_answers="DuplicateLoadBalancerName")
def a_name_is_taken_when_other_settings_use_it(bench: Bench) -> Answer:
    name = bench.name()
    bench.load_balancer(Name=name)
    return bench.outcome(bench.load_balancer, Name=name, Scheme="internal")


@probe(aws_answers=[True, True])
def network_load_balancers_and_their_listeners_have_net_in_their_arn(bench: Bench) -> Answer:
    arn = bench.load_balancer_arn(Type="network")
    group = bench.target_group_arn(Protocol="TCP")
    actions = [{"Type": "forward", "TargetGroupArn": group}]
    listener = bench.listener_arn(arn, Protocol="TCP", DefaultActions=actions)
    return [":loadbalancer/net/" in arn, ":listener/net/" in listener]


@probe(aws_answers="internet-facing")
def the_scheme_is_internet_facing_unless_asked_otherwise(bench: Bench) -> Answer:
    return bench.load_balancer().get("Scheme")


@probe(aws_answers="ValidationError")
def an_application_load_balancer_needs_two_zones(bench: Bench) -> Answer:
    return bench.outcome(bench.load_balancer, Subnets=bench.subnets[:1])


@probe(aws_answers="InvalidConfigurationRequest")
def one_subnet_per_zone(bench: Bench) -> Answer:
    twice = [bench.subnets[0], bench.subnets[0]]
    return bench.outcome(bench.load_balancer, Type="network", Subnets=twice)


@probe(aws_answers="ok")
def a_network_load_balancer_may_shrink_to_one_zone(bench: Bench) -> Answer:
    arn = bench.load_balancer_arn(Type="network")
    return bench.outcome(bench.elb.set_subnets, LoadBalancerArn=arn, Subnets=bench.subnets[:1])


@probe(aws_answers="InvalidSecurityGroup")
def unknown_security_groups_are_refused(bench: Bench) -> Answer:
    return bench.outcome(bench.load_balancer, SecurityGroups=["sg-0123456789abcdef0"])


@probe(aws_answers=1)
def an_application_load_balancer_gets_the_default_security_group(bench: Bench) -> Answer:
    return len(bench.load_balancer()["SecurityGroups"])


@probe(aws_answers="InvalidConfigurationRequest")
def a_network_load_balancer_made_without_security_groups_stays_without(bench: Bench) -> Answer:
    arn = bench.load_balancer_arn(Type="network")
    groups = [bench.security_group()]
    return bench.outcome(bench.elb.set_security_groups, LoadBalancerArn=arn, SecurityGroups=groups)


@probe(aws_answers=[True, "10.0.1.9"])
def fixed_addresses_are_described(bench: Bench) -> Answer:
    allocation = bench.ec2.allocate_address(Domain="vpc")["AllocationId"]
    made = bench.load_balancer(
        Type="network",
        SubnetMappings=[
            {"SubnetId": bench.subnets[0], "AllocationId": allocation},
            {"SubnetId": bench.subnets[1], "PrivateIPv4Address": "10.0.1.9"},
        ],
    )
    addresses = [(zone.get("LoadBalancerAddresses") or [{}])[0] for zone in made["AvailabilityZones"]]
    return [addresses[0].get("AllocationId") == allocation, addresses[1].get("PrivateIPv4Address")]


@probe(aws_answers="AllocationIdNotFound")
def unknown_elastic_addresses_are_refused(bench: Bench) -> Answer:
    mapping = {"SubnetId": bench.subnets[0], "AllocationId": "eipalloc-0123456789abcdef0"}
    return bench.outcome(bench.load_balancer, Type="network", SubnetMappings=[mapping])


@probe(aws_answers="InvalidConfigurationRequest")
def a_private_address_lies_in_its_subnet(bench: Bench) -> Answer:
    mapping = {"SubnetId": bench.subnets[0], "PrivateIPv4Address": "10.0.9.9"}
    return bench.outcome(bench.load_balancer, Type="network", SubnetMappings=[mapping])


@probe(aws_answers=["on", "pool", "off"])
def what_was_asked_for_is_described(bench: Bench) -> Answer:
    network = bench.load_balancer_arn(
        Type="network", EnablePrefixForIpv6SourceNat="on", SecurityGroups=[bench.security_group()]
    )
    application = bench.load_balancer(IpamPools={"Ipv4IpamPoolId": "pool"})
    bench.elb.set_security_groups(
        LoadBalancerArn=network,
        SecurityGroups=[bench.security_group()],
        EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic="off",
    )
    described = bench.described(network)
    return [
        described.get("EnablePrefixForIpv6SourceNat"),
        application.get("IpamPools", {}).get("Ipv4IpamPoolId"),
        described.get("EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"),
    ]


@probe(aws_answers=["ok", "ok"])
def dualstack_without_public_ipv4_is_an_address_type(bench: Bench) -> Answer:
    kind = "dualstack-without-public-ipv4"
    arn = bench.load_balancer_arn()
    return [
        bench.outcome(bench.load_balancer, IpAddressType=kind),
        bench.outcome(bench.elb.set_ip_address_type, LoadBalancerArn=arn, IpAddressType=kind),
    ]


@probe(aws_answers=["ValidationError", "ValidationError", "ValidationError"])
def names_follow_the_rules(bench: Bench) -> Answer:
    return [bench.outcome(bench.load_balancer, Name=name) for name in ("a" * 33, "under_score", "internal-x")]


@probe(aws_answers=["ValidationError", "ValidationError"])
def subnets_come_either_plain_or_as_mappings(bench: Bench) -> Answer:
    mappings = [{"SubnetId": subnet} for subnet in bench.subnets]
    both = {"Name": bench.name(), "Subnets": bench.subnets, "SubnetMappings": mappings}
    return [
        bench.outcome(bench.elb.create_load_balancer, **both),
        bench.outcome(bench.elb.create_load_balancer, Name=bench.name()),
    ]


@probe(aws_answers="SubnetNotFound")
def unknown_subnets_are_refused_in_elbs_words(bench: Bench) -> Answer:
    return bench.outcome(bench.load_balancer, Subnets=["subnet-0123456789abcdef0", bench.subnets[1]])


@probe(aws_answers=["DuplicateTagKeys", "TooManyTags", "ValidationError"])
def tags_are_checked_on_creation(bench: Bench) -> Answer:
    tag = {"Key": "a", "Value": "b"}
    return [
        bench.outcome(bench.load_balancer, Tags=tags)
        for tags in (
            [tag, tag],
            [{"Key": f"k{number}", "Value": ""} for number in range(51)],
            [{"Key": "aws:a", "Value": "b"}],
        )
    ]


@probe(aws_answers=["60", "any_availability_zone", True])
def attributes_are_those_of_the_type(bench: Bench) -> Answer:
    application, network = bench.load_balancer_arn(), bench.load_balancer_arn(Type="network")
    describe = bench.elb.describe_load_balancer_attributes
    of_application = attributes(describe(LoadBalancerArn=application))
    of_network = attributes(describe(LoadBalancerArn=network))
    return [
        of_application.get("idle_timeout.timeout_seconds"),
        of_network.get("dns_record.client_routing_policy"),
        of_application.keys() != of_network.keys(),
    ]


@probe(aws_answers=["ValidationError", "ValidationError", "InvalidConfigurationRequest"])
def attribute_values_are_checked(bench: Bench) -> Answer:
    arn = bench.load_balancer_arn(Type="network")
    return [
        bench.outcome(
            bench.elb.modify_load_balancer_attributes,
            LoadBalancerArn=arn,
            Attributes=[{"Key": key, "Value": value}],
        )
        for key, value in (
            ("load_balancing.cross_zone.enabled", "maybe"),
            ("idle_timeout.timeout_seconds", "60"),
            ("access_logs.s3.enabled", "true"),
        )
    ]


@probe(aws_answers="OperationNotPermitted")
def deletion_protection_protects(bench: Bench) -> Answer:
    arn = bench.load_balancer_arn()
    protected = [{"Key": "deletion_protection.enabled", "Value": "true"}]
    bench.elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=protected)
    return bench.outcome(bench.elb.delete_load_balancer, LoadBalancerArn=arn)


@probe(aws_answers="LoadBalancerNotFound")
def one_unknown_name_fails_the_description(bench: Bench) -> Answer:
    names = [bench.load_balancer()["LoadBalancerName"], "unknown"]
    return bench.outcome(bench.elb.describe_load_balancers, Names=names)


@probe(aws_answers=["ValidationError", "ValidationError", "ValidationError"])
def descriptions_have_limits(bench: Bench) -> Answer:
    arn, describe = bench.load_balancer_arn(), bench.elb.describe_load_balancers
    return [
        bench.outcome(describe, LoadBalancerArns=[arn] * 21),
        bench.outcome(describe, PageSize=401),
        bench.outcome(describe, Marker="nonsense"),
    ]


@probe(aws_answers=[51])
def a_page_holds_400_unless_asked_otherwise(bench: Bench) -> Answer:
    existing = sum(map(len, all_pages(bench.elb.describe_load_balancers, "LoadBalancers")))
    for _ in range(51 - existing):
        bench.load_balancer(Type="network")
    surplus = max(existing - 51, 0)
    return [len(found) - surplus for found in all_pages(bench.elb.describe_load_balancers, "LoadBalancers")]


@probe(aws_answers=[True, True])
def dns_names_and_hosted_zones_tell_load_balancers_apart(bench: Bench) -> Answer:
    application, network = bench.load_balancer(), bench.load_balancer(Type="network")
    zones = {item["CanonicalHostedZoneId"] for item in (application, network)}
    return [len(zones) == len([application, network]), ".elb.us-west-2." in network["DNSName"]]


@probe(aws_answers=[100, 2])
def capacity_can_be_reserved(bench: Bench) -> Answer:
    arn = bench.load_balancer_arn()
    wanted = {"CapacityUnits": 100}
    if (
        bench.outcome(
            bench.elb.modify_capacity_reservation, LoadBalancerArn=arn, MinimumLoadBalancerCapacity=wanted
        )
        != "ok"
    ):
        return []
    answer = bench.elb.describe_capacity_reservation(LoadBalancerArn=arn)
    return [answer["MinimumLoadBalancerCapacity"]["CapacityUnits"], len(answer["CapacityReservationState"])]


@probe(aws_answers="ok")
def ipam_pools_can_be_changed(bench: Bench) -> Answer:
    arn = bench.load_balancer_arn()
    pools = {"Ipv4IpamPoolId": "pool"}
    return bench.outcome(bench.elb.modify_ip_pools, LoadBalancerArn=arn, IpamPools=pools)
