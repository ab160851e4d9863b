"""Listeners as AWS resources."""

from __future__ import annotations

from lbcontroller.build.result import BuildContext
from lbcontroller.build.tags import resource_tags
from lbcontroller.config.listener import ForwardConfig, ListenerConfig, TlsConfig
from lbcontroller.config.target_group import TargetGroupConfig
from lbcontroller.model.actions import ForwardAction, WeightedTargetGroup
from lbcontroller.model.enums import AlpnPolicy, Protocol
from lbcontroller.model.fields import UNMANAGED, Field, OnCreate, Tags
from lbcontroller.model.references import Kind, Ref, ResourceId
from lbcontroller.model.resources import Listener, LoadBalancerRef


def build_listener(config: ListenerConfig, load_balancer: LoadBalancerRef, context: BuildContext) -> Listener:
    """Return a listener; its target groups are resources of the same stack, or exist already.

    Raises:
        InvalidConfig: for tags that cannot be set.
    """
    resource_id = ResourceId(Kind.LISTENER, str(config.port))
    tls = config.tls
    return Listener(
        id=resource_id,
        load_balancer=load_balancer,
        port=config.port,
        protocol=config.protocol,
        default_actions=(_forward(config.action),),
        certificates=UNMANAGED if tls is None else tls.certificates,
        ssl_policy=UNMANAGED if tls is None else _ssl_policy(config.port, tls, context),
        alpn_policy=UNMANAGED if tls is None else _alpn_policy(tls, context),
        attributes=config.attributes,
        tags=_tags(config, resource_id, context),
    )


def _tags(config: ListenerConfig, resource_id: ResourceId, context: BuildContext) -> Tags:
    """Return none when listeners are not to be tagged: their tags are not read then either."""
    tags = resource_tags(context, resource_id, config.tags)
    return tags if context.settings.feature_gates.listener_rules_tagging else {}


def _forward(config: ForwardConfig) -> ForwardAction:
    return ForwardAction(
        target_groups=tuple(
            WeightedTargetGroup(
                target_group=(
                    Ref(ResourceId(Kind.TARGET_GROUP, target.target_group.backend.resource_name))
                    if isinstance(target.target_group, TargetGroupConfig)
                    else target.target_group
                ),
                weight=target.weight,
            )
            for target in config.targets
        ),
        stickiness_enabled=config.stickiness,
    )


def _ssl_policy(port: int, tls: TlsConfig, context: BuildContext) -> Field[str]:
    """Return the policy asked for, or a default that leaves TLS listeners that exist alone."""
    settings, existing = context.settings, context.inventory.existing
    if tls.ssl_policy is not None:
        return tls.ssl_policy
    becomes_tls = existing is not None and existing.listeners.get(port, Protocol.TLS) is not Protocol.TLS
    if becomes_tls or "default_ssl_policy" in settings.model_fields_set:
        return settings.default_ssl_policy
    return OnCreate(settings.default_ssl_policy)


def _alpn_policy(tls: TlsConfig, context: BuildContext) -> Field[AlpnPolicy]:
    if tls.alpn_policy is not None:
        return tls.alpn_policy
    return AlpnPolicy.NONE if context.settings.feature_gates.enhanced_default_behavior else UNMANAGED
