"""Actions of listeners and rules as ELBv2 spells them (source: ELBv2 API reference 2015-12-01, Action)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, assert_never

from lbcontroller.aws.wire import without_nones
from lbcontroller.model.actions import (
    Action,
    AuthenticateCognitoAction,
    AuthenticateOidcAction,
    AuthenticationSession,
    ClientSecret,
    FixedResponseAction,
    ForwardAction,
    JwtClaim,
    OnUnauthenticated,
    RedirectAction,
    ValidateJwtAction,
    WeightedTargetGroup,
)
from lbcontroller.model.fields import UNKNOWN
from lbcontroller.model.ids import Arn

Json = dict[str, Any]
Answer = Mapping[str, Any]


def actions_request(actions: Sequence[Action]) -> list[Json]:
    """Return actions as AWS takes them; where a client secret is not known, AWS is to keep the one it has."""
    return [{**_request(action), "Order": order} for order, action in enumerate(actions, start=1)]


def decode_actions(answers: Iterable[Answer]) -> tuple[Action, ...]:
    """Return actions as AWS answers them, in their order; client secrets are unknown."""
    ordered = sorted(answers, key=lambda answer: answer.get("Order", 0))
    return tuple(_decode(ordered))


def with_secrets(actions: tuple[Action, ...], *sources: tuple[Action, ...]) -> tuple[Action, ...]:
    """Return actions with the client secrets that are known from before, because AWS never tells them.

    A secret counts only where everything else of its action is the same.

    Args:
        actions: as AWS answered them.
        sources: what was sent or known before; the first one that has the secret counts.
    """
    known = [action for source in sources for action in source if isinstance(action, AuthenticateOidcAction)]
    return tuple(
        replace(action, client_secret=_secret_of(action, known))
        if isinstance(action, AuthenticateOidcAction)
        else action
        for action in actions
    )


def lacks_secret(actions: Iterable[Action]) -> bool:
    """Return whether nobody here knows a client secret, so that no new rule or listener can be made."""
    return any(
        isinstance(action, AuthenticateOidcAction) and action.client_secret is UNKNOWN for action in actions
    )


def _secret_of(action: AuthenticateOidcAction, known: Iterable[AuthenticateOidcAction]) -> Any:
    if action.client_secret is not UNKNOWN:
        return action.client_secret
    same = (other.client_secret for other in known if replace(other, client_secret=UNKNOWN) == action)
    return next((secret for secret in same if secret is not UNKNOWN), UNKNOWN)


def _request(action: Action) -> Json:
    match action:
        case ForwardAction():
            return {"Type": "forward", "ForwardConfig": _forward_request(action)}
        case RedirectAction():
            return {"Type": "redirect", "RedirectConfig": _redirect_request(action)}
        case FixedResponseAction():
            return {"Type": "fixed-response", "FixedResponseConfig": _fixed_response_request(action)}
        case AuthenticateOidcAction():
            return {"Type": "authenticate-oidc", "AuthenticateOidcConfig": _oidc_request(action)}
        case AuthenticateCognitoAction():
            return {"Type": "authenticate-cognito", "AuthenticateCognitoConfig": _cognito_request(action)}
        case ValidateJwtAction():
            return {"Type": "jwt-validation", "JwtValidationConfig": _jwt_request(action)}
        case _:
            assert_never(action)


def _forward_request(action: ForwardAction) -> Json:
    sticky = without_nones(
        {"Enabled": action.stickiness_enabled, "DurationSeconds": action.stickiness_seconds}
    )
    groups = [
        without_nones({"TargetGroupArn": weighted.target_group, "Weight": weighted.weight})
        for weighted in action.target_groups
    ]
    return without_nones({"TargetGroups": groups, "TargetGroupStickinessConfig": sticky or None})


def _redirect_request(action: RedirectAction) -> Json:
    return without_nones(
        {
            "Protocol": action.protocol,
            "Host": action.host,
            "Port": action.port,
            "Path": action.path,
            "Query": action.query,
            "StatusCode": action.status,
        }
    )


def _fixed_response_request(action: FixedResponseAction) -> Json:
    return without_nones(
        {"StatusCode": action.status, "ContentType": action.content_type, "MessageBody": action.body}
    )


def _oidc_request(action: AuthenticateOidcAction) -> Json:
    secret = action.client_secret
    return {
        "Issuer": action.issuer,
        "AuthorizationEndpoint": action.authorization_endpoint,
        "TokenEndpoint": action.token_endpoint,
        "UserInfoEndpoint": action.user_info_endpoint,
        "ClientId": action.client_id,
        **(
            {"ClientSecret": secret.value}
            if isinstance(secret, ClientSecret)
            else {"UseExistingClientSecret": True}
        ),
        **_session_request(action.session),
    }


def _cognito_request(action: AuthenticateCognitoAction) -> Json:
    return {
        "UserPoolArn": action.user_pool_arn,
        "UserPoolClientId": action.client_id,
        "UserPoolDomain": action.user_pool_domain,
        **_session_request(action.session),
    }


def _session_request(session: AuthenticationSession) -> Json:
    return without_nones(
        {
            "SessionCookieName": session.cookie,
            "Scope": session.scope,
            "SessionTimeout": session.timeout_seconds,
            "OnUnauthenticatedRequest": session.on_unauthenticated,
            "AuthenticationRequestExtraParams": dict(session.extra_parameters) or None,
        }
    )


def _jwt_request(action: ValidateJwtAction) -> Json:
    claims = [
        {"Format": claim.format, "Name": claim.name, "Values": list(claim.values)} for claim in action.claims
    ]
    return without_nones(
        {"JwksEndpoint": action.jwks_endpoint, "Issuer": action.issuer, "AdditionalClaims": claims or None}
    )


def _decode(answers: Iterable[Answer]) -> Iterator[Action]:
    """Decode actions one by one; kinds that AWS has and we do not know are left out."""
    for answer in answers:
        match answer["Type"]:
            case "forward":
                yield _decode_forward(answer)
            case "redirect":
                yield _decode_redirect(answer["RedirectConfig"])
            case "fixed-response":
                yield _decode_fixed_response(answer["FixedResponseConfig"])
            case "authenticate-oidc":
                yield _decode_oidc(answer["AuthenticateOidcConfig"])
            case "authenticate-cognito":
                yield _decode_cognito(answer["AuthenticateCognitoConfig"])
            case "jwt-validation":
                yield _decode_jwt(answer["JwtValidationConfig"])


def _decode_forward(answer: Answer) -> ForwardAction:
    config = answer.get("ForwardConfig") or {"TargetGroups": [{"TargetGroupArn": answer["TargetGroupArn"]}]}
    sticky = config.get("TargetGroupStickinessConfig", {})
    return ForwardAction(
        target_groups=tuple(
            WeightedTargetGroup(target_group=Arn(item["TargetGroupArn"]), weight=item.get("Weight"))
            for item in config["TargetGroups"]
        ),
        stickiness_enabled=sticky.get("Enabled"),
        stickiness_seconds=sticky.get("DurationSeconds"),
    )


def _decode_redirect(config: Answer) -> RedirectAction:
    return RedirectAction(
        status=config["StatusCode"],
        protocol=config.get("Protocol"),
        host=config.get("Host"),
        port=config.get("Port"),
        path=config.get("Path"),
        query=config.get("Query"),
    )


def _decode_fixed_response(config: Answer) -> FixedResponseAction:
    return FixedResponseAction(
        status=config["StatusCode"],
        content_type=config.get("ContentType") or None,
        body=config.get("MessageBody") or None,
    )


def _decode_oidc(config: Answer) -> AuthenticateOidcAction:
    return AuthenticateOidcAction(
        issuer=config["Issuer"],
        authorization_endpoint=config["AuthorizationEndpoint"],
        token_endpoint=config["TokenEndpoint"],
        user_info_endpoint=config["UserInfoEndpoint"],
        client_id=config["ClientId"],
        client_secret=UNKNOWN,
        session=_decode_session(config),
    )


def _decode_cognito(config: Answer) -> AuthenticateCognitoAction:
    return AuthenticateCognitoAction(
        user_pool_arn=config["UserPoolArn"],
        client_id=config["UserPoolClientId"],
        user_pool_domain=config["UserPoolDomain"],
        session=_decode_session(config),
    )


def _decode_session(config: Answer) -> AuthenticationSession:
    """Decode what both ways of logging in share; a member that AWS leaves out has its default."""
    unauthenticated = config.get("OnUnauthenticatedRequest") or OnUnauthenticated.AUTHENTICATE
    return AuthenticationSession(
        on_unauthenticated=OnUnauthenticated(unauthenticated),
        scope=config.get("Scope") or "openid",
        cookie=config.get("SessionCookieName") or "AWSELBAuthSessionCookie",
        timeout_seconds=int(config.get("SessionTimeout") or 604_800),
        extra_parameters=dict(config.get("AuthenticationRequestExtraParams") or {}),
    )


def _decode_jwt(config: Answer) -> ValidateJwtAction:
    return ValidateJwtAction(
        issuer=config["Issuer"],
        jwks_endpoint=config["JwksEndpoint"],
        claims=tuple(
            JwtClaim(name=claim["Name"], format=claim["Format"], values=tuple(claim["Values"]))
            for claim in config.get("AdditionalClaims") or ()
        ),
    )
