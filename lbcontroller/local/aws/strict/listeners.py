"""Listeners: every protocol AWS has, one listener per port, idempotent creation, attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from moto.core.responses import ActionResult, EmptyResult
from moto.elbv2.exceptions import ListenerOrBalancerMissingError
from moto.elbv2.ssl_policies import SSL_POLICIES
from moto.moto_api._internal import mock_random

from lbcontroller.local.aws.strict.actions import check_actions
from lbcontroller.local.aws.strict.attributes import is_listener_attribute
from lbcontroller.local.aws.strict.backend import StrictBackend, StrictCalls
from lbcontroller.local.aws.strict.errors import constraint, invalid, refused
from lbcontroller.local.aws.strict.listener_certificates import SECURE_PROTOCOLS, check_certificates
from lbcontroller.local.aws.strict.paging import page
from lbcontroller.local.aws.strict.resources import (
    NewListener,
    StrictListener,
    StrictLoadBalancer,
    normal_actions,
)
from lbcontroller.local.aws.strict.tags import check_tags

MAX_LISTENERS: Final = 50
"""Listeners per load balancer ("Quotas for your Application Load Balancers")."""
DEFAULT_SSL_POLICY: Final = "ELBSecurityPolicy-2016-08"
"""Security policy of listeners created over the API without one."""
_PROTOCOLS: Final = {
    "application": ("HTTP", "HTTPS"),
    "network": ("TCP", "UDP", "TCP_UDP", "TLS", "QUIC", "TCP_QUIC"),
}
_TRANSPORTS: Final = {
    "UDP": frozenset({"udp"}),
    "QUIC": frozenset({"udp"}),
    "TCP_UDP": frozenset({"tcp", "udp"}),
    "TCP_QUIC": frozenset({"tcp", "udp"}),
}
_PORTS: Final = range(1, 65536)


class ListenerCalls(StrictCalls):
    """The API calls about listeners, except their certificates."""

    def create_listener(self) -> ActionResult:
        """Create a listener, or answer the existing one for the same request."""
        backend, params = self.elbv2_backend, self._get_params()
        owner = backend.load_balancer(params["LoadBalancerArn"])
        check_tags(params.get("Tags"))
        request = _checked(backend, owner, params)
        if existing := _occupant(owner, request.port, request.protocol):
            if _same(existing, request):
                return ActionResult({"Listeners": [existing]})
            raise refused(
                "DuplicateListener", "A listener already exists on this port for this load balancer"
            )
        if len(owner.listeners) >= MAX_LISTENERS:
            raise refused("TooManyListeners", "The maximum number of listeners has been reached")
        arn = f"{owner.arn.replace(':loadbalancer/', ':listener/')}/{mock_random.get_random_hex(16)}"
        created = StrictListener(request, arn=arn)  # type: ignore[abstract] # moto's bases are, by name only
        _apply_tls(created, params)
        owner.listeners[arn] = created
        backend.usage.attach(owner.arn, created.default_actions)
        backend.tagging_service.tag_resource(arn, params.get("Tags"))
        return ActionResult({"Listeners": [created]})

    def modify_listener(self) -> ActionResult:
        """Change the given fields of a listener, whatever its protocol."""
        backend, params = self.elbv2_backend, self._get_params()
        owner, changed = backend.listener(params["ListenerArn"])
        port, protocol = params.get("Port", changed.port), params.get("Protocol", changed.protocol)
        if owner.type in _PROTOCOLS:
            _check_protocol(owner, protocol)
        if _occupant(owner, port, protocol, besides=changed):
            raise refused(
                "DuplicateListener", "A listener already exists on this port for this load balancer"
            )
        _check_ssl_policy(params)
        if "Certificates" in params or (protocol in SECURE_PROTOCOLS and not changed.certificate):
            check_certificates(backend, protocol, params.get("Certificates"))
        _check_mutual_authentication(backend, protocol, params)
        if actions := params.get("DefaultActions"):
            check_actions(backend, owner, protocol, actions, instead_of=changed.default_actions)
            backend.usage.detach(owner.arn, changed.default_actions)
            changed.default_actions = normal_actions(actions)
            changed.default_rule.actions = changed.default_actions
            backend.usage.attach(owner.arn, changed.default_actions)
        changed.port, changed.protocol = port, protocol
        changed.ssl_policy = params.get("SslPolicy") or changed.ssl_policy
        if certificates := params.get("Certificates"):
            changed.certificate = certificates[0]["CertificateArn"]
            changed.certificates = [changed.certificate]
        _apply_tls(changed, params)
        return ActionResult({"Listeners": [changed]})

    def delete_listener(self) -> ActionResult:
        """Delete a listener with its rules."""
        backend = self.elbv2_backend
        owner, doomed = backend.listener(self._get_params()["ListenerArn"])
        if backend.leading_to(owner.arn, port=doomed.port):
            raise refused(
                "ResourceInUse", f"Listener '{doomed.arn}' is currently in use by a target group of type alb"
            )
        for rule in doomed.rules.values():
            backend.usage.detach(owner.arn, rule.actions)
        backend.forget_tags([doomed.arn, *(rule.arn for rule in doomed.rules.values())])
        del owner.listeners[doomed.arn]
        return EmptyResult()

    def describe_listeners(self) -> ActionResult:
        """Listeners of a load balancer or by ARN; one that is missing fails the call."""
        backend, params = self.elbv2_backend, self._get_params()
        owner, arns = params.get("LoadBalancerArn"), params.get("ListenerArns") or []
        if not owner and not arns:
            raise ListenerOrBalancerMissingError
        if owner:
            found = list(backend.load_balancer(owner).listeners.values())
        else:
            found = [backend.listener(arn)[1] for arn in dict.fromkeys(arns)]
        return page(found, "Listeners", size=params.get("PageSize"), marker=params.get("Marker"))

    def describe_listener_attributes(self) -> ActionResult:
        """All attributes of a listener."""
        _, listener = self.elbv2_backend.listener(self._get_params()["ListenerArn"])
        return ActionResult({"Attributes": listener.attributes})

    def modify_listener_attributes(self) -> ActionResult:
        """Change attributes whose keys AWS knows."""
        params = self._get_params()
        _, changed = self.elbv2_backend.listener(params["ListenerArn"])
        wanted = {item["Key"]: item.get("Value", "") for item in params["Attributes"]}
        for key in wanted:
            if not is_listener_attribute(key):
                raise invalid(f"Listener attribute key '{key}' is not recognized")
        changed.attributes.update(wanted)
        return ActionResult({"Attributes": changed.attributes})

    def describe_ssl_policies(self) -> ActionResult:
        """Security policies; an unknown name fails the call."""
        for name in self._get_params().get("Names") or ():
            _check_ssl_policy({"SslPolicy": name})
        return super().describe_ssl_policies()


def _checked(backend: StrictBackend, owner: StrictLoadBalancer, params: Mapping[str, Any]) -> NewListener:
    port, protocol = params.get("Port"), params.get("Protocol")
    if owner.type in _PROTOCOLS:
        if port is None:
            raise invalid("A listener port must be specified")
        if protocol is None:
            raise invalid("A listener protocol must be specified")
        _check_protocol(owner, protocol)
        if port not in _PORTS:
            raise constraint(port, "port", f"have value less than or equal to {_PORTS[-1]}")
    _check_ssl_policy(params)
    certificates = params.get("Certificates") or []
    check_certificates(backend, protocol, certificates)
    _check_mutual_authentication(backend, protocol, params)
    check_actions(backend, owner, protocol, params["DefaultActions"])
    return NewListener(
        load_balancer=owner,
        port=port,
        protocol=protocol,
        ssl_policy=params.get("SslPolicy") or DEFAULT_SSL_POLICY,
        certificate=certificates[0]["CertificateArn"] if certificates else None,
        actions=normal_actions(params["DefaultActions"]),
        alpn_policy=params.get("AlpnPolicy"),
    )


def _check_protocol(owner: StrictLoadBalancer, protocol: str) -> None:
    if protocol not in _PROTOCOLS[owner.type]:
        raise invalid(f"Listener protocol '{protocol}' must be one of '{', '.join(_PROTOCOLS[owner.type])}'")


def _check_ssl_policy(params: Mapping[str, Any]) -> None:
    policy = params.get("SslPolicy")
    if policy and policy not in SSL_POLICIES:
        raise refused("SSLPolicyNotFound", f"SSL policy '{policy}' not found")


def _check_mutual_authentication(
    backend: StrictBackend, protocol: str | None, params: Mapping[str, Any]
) -> None:
    wanted = params.get("MutualAuthentication") or {}
    mode = wanted.get("Mode")
    if mode and protocol != "HTTPS":
        raise invalid("Mutual Authentication is supported only on HTTPS listeners")
    if mode == "verify":
        if not wanted.get("TrustStoreArn"):
            raise invalid("Mutual Authentication mode verify requires a trust store")
        if wanted["TrustStoreArn"] not in backend.trust_stores:
            raise refused("TrustStoreNotFound", f"Trust store '{wanted['TrustStoreArn']}' not found")
    if mode not in {"off", "passthrough"}:
        return
    if "IgnoreClientCertificateExpiry" in wanted:
        raise invalid(f"Mutual Authentication mode {mode} does not support ignoring certificate expiry")
    if wanted.get("TrustStoreArn"):
        raise invalid(f"Mutual Authentication mode {mode} does not support trust store")


def _occupant(
    owner: StrictLoadBalancer,
    port: int | None,
    protocol: str | None,
    *,
    besides: StrictListener | None = None,
) -> StrictListener | None:
    """The listener that already has this port on one of the protocol's transports."""
    wanted = _transports(protocol)
    for listener in owner.listeners.values():
        if listener is besides or listener.port != port:
            continue
        if _transports(listener.protocol) & wanted:
            return cast(StrictListener, listener)
    return None


def _transports(protocol: str | None) -> frozenset[str]:
    return _TRANSPORTS.get(protocol or "", frozenset({"tcp"}))


def _same(existing: StrictListener, request: NewListener) -> bool:
    return existing.protocol == (request.protocol or "") and _plain(existing.default_actions) == _plain(
        request.actions
    )


def _plain(actions: Sequence[Any]) -> list[Any]:
    return [action.data for action in actions]


def _apply_tls(listener: StrictListener, params: Mapping[str, Any]) -> None:
    """Set the TLS fields, and remove them from a listener without TLS."""
    listener.alpn_policy = params.get("AlpnPolicy") or listener.alpn_policy or None
    if wanted := params.get("MutualAuthentication"):
        listener.mutual_authentication = wanted
    elif listener.protocol == "HTTPS" and listener.mutual_authentication is None:
        listener.mutual_authentication = {"Mode": "off"}
    if listener.protocol not in SECURE_PROTOCOLS:
        listener.ssl_policy = None
        listener.certificate = None
        listener.certificates = []
