"""What a listener or one of its rules does with a request.

Sources: ELBv2 API reference 2015-12-01, Action and the configurations it names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from lbcontroller.model.fields import Known
from lbcontroller.model.ids import Arn
from lbcontroller.model.references import Ref

TargetGroupRef = Arn | Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightedTargetGroup:
    """A target group with its share of the traffic."""

    target_group: TargetGroupRef
    weight: int | None
    """0 to 999; None leaves it to AWS, which takes 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardAction:
    """Forward to one or several target groups."""

    target_groups: tuple[WeightedTargetGroup, ...]
    stickiness_enabled: bool | None
    """Stickiness between the target groups; None leaves it to AWS, which takes false."""
    stickiness_seconds: int | None = None
    """1 to 604800; None where stickiness is off, and for network load balancers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedirectAction:
    """Send the client elsewhere; a part that is None stays as the client asked for it."""

    status: str
    """`HTTP_301` or `HTTP_302`."""
    protocol: str | None = None
    host: str | None = None
    port: str | None = None
    path: str | None = None
    query: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedResponseAction:
    """Answer the client without a target."""

    status: str
    """An HTTP code: `2XX`, `4XX` or `5XX`."""
    content_type: str | None = None
    body: str | None = None


class OnUnauthenticated(StrEnum):
    """What happens to a client that is not logged in."""

    DENY = "deny"
    ALLOW = "allow"
    AUTHENTICATE = "authenticate"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticationSession:
    """What both ways of logging in share."""

    on_unauthenticated: OnUnauthenticated
    scope: str
    cookie: str
    timeout_seconds: int
    extra_parameters: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """The secret of an OIDC client; no representation shows it."""

    value: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticateOidcAction:
    """Log the client in at an OpenID Connect provider."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    user_info_endpoint: str
    client_id: str
    client_secret: Known[ClientSecret]
    """AWS never tells it: observed it is `UNKNOWN` unless this process sent it."""
    session: AuthenticationSession


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticateCognitoAction:
    """Log the client in at an Amazon Cognito user pool."""

    user_pool_arn: str
    client_id: str
    user_pool_domain: str
    session: AuthenticationSession


@dataclass(frozen=True, slots=True, kw_only=True)
class JwtClaim:
    """A claim that a token must carry."""

    name: str
    format: str
    """`single-string`, `string-array` or `space-separated-values`."""
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidateJwtAction:
    """Let requests through that carry a valid token."""

    issuer: str
    jwks_endpoint: str
    claims: tuple[JwtClaim, ...] = ()


Action = (
    ForwardAction
    | RedirectAction
    | FixedResponseAction
    | AuthenticateOidcAction
    | AuthenticateCognitoAction
    | ValidateJwtAction
)
"""One step of what is done with a request; the last one of several forwards, redirects or answers."""
