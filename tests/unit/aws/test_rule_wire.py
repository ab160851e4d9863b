from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lbcontroller.aws import listener_wire, load_balancer_wire, rule_wire, target_groups
from lbcontroller.aws.action_wire import actions_request, decode_actions, lacks_secret, with_secrets
from lbcontroller.aws.wire import without_references
from lbcontroller.model.actions import (
    Action,
    AuthenticateCognitoAction,
    ClientSecret,
    FixedResponseAction,
    ForwardAction,
    JwtClaim,
    OnUnauthenticated,
    RedirectAction,
    ValidateJwtAction,
    WeightedTargetGroup,
)
from lbcontroller.model.enums import OnOff, Protocol, ProtocolVersion
from lbcontroller.model.fields import UNKNOWN, UNMANAGED
from lbcontroller.model.ids import Arn
from lbcontroller.model.references import Kind, ResourceId
from lbcontroller.model.resources import (
    Listener,
    ListenerRule,
    LoadBalancer,
    MutualAuthentication,
    MutualAuthenticationMode,
    TargetGroup,
)
from lbcontroller.model.rule_conditions import (
    Condition,
    HeaderCondition,
    HostCondition,
    HostRewrite,
    MethodCondition,
    PathCondition,
    QueryCondition,
    QueryPair,
    Rewrite,
    SourceCondition,
    UrlRewrite,
)
from tests.support.alb_stacks import (
    NOT_FOUND,
    SECURITY_GROUP,
    AlbGroup,
    Backend,
    a_session,
    an_oidc_login,
    listener_id,
    rule_id,
    target_group_id,
)

SECRET = ClientSecret("s3cret")
LISTENER = Arn("arn:listener")
ARNS = {
    SECURITY_GROUP: Arn("sg-1"),
    ResourceId(Kind.LOAD_BALANCER, "LoadBalancer"): Arn("arn:lb"),
    listener_id(80): LISTENER,
    target_group_id("web"): Arn("arn:tg"),
}


def resolved(kind: type[Any], **changes: Any) -> Any:
    [resource] = [item for item in AlbGroup(**changes).stack().resources if isinstance(item, kind)]
    return without_references(resource, ARNS)


def a_desired_rule(**changes: Any) -> ListenerRule:
    rule: ListenerRule = replace(resolved(ListenerRule), **changes)
    return rule


def answered(rule: ListenerRule) -> ListenerRule:
    """Return a rule as it is read when AWS answers exactly what was asked for."""
    answer = {**rule_wire.create_request(rule), "RuleArn": "arn:rule", "IsDefault": False}
    tags = rule.tags if isinstance(rule.tags, dict) else {}
    return rule_wire.decode_rule(answer, (LISTENER, 80), tags, ours=True).resource


# Actions

ACTIONS: tuple[Action, ...] = (
    ForwardAction(
        target_groups=(
            WeightedTargetGroup(target_group=Arn("arn:a"), weight=0),
            WeightedTargetGroup(target_group=Arn("arn:b"), weight=None),
        ),
        stickiness_enabled=True,
        stickiness_seconds=60,
    ),
    RedirectAction(status="HTTP_302", protocol="HTTPS", host="#{host}", port="8443", path="/", query=""),
    RedirectAction(status="HTTP_301"),
    FixedResponseAction(status="503", content_type="text/plain", body="later"),
    FixedResponseAction(status="204"),
    AuthenticateCognitoAction(
        user_pool_arn="arn:pool",
        client_id="shop",
        user_pool_domain="login",
        session=a_session(on_unauthenticated=OnUnauthenticated.DENY, extra_parameters={"lang": "en"}),
    ),
    ValidateJwtAction(issuer="https://a", jwks_endpoint="https://a/keys"),
    ValidateJwtAction(
        issuer="https://a",
        jwks_endpoint="https://a/keys",
        claims=(JwtClaim(name="aud", format="single-string", values=("shop",)),),
    ),
)


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: type(action).__name__)
def test_actions_round_trip(action: Action) -> None:
    assert decode_actions(actions_request([action])) == (action,)


def test_actions_are_numbered_and_read_in_that_order() -> None:
    request = actions_request([an_oidc_login(SECRET), NOT_FOUND])

    assert [action["Order"] for action in request] == [1, 2]
    assert decode_actions(reversed(request)) == (an_oidc_login(UNKNOWN), NOT_FOUND)


def test_a_login_is_sent_with_its_secret_or_keeps_the_one_it_has() -> None:
    [known] = actions_request([an_oidc_login(SECRET)])
    [unknown] = actions_request([an_oidc_login(UNKNOWN)])

    assert known["AuthenticateOidcConfig"]["ClientSecret"] == "s3cret"
    assert "UseExistingClientSecret" not in known["AuthenticateOidcConfig"]
    assert unknown["AuthenticateOidcConfig"]["UseExistingClientSecret"] is True
    assert "ClientSecret" not in unknown["AuthenticateOidcConfig"]


def test_members_of_a_login_that_aws_leaves_out_have_their_defaults() -> None:
    [request] = actions_request([an_oidc_login(SECRET)])
    defaults = {"SessionCookieName", "Scope", "SessionTimeout", "OnUnauthenticatedRequest"}
    config = {key: value for key, value in request["AuthenticateOidcConfig"].items() if key not in defaults}

    assert decode_actions([{**request, "AuthenticateOidcConfig": config}]) == (an_oidc_login(UNKNOWN),)


def test_a_secret_is_known_again_where_everything_else_is_the_same() -> None:
    read = (an_oidc_login(UNKNOWN), NOT_FOUND)

    assert with_secrets(read, (), (an_oidc_login(SECRET),)) == (an_oidc_login(SECRET), NOT_FOUND)
    assert with_secrets(read, (an_oidc_login(SECRET, client_id="other"),)) == read
    assert with_secrets(read, (an_oidc_login(UNKNOWN),), (an_oidc_login(SECRET),))[0] == an_oidc_login(SECRET)


def test_a_secret_that_nobody_knows_is_told() -> None:
    assert lacks_secret([an_oidc_login(UNKNOWN), NOT_FOUND])
    assert not lacks_secret([an_oidc_login(SECRET), NOT_FOUND])


def test_no_representation_shows_a_secret() -> None:
    assert "s3cret" not in repr(an_oidc_login(SECRET))


def test_kinds_of_actions_that_are_new_are_left_out() -> None:
    assert decode_actions([{"Type": "invented"}, *actions_request([NOT_FOUND])]) == (NOT_FOUND,)


# Rules

CONDITIONS: tuple[Condition, ...] = (
    HostCondition(values=("a.example.com", "*.b.example.com")),
    HostCondition(regexes=("^a[.]",)),
    PathCondition(values=("/a", "/a/*")),
    PathCondition(regexes=("^/v[0-9]/",)),
    HeaderCondition(name="X-Env", values=("canary",)),
    HeaderCondition(name="X-Env", regexes=("^c",)),
    MethodCondition(values=("GET", "HEAD")),
    QueryCondition(values=(QueryPair(key="v", value="2"), QueryPair(key=None, value="beta"))),
    SourceCondition(cidrs=("10.0.0.0/8", "2001:db8::/32")),
)


@pytest.mark.parametrize("condition", CONDITIONS, ids=str)
def test_conditions_round_trip(condition: Condition) -> None:
    rule = a_desired_rule(conditions=(condition,))

    assert answered(rule) == rule


def test_transforms_round_trip() -> None:
    rule = a_desired_rule(
        transforms=(
            HostRewrite(rewrites=(Rewrite(regex="^a", replacement="b"),)),
            UrlRewrite(rewrites=(Rewrite(regex="^/a", replacement="/"), Rewrite(regex="x", replacement=""))),
        )
    )

    assert answered(rule) == rule


@pytest.mark.parametrize(
    ("answer", "condition"),
    [
        ({"Field": "path-pattern", "Values": ["/a"]}, PathCondition(values=("/a",))),
        ({"Field": "host-header", "Values": ["a"], "HostHeaderConfig": {}}, HostCondition(values=("a",))),
        ({"Field": "path-pattern", "RegexValues": ["^/a"]}, PathCondition(regexes=("^/a",))),
    ],
)
def test_old_forms_of_conditions_are_read(answer: dict[str, Any], condition: Condition) -> None:
    rule = {"RuleArn": "arn:rule", "Priority": "7", "Conditions": [answer], "Actions": []}

    observed = rule_wire.decode_rule(rule, (LISTENER, 443), {}, ours=False)

    assert observed.resource.conditions == (condition,)
    assert observed.resource.id.name == "443:7"
    assert not observed.ours


def test_only_what_changes_is_sent() -> None:
    rule = a_desired_rule()

    assert set(rule_wire.modify_request(rule, {"actions"})) == {"Actions"}
    assert rule_wire.modify_request(rule, {"transforms"}) == {"ResetTransforms": True}


def test_a_rule_is_asked_for_with_its_tags() -> None:
    request = rule_wire.create_request(a_desired_rule())

    assert (request["ListenerArn"], request["Priority"]) == (LISTENER, 1)
    assert {"Key": "ingress.k8s.aws/resource", "Value": rule_id(80, 1).name} in request["Tags"]
    assert "Transforms" not in request


# Listeners


@pytest.mark.parametrize(
    "mutual",
    [
        MutualAuthentication(mode=MutualAuthenticationMode.OFF),
        MutualAuthentication(mode=MutualAuthenticationMode.PASSTHROUGH),
        MutualAuthentication(
            mode=MutualAuthenticationMode.VERIFY,
            trust_store=Arn("arn:store"),
            ignore_expiry=True,
            advertise_ca_names=OnOff.ON,
        ),
    ],
    ids=lambda mutual: mutual.mode,
)
def test_mutual_authentication_round_trips(mutual: MutualAuthentication) -> None:
    listener: Listener = resolved(Listener, mutual_authentication=mutual)
    request = listener_wire.create_request(listener)

    observed = listener_wire.decode_listener({**request, "ListenerArn": "arn:listener"}, listener.id, {})

    assert observed.resource.mutual_authentication == mutual


def test_what_means_nothing_without_verification_is_not_read() -> None:
    answer = {"Mode": "passthrough", "TrustStoreArn": "", "IgnoreClientCertificateExpiry": False}
    request = listener_wire.create_request(resolved(Listener))

    observed = listener_wire.decode_listener(
        {**request, "ListenerArn": "arn:listener", "MutualAuthentication": answer}, None, {}
    )

    assert observed.resource.mutual_authentication == MutualAuthentication(
        mode=MutualAuthenticationMode.PASSTHROUGH
    )


def test_a_listener_without_mutual_authentication_has_none() -> None:
    request = listener_wire.create_request(resolved(Listener))

    assert "MutualAuthentication" not in request
    observed = listener_wire.decode_listener({**request, "ListenerArn": "arn:listener"}, None, {})
    assert observed.resource.mutual_authentication is UNMANAGED


# Load balancers and target groups


def test_an_application_load_balancer_is_asked_for_without_members_of_network_ones() -> None:
    load_balancer: LoadBalancer = resolved(
        LoadBalancer,
        load_balancer={
            "source_nat_prefix": OnOff.OFF,
            "ipam_pool": "ipam-pool-1",
            "customer_owned_ipv4_pool": "ipv4pool-coip-1",
        },
    )

    request = load_balancer_wire.create_request(load_balancer)

    assert request["Type"] == "application"
    assert request["IpamPools"] == {"Ipv4IpamPoolId": "ipam-pool-1"}
    assert request["CustomerOwnedIpv4Pool"] == "ipv4pool-coip-1"
    assert request["SecurityGroups"] == ["sg-1"]
    assert "EnablePrefixForIpv6SourceNat" not in request


def test_no_pool_is_asked_for_by_leaving_it_out() -> None:
    load_balancer: LoadBalancer = resolved(LoadBalancer, load_balancer={"ipam_pool": ""})

    assert "IpamPools" not in load_balancer_wire.create_request(load_balancer)


@pytest.mark.parametrize(
    ("backend", "matcher"),
    [
        (Backend(), {"HttpCode": "200"}),
        (Backend(version=ProtocolVersion.GRPC, matcher="0-5"), {"GrpcCode": "0-5"}),
        (Backend(protocol=Protocol.HTTPS, version=ProtocolVersion.HTTP2), {"HttpCode": "200"}),
    ],
    ids=lambda value: str(getattr(value, "version", "")),
)
def test_target_groups_of_applications_round_trip(backend: Backend, matcher: dict[str, str]) -> None:
    desired: TargetGroup = replace(resolved(TargetGroup, backends=(backend,)), attributes=UNKNOWN)
    request = target_groups.create_request(desired)

    observed = target_groups.decode_target_group(
        {**request, "TargetGroupName": request["Name"], "TargetGroupArn": "arn:tg"},
        desired.id,
        desired.tags,  # type: ignore[arg-type] # known here
    )

    assert request["Matcher"] == matcher
    assert observed.resource == desired


def test_a_control_port_is_sent_and_read() -> None:
    desired: TargetGroup = replace(
        resolved(TargetGroup, backends=(Backend(control_port=3000),)), attributes=UNKNOWN
    )
    request = target_groups.create_request(desired)

    assert request["TargetControlPort"] == 3000
    answer = {**request, "TargetGroupName": request["Name"], "TargetGroupArn": "arn:tg"}
    assert target_groups.decode_target_group(answer, desired.id, {}).resource.control_port == 3000


def test_a_target_group_for_a_load_balancer_has_no_protocol_version() -> None:
    frontend = AlbGroup(frontend=True).stack().resources
    [target_group] = [
        item for item in frontend if isinstance(item, TargetGroup) and item.target_type == "alb"
    ]

    request = target_groups.create_request(target_group)

    assert "ProtocolVersion" not in request
    assert (request["TargetType"], request["Protocol"], request["Port"]) == ("alb", "TCP", 80)
