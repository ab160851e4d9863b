"""Who may pass: authentication and token validation, which come before what a rule does with a request.

AWS authenticates on HTTPS listeners only. A rule that asks for it is never served without it.
"""

from __future__ import annotations

from typing import Final

from lbcontroller.annotations.authentication import AuthType, OidcProvider
from lbcontroller.annotations.backend import BackendAnnotations
from lbcontroller.build.ingress_member import Member
from lbcontroller.build.ingress_ports import LISTENING
from lbcontroller.cluster.secret import Secret
from lbcontroller.config.listener import ActionConfig
from lbcontroller.errors import InvalidConfig, NotReady, Problem
from lbcontroller.keys import ObjectName
from lbcontroller.model.actions import (
    AuthenticateCognitoAction,
    AuthenticateOidcAction,
    AuthenticationSession,
    ClientSecret,
    OnUnauthenticated,
)
from lbcontroller.model.enums import Protocol

SECRET_RETRY_SECONDS: Final = 1.0
"""How long to wait for a Secret that is being read: that is one call to the API server."""
DEFAULT_SCOPE: Final = "openid"
DEFAULT_COOKIE: Final = "AWSELBAuthSessionCookie"
DEFAULT_TIMEOUT_SECONDS: Final = 604_800
_CLIENT_ID_KEYS: Final = ("clientID", "clientId")
_CLIENT_SECRET_KEY: Final = "clientSecret"  # noqa: S105 - the name of an entry, not what is in it
_CONTROL_CHARACTERS: Final = "".join(map(chr, (*range(32), *range(127, 160))))


def before_action(member: Member, asked: BackendAnnotations, protocol: Protocol) -> tuple[ActionConfig, ...]:
    """Return the actions that come before the one that serves a request.

    Args:
        member: the Ingress.
        asked: what it, or the only Service behind the rule, says about authentication.
        protocol: of the listener.

    Raises:
        InvalidConfig: when what is asked for cannot be done, or is incomplete.
        NotReady: when a Secret was not read yet.
    """
    kind, jwt = asked.auth_type or AuthType.NONE, member.annotations.jwt_validation
    if kind is AuthType.NONE and jwt is None:
        return ()
    if kind is not AuthType.NONE and jwt is not None:
        raise InvalidConfig(
            member.problem(
                "jwt_validation",
                f"cannot be combined with authentication by {kind}: AWS takes one of the two",
                hint=f"remove it, or {BackendAnnotations.key_of('auth_type')}",
            )
        )
    if protocol is not Protocol.HTTPS:
        raise InvalidConfig(_needs_https(member, "auth_type" if jwt is None else "jwt_validation"))
    if jwt is not None:
        return (jwt,)
    return (_cognito(member, asked) if kind is AuthType.COGNITO else _oidc(member, asked),)


def _needs_https(member: Member, field: str) -> Problem:
    return member.problem(
        field,
        "needs an HTTPS listener, and the Ingress listens on HTTP too: it is never served without it",
        hint=f"listen on HTTPS only ({member.annotations.key_of('listen_ports')}), or send HTTP clients "
        f"there with {member.annotations.key_of('ssl_redirect')}",
    ).resting_on(*LISTENING, "ssl_redirect")


def _session(asked: BackendAnnotations, extra: dict[str, str]) -> AuthenticationSession:
    timeout = asked.auth_session_timeout
    return AuthenticationSession(
        on_unauthenticated=asked.auth_on_unauthenticated_request or OnUnauthenticated.AUTHENTICATE,
        scope=asked.auth_scope or DEFAULT_SCOPE,
        cookie=asked.auth_session_cookie or DEFAULT_COOKIE,
        timeout_seconds=DEFAULT_TIMEOUT_SECONDS if timeout is None else timeout,
        extra_parameters=dict(sorted(extra.items())),
    )


def _cognito(member: Member, asked: BackendAnnotations) -> AuthenticateCognitoAction:
    pool = asked.auth_idp_cognito
    if pool is None:
        raise InvalidConfig(_without_provider(member, "auth_idp_cognito", AuthType.COGNITO))
    return AuthenticateCognitoAction(
        user_pool_arn=pool.user_pool_arn,
        client_id=pool.user_pool_client_id,
        user_pool_domain=pool.user_pool_domain,
        session=_session(asked, dict(pool.authentication_request_extra_params)),
    )


def _oidc(member: Member, asked: BackendAnnotations) -> AuthenticateOidcAction:
    provider = asked.auth_idp_oidc
    if provider is None:
        raise InvalidConfig(_without_provider(member, "auth_idp_oidc", AuthType.OIDC))
    secret = _secret(member, provider)
    return AuthenticateOidcAction(
        issuer=provider.issuer,
        authorization_endpoint=provider.authorization_endpoint,
        token_endpoint=provider.token_endpoint,
        user_info_endpoint=provider.user_info_endpoint,
        client_id=_entry(member, secret, *_CLIENT_ID_KEYS).rstrip(),
        client_secret=ClientSecret(_entry(member, secret, _CLIENT_SECRET_KEY).rstrip(_CONTROL_CHARACTERS)),
        session=_session(asked, dict(provider.authentication_request_extra_params)),
    )


def _without_provider(member: Member, field: str, kind: AuthType) -> Problem:
    return member.problem(
        field, f"is required, because {BackendAnnotations.key_of('auth_type')} is {kind}", value=""
    ).resting_on(field)


def _secret(member: Member, provider: OidcProvider) -> Secret:
    name = ObjectName(member.name.namespace, provider.secret_name)
    if name not in member.secrets:
        raise NotReady(f"Secret {name} is being read", retry_after=SECRET_RETRY_SECONDS)
    secret = member.secrets[name]
    if secret is None:
        label = member.context.settings.required_secrets_label
        labelled = f", with the label {label} that --required-secrets-label asks for" if label else ""
        raise InvalidConfig(
            member.problem(
                "auth_idp_oidc",
                f"names a Secret that must exist in the namespace of the Ingress{labelled}",
                value=str(name),
                hint=f"make it with the entries {_CLIENT_ID_KEYS[0]} and {_CLIENT_SECRET_KEY}",
            )
        )
    return secret


def _entry(member: Member, secret: Secret, *keys: str) -> str:
    for key in keys:
        if key in secret.data:
            return secret.data[key].decode(errors="replace")
    raise InvalidConfig(
        member.problem(
            "auth_idp_oidc",
            f"names a Secret that must have the entry {keys[0]}",
            value=str(secret.name),
            hint=f"add {keys[0]} to it",
        )
    )
