"""Probes of tags and of the tagging API."""

from __future__ import annotations

from tests.support.strict_probes.bench import Answer, Bench, Probes

probe = Probes()


def _tags(count: int) -> list[dict[str, str]]:
    return [{"Key": f"key-{number}", "Value": "x"} for number in range(count)]


@probe(aws_answers=["ok", "ok", "TooManyTags"])
def a_resource_carries_fifty_tags(bench: Bench) -> Answer:
    arn = bench.target_group_arn()
    return [
        bench.outcome(bench.elb.add_tags, ResourceArns=[arn], Tags=_tags(count)) for count in (10, 50, 51)
    ]


@probe(aws_answers=["ValidationError", "LoadBalancerNotFound", "TargetGroupNotFound"])
def tags_of_too_many_or_absent_resources_are_not_described(bench: Bench) -> Answer:
    group, balancer = bench.target_group_arn(), bench.load_balancer_arn()
    bench.elb.delete_load_balancer(LoadBalancerArn=balancer)
    return [
        bench.outcome(bench.elb.describe_tags, ResourceArns=arns)
        for arns in ([group] * 21, [balancer], [f"{group}0"])
    ]


@probe(aws_answers=["DuplicateTagKeys", "ValidationError", "ValidationError", "ValidationError"])
def malformed_tags_are_refused(bench: Bench) -> Answer:
    arn = bench.target_group_arn()
    tag = {"Key": "a", "Value": "b"}
    return [
        bench.outcome(bench.elb.add_tags, ResourceArns=[arn], Tags=tags)
        for tags in (
            [tag, tag],
            [{"Key": "aws:a", "Value": "b"}],
            [{"Key": "a", "Value": "b" * 257}],
            [{"Key": "a", "Value": "b;c"}],
        )
    ]


@probe(aws_answers=["listener", "listener-rule", "loadbalancer"])
def the_tagging_api_lists_listeners_and_rules(bench: Bench) -> Answer:
    tags = [{"Key": "owner", "Value": bench.name()}]
    owner = bench.load_balancer_arn(Tags=tags)
    listener = bench.listener_arn(owner, Tags=tags)
    bench.rule(listener, 1, Tags=tags)
    filters = [{"Key": "owner", "Values": [tags[0]["Value"]]}]
    found = bench.tagging.get_resources(TagFilters=filters, ResourceTypeFilters=["elasticloadbalancing"])
    arns = [item["ResourceARN"] for item in found["ResourceTagMappingList"]]
    return sorted(arn.split(":")[5].split("/")[0] for arn in arns)


@probe(aws_answers=[1, 1])
def the_tagging_api_filters_by_kind_and_family(bench: Bench) -> Answer:
    tags = [{"Key": "owner", "Value": bench.name()}]
    bench.load_balancer(Tags=tags)
    bench.load_balancer(Tags=tags, Type="network")
    filters = [{"Key": "owner", "Values": [tags[0]["Value"]]}]
    return [
        len(
            bench.tagging.get_resources(
                TagFilters=filters, ResourceTypeFilters=[f"elasticloadbalancing:loadbalancer/{family}"]
            )["ResourceTagMappingList"]
        )
        for family in ("app", "net")
    ]


@probe(aws_answers=False)
def the_tagging_api_leaves_out_what_has_no_tags(bench: Bench) -> Answer:
    arn = bench.load_balancer_arn()
    pages = bench.tagging.get_paginator("get_resources").paginate()
    return arn in [item["ResourceARN"] for found in pages for item in found["ResourceTagMappingList"]]
