"""The JSON of `auth-idp-cognito` and `auth-idp-oidc`: who logs clients in.

Limits are those of the ELBv2 API reference 2015-12-01: AuthenticateCognitoActionConfig and
AuthenticateOidcActionConfig.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from lbcontroller.annotations.codecs import Codec
from lbcontroller.annotations.ingress_formats import HTTPS_URL, SECRET_NAME, USER_POOL_ARN
from lbcontroller.annotations.json_objects import JsonModel, json_object

MAX_EXTRA_PARAMETERS: Final = 10
"""Source: ELBv2 API reference, AuthenticateOidcActionConfig."""


class AuthType(StrEnum):
    """How clients are logged in."""

    NONE = "none"
    COGNITO = "cognito"
    OIDC = "oidc"


class CognitoPool(JsonModel):
    """An Amazon Cognito user pool."""

    user_pool_arn: Annotated[str, AfterValidator(USER_POOL_ARN.decode)] = Field(alias="userPoolARN")
    """ARN of the pool."""
    user_pool_client_id: str = Field(alias="userPoolClientID", min_length=1)
    """Id of the pool's client."""
    user_pool_domain: str = Field(min_length=1)
    """Domain prefix, or full name of a domain of one's own."""
    authentication_request_extra_params: Mapping[str, str] = Field(
        default_factory=dict, max_length=MAX_EXTRA_PARAMETERS
    )
    """Query parameters of the redirect to the login."""


class OidcProvider(JsonModel):
    """An OpenID Connect provider."""

    issuer: Annotated[str, AfterValidator(HTTPS_URL.decode)]
    """Its name, as it stands in its tokens."""
    authorization_endpoint: Annotated[str, AfterValidator(HTTPS_URL.decode)]
    """Where clients log in."""
    token_endpoint: Annotated[str, AfterValidator(HTTPS_URL.decode)]
    """Where codes become tokens."""
    user_info_endpoint: Annotated[str, AfterValidator(HTTPS_URL.decode)]
    """Where claims are read."""
    secret_name: Annotated[str, AfterValidator(SECRET_NAME.decode)]
    """Secret of the Ingress's namespace with the entries `clientID` and `clientSecret`."""
    authentication_request_extra_params: Mapping[str, str] = Field(
        default_factory=dict, max_length=MAX_EXTRA_PARAMETERS
    )
    """Query parameters of the redirect to the login."""


COGNITO: Final[Codec[CognitoPool]] = json_object(CognitoPool)
OIDC: Final[Codec[OidcProvider]] = json_object(OidcProvider)
