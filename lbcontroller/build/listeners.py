"""Listeners as AWS resources."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from lbcontroller.build.result import BuildContext
from lbcontroller.build.tags import resource_tags
from lbcontroller.config.listener import ActionConfig, ForwardConfig, ListenerConfig, TlsConfig
from lbcontroller.config.target_group import TargetGroupConfig
from lbcontroller.model.actions import Action, ForwardAction, WeightedTargetGroup
from lbcontroller.model.enums import AlpnPolicy, Protocol
from lbcontroller.model.fields import UNMANAGED, Field, OnCreate, Tags
from lbcontroller.model.references import Kind, Ref, ResourceId
from lbcontroller.model.resources import (
    Listener,
    LoadBalancerRef,
    MutualAuthentication,
    MutualAuthenticationMode,
)

ENCRYPTED: Final = frozenset({Protocol.TLS, Protocol.HTTPS})
"""Protocols of listeners that end TLS."""


def build_listener(config: ListenerConfig, load_balancer: LoadBalancerRef, context: BuildContext) -> Listener:
    """Return a listener; its target groups are resources of the same stack, or exist already.

    Raises:
        InvalidConfig: for tags that cannot be set.
    """
    resource_id = ResourceId(Kind.LISTENER, config.resource_name or str(config.port))
    tls = config.tls
    return Listener(
        id=resource_id,
        load_balancer=load_balancer,
        port=config.port,
        protocol=config.protocol,
        default_actions=build_actions(config.actions),
        certificates=UNMANAGED if tls is None else tls.certificates,
        ssl_policy=UNMANAGED if tls is None else _ssl_policy(config.port, tls, context),
        alpn_policy=UNMANAGED if tls is None else _alpn_policy(tls, context),
        attributes=config.attributes,
        tags=listener_tags(config.tags, resource_id, context),
        mutual_authentication=(
            _mutual_authentication(tls, context)
            if tls is not None and config.protocol is Protocol.HTTPS
            else UNMANAGED
        ),
    )


def build_actions(configs: Iterable[ActionConfig]) -> tuple[Action, ...]:
    """Return actions whose target groups are resources of the same stack, or exist already."""
    return tuple(_forward(config) if isinstance(config, ForwardConfig) else config for config in configs)


def target_groups_in(configs: Iterable[ActionConfig]) -> Iterator[TargetGroupConfig]:
    """Yield the target groups that actions need in their stack."""
    for config in configs:
        for target in config.targets if isinstance(config, ForwardConfig) else ():
            if isinstance(target.target_group, TargetGroupConfig):
                yield target.target_group


def listener_tags(user_tags: Tags, resource_id: ResourceId, context: BuildContext) -> Tags:
    """Return the tags of a listener or a rule.

    Return none when listeners are not to be tagged: their tags are not read then either.

    Raises:
        InvalidConfig: for tags that cannot be set.
    """
    tags = resource_tags(context, resource_id, user_tags)
    return tags if context.settings.feature_gates.listener_rules_tagging else {}


def _forward(config: ForwardConfig) -> ForwardAction:
    return ForwardAction(
        target_groups=tuple(
            WeightedTargetGroup(
                target_group=(
                    Ref(ResourceId(Kind.TARGET_GROUP, target.target_group.resource_name))
                    if isinstance(target.target_group, TargetGroupConfig)
                    else target.target_group
                ),
                weight=target.weight,
            )
            for target in config.targets
        ),
        stickiness_enabled=config.stickiness,
        stickiness_seconds=config.stickiness_seconds,
    )


def _ssl_policy(port: int, tls: TlsConfig, context: BuildContext) -> Field[str]:
    """Return the policy asked for, or a default that leaves TLS listeners that exist alone."""
    settings, existing = context.settings, context.inventory.existing
    if tls.ssl_policy is not None:
        return tls.ssl_policy
    becomes_tls = existing is not None and existing.listeners.get(port, Protocol.TLS) not in ENCRYPTED
    if becomes_tls or "default_ssl_policy" in settings.model_fields_set:
        return settings.default_ssl_policy
    return OnCreate(settings.default_ssl_policy)


def _alpn_policy(tls: TlsConfig, context: BuildContext) -> Field[AlpnPolicy]:
    if tls.alpn_policy is not None:
        return tls.alpn_policy
    return AlpnPolicy.NONE if context.settings.feature_gates.enhanced_default_behavior else UNMANAGED


def _mutual_authentication(tls: TlsConfig, context: BuildContext) -> Field[MutualAuthentication]:
    """Leave it alone without the annotation, or switch it off with the gate for that."""
    if tls.mutual_authentication is not None:
        return tls.mutual_authentication
    if context.settings.feature_gates.enhanced_default_behavior:
        return MutualAuthentication(mode=MutualAuthenticationMode.OFF)
    return UNMANAGED
