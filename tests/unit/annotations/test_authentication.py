from __future__ import annotations

import json
from typing import Any

import pytest

from lbcontroller.annotations.authentication import COGNITO, OIDC, CognitoPool, OidcProvider
from lbcontroller.annotations.codecs import Codec, Unreadable

POOL = {
    "userPoolARN": "arn:aws:cognito-idp:us-west-2:123456789012:userpool/us-west-2_abc",
    "userPoolClientID": "client",
    "userPoolDomain": "my-domain",
}
PROVIDER = {
    "issuer": "https://idp.example.com",
    "authorizationEndpoint": "https://idp.example.com/auth",
    "tokenEndpoint": "https://idp.example.com/token",
    "userInfoEndpoint": "https://idp.example.com:8443/user?a=b",
    "secretName": "oidc",
}


def faults(codec: Codec[Any], **members: object) -> list[str]:
    with pytest.raises(Unreadable) as caught:
        codec.decode(json.dumps(members))
    return [f"{fault.expected} | {fault.hint}".removesuffix(" | ") for fault in caught.value.faults]


def test_a_pool_is_read() -> None:
    pool = COGNITO.decode(json.dumps(POOL | {"authenticationRequestExtraParams": {"prompt": "login"}}))
    assert pool.user_pool_arn == POOL["userPoolARN"]
    assert (pool.user_pool_client_id, pool.user_pool_domain) == ("client", "my-domain")
    assert pool.authentication_request_extra_params == {"prompt": "login"}
    assert COGNITO.decode(COGNITO.encode(pool)) == pool


def test_a_provider_is_read() -> None:
    provider = OIDC.decode(json.dumps(PROVIDER))
    assert provider.issuer == "https://idp.example.com"
    assert provider.user_info_endpoint == "https://idp.example.com:8443/user?a=b"
    assert provider.secret_name == "oidc"
    assert provider.authentication_request_extra_params == {}
    assert OIDC.decode(OIDC.encode(provider)) == provider


def test_member_names_may_be_in_any_case() -> None:
    assert isinstance(COGNITO.decode(json.dumps({k.upper(): v for k, v in POOL.items()})), CognitoPool)
    assert isinstance(OIDC.decode(json.dumps({k.lower(): v for k, v in PROVIDER.items()})), OidcProvider)


@pytest.mark.parametrize("member", sorted(POOL))
def test_every_member_of_a_pool_is_required(member: str) -> None:
    assert faults(COGNITO, **{k: v for k, v in POOL.items() if k != member}) == [f"{member} is required"]


@pytest.mark.parametrize("member", sorted(PROVIDER))
def test_every_member_of_a_provider_is_required(member: str) -> None:
    assert faults(OIDC, **{k: v for k, v in PROVIDER.items() if k != member}) == [f"{member} is required"]


@pytest.mark.parametrize("member", ["issuer", "authorizationEndpoint", "tokenEndpoint", "userInfoEndpoint"])
@pytest.mark.parametrize("url", ["http://idp.example.com", "idp.example.com", "https://", "https://a b"])
def test_endpoints_are_reached_over_https(member: str, url: str) -> None:
    assert faults(OIDC, **(PROVIDER | {member: url})) == [
        f"{member} must be a URL that begins with https://, not {url!r}"
    ]


@pytest.mark.parametrize(
    ("codec", "members", "expected"),
    [
        (
            COGNITO,
            POOL | {"userPoolARN": "us-west-2_abc"},
            "userPoolARN must be the ARN of a Cognito user pool, not 'us-west-2_abc'",
        ),
        (COGNITO, POOL | {"userPoolClientID": ""}, "userPoolClientID must not be empty"),
        (COGNITO, POOL | {"userPoolDomain": ""}, "userPoolDomain must not be empty"),
        (
            COGNITO,
            POOL | {"userPoolId": "x"},
            "userPoolId is not known here | did you mean 'userPoolClientID'?",
        ),
        (
            OIDC,
            PROVIDER | {"secretName": "My Secret"},
            "secretName must be the name of a Secret in the namespace of the Ingress, not 'My Secret'",
        ),
        (OIDC, PROVIDER | {"clientSecret": "hush"}, "clientSecret is not known here"),
        (
            OIDC,
            PROVIDER | {"authenticationRequestExtraParams": {str(number): "" for number in range(11)}},
            "authenticationRequestExtraParams must have at most 10 items",
        ),
        (
            OIDC,
            PROVIDER | {"authenticationRequestExtraParams": {"a": 1}},
            "authenticationRequestExtraParams.a must be a valid string",
        ),
    ],
)
def test_wrong_members_are_refused(codec: Codec[Any], members: dict[str, Any], expected: str) -> None:
    assert faults(codec, **members) == [expected]
