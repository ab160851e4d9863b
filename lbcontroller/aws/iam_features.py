"""What needs which IAM actions: features that an installation switches on or off. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from lbcontroller.aws.operations import (
    ADD_TAGS_TO_CERTIFICATE,
    ASSUME_ROLE,
    CREATE_RULE,
    DELETE_CERTIFICATE,
    DELETE_RULE,
    DESCRIBE_CERTIFICATE,
    DESCRIBE_RULES,
    DESCRIBE_TRUST_STORES,
    IMPORT_CERTIFICATE,
    LIST_TAGS_FOR_CERTIFICATE,
    MODIFY_IP_POOLS,
    MODIFY_RULE,
    OPERATIONS,
    REMOVE_TAGS_FROM_CERTIFICATE,
    REQUEST_CERTIFICATE,
    SET_RULE_PRIORITIES,
    AwsService,
    Operation,
)


class Feature(StrEnum):
    """Something that needs permissions."""

    SERVICES = "services"
    """Network load balancers, target groups and bindings."""
    INGRESSES = "ingresses"
    """Application load balancers."""
    WAF = "waf"
    """WAF Classic."""
    WAFV2 = "wafv2"
    SHIELD = "shield"
    """Shield Advanced."""
    COGNITO = "cognito"
    """Logins at Cognito."""
    TLS_SECRETS = "tls-secrets"
    """Certificates imported from TLS Secrets."""
    REQUESTED_CERTIFICATES = "requested-certificates"
    """Certificates requested for the hosts of Ingresses."""


ONLY_WHERE_ASKED_FOR: Final = frozenset({Feature.TLS_SECRETS, Feature.REQUESTED_CERTIFICATES})
"""What works only with a setting or an annotation: it reads private keys, or changes certificates and DNS."""
EVERYTHING_BY_DEFAULT: Final = frozenset(Feature) - ONLY_WHERE_ASKED_FOR


def actions_of(feature: Feature) -> frozenset[str]:
    """Return every action that a feature needs."""
    declared = frozenset(action for operation in OPERATIONS for action in (operation.action, *operation.also))
    optional = frozenset().union(*OPTIONAL.values())
    always = declared - optional - {ASSUME_ROLE.action}
    match feature:
        case Feature.SERVICES:
            return always
        case Feature.INGRESSES:
            return always | OPTIONAL[feature]
        case _:
            return OPTIONAL[feature]


def _actions(*operations: Operation) -> frozenset[str]:
    return frozenset(operation.action for operation in operations)


def _of_service(service: AwsService) -> frozenset[str]:
    """Return every action that operations of a service need."""
    return frozenset(
        action
        for operation in OPERATIONS
        if operation.service is service
        for action in (operation.action, *operation.also)
    )


OPTIONAL: Final[Mapping[Feature, frozenset[str]]] = {
    Feature.INGRESSES: _actions(
        CREATE_RULE,
        DELETE_RULE,
        DESCRIBE_CERTIFICATE,
        DESCRIBE_RULES,
        DESCRIBE_TRUST_STORES,
        MODIFY_IP_POOLS,
        MODIFY_RULE,
        SET_RULE_PRIORITIES,
    ),
    Feature.WAF: _of_service(AwsService.WAF_REGIONAL),
    Feature.WAFV2: _of_service(AwsService.WAFV2),
    Feature.SHIELD: _of_service(AwsService.SHIELD),
    Feature.COGNITO: frozenset({"cognito-idp:DescribeUserPoolClient"}),
    Feature.TLS_SECRETS: _actions(
        ADD_TAGS_TO_CERTIFICATE,
        DELETE_CERTIFICATE,
        IMPORT_CERTIFICATE,
        LIST_TAGS_FOR_CERTIFICATE,
        REMOVE_TAGS_FROM_CERTIFICATE,
    ),
    Feature.REQUESTED_CERTIFICATES: _of_service(AwsService.ROUTE_53)
    | _actions(
        ADD_TAGS_TO_CERTIFICATE,
        DELETE_CERTIFICATE,
        LIST_TAGS_FOR_CERTIFICATE,
        REMOVE_TAGS_FROM_CERTIFICATE,
        REQUEST_CERTIFICATE,
    )
    | frozenset(REQUEST_CERTIFICATE.also),
}
"""What each feature needs beside what network load balancers need."""
