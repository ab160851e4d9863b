from __future__ import annotations

import json
from typing import Any

import pytest

from lbcontroller.annotations.codecs import Unreadable
from lbcontroller.annotations.jwt import JWT_VALIDATION
from lbcontroller.model.actions import JwtClaim, ValidateJwtAction

VALIDATION = {"jwksEndpoint": "https://idp.example.com/jwks", "issuer": "https://idp.example.com"}
CLAIM = {"format": "single-string", "name": "aud", "values": ["site"]}


def faults(**members: Any) -> list[str]:
    with pytest.raises(Unreadable) as caught:
        JWT_VALIDATION.decode(json.dumps(VALIDATION | members))
    return [f"{fault.expected} | {fault.hint}".removesuffix(" | ") for fault in caught.value.faults]


def test_a_validation_is_read() -> None:
    assert JWT_VALIDATION.decode(json.dumps(VALIDATION)) == ValidateJwtAction(
        issuer="https://idp.example.com", jwks_endpoint="https://idp.example.com/jwks"
    )


def test_claims_are_read_in_their_order() -> None:
    scopes = {"format": "space-separated-values", "name": "scope", "values": ["read", "write"]}
    read = JWT_VALIDATION.decode(json.dumps(VALIDATION | {"additionalClaims": [CLAIM, scopes]}))
    assert read.claims == (
        JwtClaim(name="aud", format="single-string", values=("site",)),
        JwtClaim(name="scope", format="space-separated-values", values=("read", "write")),
    )
    assert JWT_VALIDATION.decode(JWT_VALIDATION.encode(read)) == read


def test_member_names_may_be_in_any_case() -> None:
    raw = '{"JwksEndpoint":"https://idp.example.com/jwks","ISSUER":"me","additionalclaims":[]}'
    assert JWT_VALIDATION.decode(raw).issuer == "me"


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"jwksEndpoint": None}, "jwksEndpoint is required"),
        ({"issuer": None}, "issuer is required"),
        ({"issuer": ""}, "issuer must not be empty"),
        ({"issuer": "x" * 257}, "issuer must have at most 256 characters"),
        (
            {"jwksEndpoint": "http://idp.example.com"},
            "jwksEndpoint must be a URL that begins with https://, not 'http://idp.example.com'",
        ),
        ({"audience": "x"}, "audience is not known here"),
        ({"additionalClaims": [CLAIM] * 11}, "additionalClaims must have at most 10 items"),
        ({"additionalClaims": [CLAIM | {"values": []}]}, "additionalClaims[0].values must not be empty"),
        (
            {"additionalClaims": [CLAIM | {"values": ["x"] * 11}]},
            "additionalClaims[0].values must have at most 10 items",
        ),
        ({"additionalClaims": [CLAIM | {"values": [""]}]}, "additionalClaims[0].values[0] must not be empty"),
        ({"additionalClaims": [CLAIM | {"name": ""}]}, "additionalClaims[0].name must not be empty"),
        (
            {"additionalClaims": [CLAIM | {"name": "exp"}]},
            (
                "additionalClaims[0].name must be the name of a claim other than exp, iss, nbf and iat, "
                "which always count, not 'exp'"
            ),
        ),
        (
            {"additionalClaims": [CLAIM | {"format": "string"}]},
            (
                "additionalClaims[0].format must be single-string, string-array or space-separated-values, "
                "not 'string' | did you mean 'string-array'?"
            ),
        ),
        (
            {"additionalClaims": [CLAIM | {"format": "space-separated-values", "values": ["a b"]}]},
            "additionalClaims[0] must have values without spaces with format space-separated-values",
        ),
    ],
)
def test_wrong_members_are_refused(members: dict[str, Any], expected: str) -> None:
    assert faults(**members) == [expected]
