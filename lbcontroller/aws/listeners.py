"""The calls that make, change and delete listeners."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from lbcontroller.aws.action_wire import actions_request, lacks_secret, with_secrets
from lbcontroller.aws.attribute_defaults import beyond, listener_defaults
from lbcontroller.aws.attributes import AttributeWriter
from lbcontroller.aws.caller import AwsCaller
from lbcontroller.aws.errors import is_duplicate, is_not_found, is_quota
from lbcontroller.aws.identity import Identification
from lbcontroller.aws.listener_wire import (
    SECURE_PROTOCOLS,
    certificate_arns,
    certificate_request,
    create_request,
    decode_listener,
    mutual_authentication_request,
    settings_request,
)
from lbcontroller.aws.mirror import Mirror
from lbcontroller.aws.operations import (
    ADD_LISTENER_CERTIFICATES,
    CREATE_LISTENER,
    DELETE_LISTENER,
    DESCRIBE_LISTENERS,
    MODIFY_LISTENER,
    REMOVE_LISTENER_CERTIFICATES,
)
from lbcontroller.aws.presence import require
from lbcontroller.aws.tagging import change_tags, read_tags
from lbcontroller.aws.wire import Changes, given, known, wanted
from lbcontroller.errors import Denied, InvalidConfig, NotReady, Transient
from lbcontroller.model.fields import UNKNOWN
from lbcontroller.model.ids import Arn, CertificateArn
from lbcontroller.model.observed import ObservedListener
from lbcontroller.model.references import Kind
from lbcontroller.model.resources import Listener

_SECRET_SECONDS: Final = 60.0
"""How soon a listener is tried again whose client secret somebody has to provide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listeners:
    """Creates, updates and deletes listeners, writing through to the mirror."""

    caller: AwsCaller
    mirror: Mirror
    identification: Identification
    attributes: AttributeWriter

    def create(self, desired: Listener) -> Arn:
        """Make a listener, or take over the one that a lost reply left.

        Raises:
            NotReady: nobody knows the client secret of a default action.
            LbControllerError: as `AwsCaller.call` does; InvalidConfig also when another one has the port.
        """
        if lacks_secret(desired.default_actions):
            raise NotReady(
                f"listener {desired.id.name} cannot be made while its client secret is unknown",
                retry_after=_SECRET_SECONDS,
            )
        try:
            answer = self.caller.call(CREATE_LISTENER, **create_request(desired))["Listeners"][0]
        except InvalidConfig as error:
            if not is_duplicate(error):
                raise
            return self._adopt(desired, error)
        defaults = listener_defaults(desired)
        certificates = certificate_arns(given(desired.certificates))
        observed = decode_listener(answer, desired.id, known(desired.tags))
        resource = replace(
            observed.resource,
            attributes=defaults,
            certificates=(),
            default_actions=with_secrets(observed.resource.default_actions, desired.default_actions),
        )
        self._record(desired, replace(observed, resource=resource))
        self._add_certificates(observed.arn, certificates)
        self.mirror.amend(observed.arn, certificates=certificates)
        asked_for = beyond(defaults, known(desired.attributes))
        self.attributes.write(observed.arn, desired, defaults, asked_for)
        return observed.arn

    def update(self, arn: Arn, desired: Listener, changes: Changes) -> None:
        """Make the changes: tags, settings, certificates, attributes.

        Raises:
            LbControllerError: as `AwsCaller.call` does.
        """
        observed = require(self.mirror, ObservedListener, arn)
        present = observed.resource
        change_tags(self.caller, arn, changes, present.tags)
        self.mirror.amend(arn, tags=changes.applied_to_tags(present.tags))
        if "certificates" in changes.fields and desired.protocol in SECURE_PROTOCOLS:
            self._set_certificates(arn, desired, present, changes.fields)
        else:
            self._modify(arn, desired, present, changes.fields)
        self.attributes.write(arn, desired, present.attributes, changes.attributes)

    def delete(self, arn: Arn) -> None:
        """Delete a listener; that it is gone already is fine.

        Raises:
            LbControllerError: as `AwsCaller.call` does.
        """
        try:
            self.caller.call(DELETE_LISTENER, ListenerArn=arn)
        except NotReady as error:
            if not is_not_found(error):
                raise
        self.mirror.forget(arn)

    def _modify(self, arn: Arn, desired: Listener, present: Listener, fields: frozenset[str]) -> None:
        request = _modification(desired, present, fields)
        if not request:
            return
        answer = self.caller.call(MODIFY_LISTENER, ListenerArn=arn, **request)["Listeners"][0]
        now = decode_listener(answer, desired.id, {}).resource
        sent = desired.default_actions if "DefaultActions" in request else ()
        self.mirror.amend(
            arn,
            protocol=now.protocol,
            default_actions=with_secrets(now.default_actions, sent, present.default_actions),
            ssl_policy=now.ssl_policy,
            alpn_policy=now.alpn_policy,
            mutual_authentication=now.mutual_authentication,
        )
        if now.protocol not in SECURE_PROTOCOLS:
            self.mirror.amend(arn, certificates=())

    def _set_certificates(
        self, arn: Arn, desired: Listener, present: Listener, fields: frozenset[str]
    ) -> None:
        """Change the listener and its certificates so that its default one is always in the SNI list.

        Nobody could tell later that it is missing there, unless the list is empty.
        """
        certificates = certificate_arns(wanted(Kind.LISTENER, "certificates", desired.certificates))
        before = _present_certificates(present)
        new = tuple(item for item in certificates if item not in before)
        surplus = sorted(set(before) - set(certificates))
        if present.protocol not in SECURE_PROTOCOLS:
            self._modify(arn, desired, present, fields)
        try:
            self._add_certificates(arn, new)
        except Denied as error:
            if not (is_quota(error) and surplus):
                raise
            self._remove_certificates(arn, surplus)
            self._add_certificates(arn, new)
            surplus = []
        if present.protocol in SECURE_PROTOCOLS:
            self._modify(arn, desired, present, fields)
        self._remove_certificates(arn, surplus)
        self.mirror.amend(arn, certificates=certificates)

    def _remove_certificates(self, arn: Arn, certificates: Iterable[CertificateArn]) -> None:
        for certificate in certificates:
            self.caller.call(
                REMOVE_LISTENER_CERTIFICATES, ListenerArn=arn, Certificates=certificate_request(certificate)
            )

    def _add_certificates(self, arn: Arn, certificates: tuple[CertificateArn, ...]) -> None:
        """Add certificates to the SNI list, the default one first."""
        for certificate in (*certificates[:1], *sorted(certificates[1:])):
            self.caller.call(
                ADD_LISTENER_CERTIFICATES, ListenerArn=arn, Certificates=certificate_request(certificate)
            )

    def _adopt(self, desired: Listener, refusal: InvalidConfig) -> Arn:
        answer = self._on_port(desired, refusal)
        arn = Arn(answer["ListenerArn"])
        tags = read_tags(self.caller, [arn]).get(arn, {})
        self.identification.require_ours(desired, tags, f"listener {arn}", refusal)
        self._record(desired, decode_listener(answer, desired.id, tags))
        # What it has is not known, so everything that is asked for is said again.
        self._add_certificates(arn, certificate_arns(given(desired.certificates)))
        self.attributes.write(arn, desired, UNKNOWN, known(desired.attributes))
        return arn

    def _on_port(self, desired: Listener, refusal: InvalidConfig) -> Mapping[str, Any]:
        for page in self.caller.pages(DESCRIBE_LISTENERS, LoadBalancerArn=desired.load_balancer):
            for answer in page["Listeners"]:
                if answer["Port"] == desired.port:
                    found: Mapping[str, Any] = answer
                    return found
        raise Transient(f"{refusal}, although it is not listed yet") from refusal

    def _record(self, desired: Listener, observed: ObservedListener) -> None:
        load_balancer = observed.resource.load_balancer
        # The feature gate that leaves listeners untagged leaves their load balancer's tags alone.
        stack = self.mirror.stack_of(load_balancer) if isinstance(load_balancer, str) else None
        self.mirror.record(stack or self.identification.stack_of(desired), observed)


def _present_certificates(present: Listener) -> tuple[CertificateArn, ...]:
    return certificate_arns(present.certificates if isinstance(present.certificates, tuple) else ())


def _modification(desired: Listener, present: Listener, fields: frozenset[str]) -> dict[str, Any]:
    """Return the parameters of ModifyListener that make the changes; empty when it has nothing to do.

    A new protocol is sent with everything that belongs to it. Otherwise only what changes is sent.
    """
    if "protocol" in fields:
        return settings_request(desired)
    request: dict[str, Any] = {}
    if "default_actions" in fields:
        request["DefaultActions"] = actions_request(desired.default_actions)
    if "ssl_policy" in fields:
        request["SslPolicy"] = wanted(Kind.LISTENER, "ssl_policy", desired.ssl_policy)
    if "alpn_policy" in fields:
        request["AlpnPolicy"] = [wanted(Kind.LISTENER, "alpn_policy", desired.alpn_policy)]
    mutual = wanted(Kind.LISTENER, "mutual_authentication", desired.mutual_authentication)
    if "mutual_authentication" in fields and mutual is not None:
        request["MutualAuthentication"] = mutual_authentication_request(mutual)
    certificates, before = certificate_arns(given(desired.certificates)), _present_certificates(present)
    if "certificates" in fields and certificates and certificates[:1] != before[:1]:
        request["Certificates"] = certificate_request(certificates[0])
    return request
