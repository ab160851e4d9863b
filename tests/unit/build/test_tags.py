from __future__ import annotations

from lbcontroller.build.tags import resource_tags, shared_resource_tags
from lbcontroller.model.references import Kind, ResourceId
from lbcontroller.settings import Settings
from tests.support.load_balancer_builds import a_context, problems_of

LOAD_BALANCER = ResourceId(Kind.LOAD_BALANCER, "LoadBalancer")
TRACKING = {
    "elbv2.k8s.aws/cluster": "yard",
    "service.k8s.aws/resource": "LoadBalancer",
    "service.k8s.aws/stack": "shop/web",
}


def test_a_resource_is_tagged_with_what_finds_it_again() -> None:
    assert resource_tags(a_context(), LOAD_BALANCER, {}) == TRACKING


def test_default_tags_win_over_those_of_the_user() -> None:
    context = a_context(flags={"default-tags": "team=platform,env=prod"})

    tags = resource_tags(context, LOAD_BALANCER, {"team": "shop", "cost": "42"})

    assert tags == TRACKING | {"team": "platform", "env": "prod", "cost": "42"}


def test_default_tags_give_way_where_the_gate_says_so() -> None:
    context = a_context(
        flags={"default-tags": "team=platform", "feature-gates": "EnableDefaultTagsLowPriority=true"}
    )

    assert resource_tags(context, LOAD_BALANCER, {"team": "shop"}) == TRACKING | {"team": "shop"}


def test_nobody_but_the_controller_says_whose_a_resource_is() -> None:
    assert resource_tags(a_context(), LOAD_BALANCER, {"service.k8s.aws/stack": "bank/vault"}) == TRACKING


def test_tags_are_ordered_by_key() -> None:
    tags = resource_tags(a_context(), LOAD_BALANCER, {"z": "1", "a": "2"})

    assert list(tags) == sorted(tags)


def test_every_tag_of_the_user_that_somebody_else_manages_is_a_problem() -> None:
    context = a_context(flags={"external-managed-tags": "cost,audit"})

    assert problems_of(
        lambda: resource_tags(context, LOAD_BALANCER, {"team": "x", "cost": "42", "audit": "y"})
    ) == [
        (
            "example.org/tags: 'audit=y': must leave out the tag audit, which --external-managed-tags "
            "gives to somebody else"
        ),
        (
            "example.org/tags: 'cost=42': must leave out the tag cost, which --external-managed-tags "
            "gives to somebody else"
        ),
    ]


def test_more_tags_than_aws_takes_are_a_problem() -> None:
    context = a_context(flags={"default-tags": "team=platform"})
    user_tags = {f"tag-{number}": "" for number in range(47)}

    assert problems_of(lambda: resource_tags(context, LOAD_BALANCER, user_tags)) == [
        (
            "example.org/tags: '47 tags': AWS takes at most 50 tags on a resource, and with those of the "
            "controller there are 51"
        )
    ]


def test_what_the_cluster_shares_has_default_tags_and_no_stack() -> None:
    settings = Settings.parse({"cluster-name": "yard", "default-tags": "team=platform"})

    assert shared_resource_tags(settings, "backend-sg") == {
        "elbv2.k8s.aws/cluster": "yard",
        "elbv2.k8s.aws/resource": "backend-sg",
        "team": "platform",
    }
