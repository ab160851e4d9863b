from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lbcontroller.model.actions import (
    Action,
    ClientSecret,
    FixedResponseAction,
    ForwardAction,
    JwtClaim,
    RedirectAction,
    ValidateJwtAction,
    WeightedTargetGroup,
)
from lbcontroller.model.enums import OnOff
from lbcontroller.model.fields import UNKNOWN
from lbcontroller.model.ids import Arn
from lbcontroller.model.resources import MutualAuthentication, MutualAuthenticationMode
from lbcontroller.model.rule_conditions import (
    Condition,
    HeaderCondition,
    HostCondition,
    HostRewrite,
    PathCondition,
    Rewrite,
    UrlRewrite,
)
from lbcontroller.plan.equality import (
    same_actions,
    same_conditions,
    same_mutual_authentication,
    same_transforms,
)
from tests.support.alb_stacks import a_session, an_oidc_login

OFF, PASSTHROUGH, VERIFY = MutualAuthenticationMode
STORE = Arn("arn-of-trust-store")
KNOWN, OTHER = ClientSecret("one"), ClientSecret("two")
MOVED = RedirectAction(status="HTTP_301", protocol="HTTPS", port="443")
CLAIMS = (
    JwtClaim(name="a", format="single-string", values=("1",)),
    JwtClaim(name="b", format="single-string", values=("2",)),
)


def sticky(enabled: bool | None, seconds: int | None = None) -> ForwardAction:
    target = WeightedTargetGroup(target_group=Arn("arn"), weight=None)
    return ForwardAction(target_groups=(target,), stickiness_enabled=enabled, stickiness_seconds=seconds)


def required(*claims: JwtClaim) -> ValidateJwtAction:
    return ValidateJwtAction(issuer="me", jwks_endpoint="https://example.com", claims=claims)


@pytest.mark.parametrize(
    ("desired", "observed", "same"),
    [
        pytest.param(
            MOVED,
            replace(MOVED, host="#{host}", path="/#{path}", query="#{query}"),
            True,
            id="what AWS says of unset parts",
        ),
        pytest.param(replace(MOVED, host="#{host}"), MOVED, True, id="unset parts that are written out"),
        pytest.param(MOVED, replace(MOVED, query=""), True, id="an empty part"),
        pytest.param(MOVED, replace(MOVED, port="#{port}"), False, id="another port"),
        pytest.param(MOVED, replace(MOVED, status="HTTP_302"), False, id="another status"),
        pytest.param(
            FixedResponseAction(status="404"),
            FixedResponseAction(status="404", content_type="", body=""),
            True,
            id="an empty answer",
        ),
        pytest.param(
            FixedResponseAction(status="404", body="a"),
            FixedResponseAction(status="404", body="b"),
            False,
            id="another answer",
        ),
        pytest.param(sticky(None), sticky(enabled=True, seconds=60), True, id="stickiness is AWS's"),
        pytest.param(sticky(enabled=False), sticky(enabled=False, seconds=60), True, id="no time when off"),
        pytest.param(sticky(enabled=True), sticky(enabled=True, seconds=60), True, id="any time"),
        pytest.param(
            sticky(enabled=True, seconds=60), sticky(enabled=True, seconds=61), False, id="another time"
        ),
        pytest.param(an_oidc_login(KNOWN), an_oidc_login(UNKNOWN), True, id="a secret that nobody tells"),
        pytest.param(an_oidc_login(UNKNOWN), an_oidc_login(KNOWN), True, id="a secret that nobody has read"),
        pytest.param(an_oidc_login(KNOWN), an_oidc_login(OTHER), False, id="another secret"),
        pytest.param(
            an_oidc_login(KNOWN), an_oidc_login(UNKNOWN, client_id="other"), False, id="another client"
        ),
        pytest.param(
            an_oidc_login(KNOWN),
            an_oidc_login(KNOWN, session=a_session(scope="openid email")),
            False,
            id="another scope",
        ),
        pytest.param(required(*CLAIMS), required(*CLAIMS[::-1]), True, id="claims have no order"),
        pytest.param(required(*CLAIMS), required(CLAIMS[0]), False, id="one claim less"),
        pytest.param(MOVED, FixedResponseAction(status="404"), False, id="something else"),
    ],
)
def test_actions_are_the_same_when_they_do_the_same(desired: Action, observed: Action, same: bool) -> None:
    assert same_actions((desired,), (observed,)) is same


def test_the_order_of_actions_counts() -> None:
    login, answer = an_oidc_login(KNOWN), FixedResponseAction(status="200")
    assert not same_actions((login, answer), (answer, login))
    assert not same_actions((login, answer), (answer,))


HOST, PATH = HostCondition(values=("a", "b")), PathCondition(values=("/",))


@pytest.mark.parametrize(
    ("desired", "observed", "same"),
    [
        ((HOST, PATH), (PATH, HOST), True),
        ((HOST,), (HostCondition(values=("b", "a")),), False),
        ((HOST,), (HOST, PATH), False),
        (
            (HeaderCondition(name="a", values=("1",)), HeaderCondition(name="b", values=("1",))),
            (HeaderCondition(name="b", values=("1",)), HeaderCondition(name="a", values=("1",))),
            True,
        ),
        ((HOST,), (HostCondition(regexes=("a", "b")),), False),
    ],
)
def test_conditions_have_no_order_and_their_values_have_one(
    desired: tuple[Condition, ...], observed: tuple[Condition, ...], same: bool
) -> None:
    assert same_conditions(desired, observed) is same


def test_transforms_are_compared_by_type() -> None:
    host = HostRewrite(rewrites=(Rewrite(regex="a", replacement="b"),))
    url = UrlRewrite(rewrites=(Rewrite(regex="a", replacement="b"),))
    assert same_transforms((host, url), (url, host))
    assert not same_transforms((host,), (url,))
    assert not same_transforms((host,), ())


def mutual(mode: MutualAuthenticationMode, **more: Any) -> MutualAuthentication:
    return MutualAuthentication(mode=mode, **more)


@pytest.mark.parametrize(
    ("desired", "observed", "same"),
    [
        pytest.param(mutual(OFF), mutual(OFF, trust_store=Arn("")), True, id="an empty trust store"),
        pytest.param(
            mutual(PASSTHROUGH),
            mutual(PASSTHROUGH, ignore_expiry=False),
            True,
            id="what says nothing where nothing is verified",
        ),
        pytest.param(mutual(OFF), mutual(PASSTHROUGH), False, id="another mode"),
        pytest.param(
            mutual(VERIFY, trust_store=STORE),
            mutual(VERIFY, trust_store=STORE, ignore_expiry=False, advertise_ca_names=OnOff.OFF),
            True,
            id="defaults",
        ),
        pytest.param(
            mutual(VERIFY, trust_store=STORE), mutual(VERIFY, trust_store=Arn("b")), False, id="another store"
        ),
        pytest.param(
            mutual(VERIFY, trust_store=STORE, ignore_expiry=True),
            mutual(VERIFY, trust_store=STORE),
            False,
            id="expired certificates",
        ),
        pytest.param(
            mutual(VERIFY, trust_store=STORE, advertise_ca_names=OnOff.ON),
            mutual(VERIFY, trust_store=STORE),
            False,
            id="advertised names",
        ),
    ],
)
def test_mutual_authentication_is_compared_by_what_is_verified(
    desired: MutualAuthentication, observed: MutualAuthentication, same: bool
) -> None:
    assert same_mutual_authentication(desired, observed) is same
