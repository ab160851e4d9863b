"""Carries out steps in AWS: one function for each kind of resource and each change, nothing decided here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import assert_never

from lbcontroller.aws.attributes import AttributeWriter
from lbcontroller.aws.caller import AwsCaller
from lbcontroller.aws.certificate_imports import CertificateImports, SecretSource, no_secrets
from lbcontroller.aws.certificate_requests import CertificateRequests
from lbcontroller.aws.errors import GONE_SECONDS, is_missing_security_group, is_not_found, is_unauthorized
from lbcontroller.aws.identity import Identification
from lbcontroller.aws.listener_rules import ListenerRules
from lbcontroller.aws.listeners import Listeners
from lbcontroller.aws.load_balancer_targets import LoadBalancerTargets
from lbcontroller.aws.load_balancers import LoadBalancers
from lbcontroller.aws.mirror import Mirror
from lbcontroller.aws.presence import forget_what_is_gone
from lbcontroller.aws.protections import Protections
from lbcontroller.aws.security_groups import SecurityGroups
from lbcontroller.aws.tag_batches import TagBatches
from lbcontroller.aws.target_groups import TargetGroups
from lbcontroller.aws.wire import Changes, without_references
from lbcontroller.errors import Denied, InvalidConfig, LbControllerError, NotReady, Transient
from lbcontroller.model.ids import Arn
from lbcontroller.model.references import Kind, Ref, ResourceId, references
from lbcontroller.model.resources import (
    Certificate,
    Listener,
    ListenerRule,
    ListenerRuleRef,
    LoadBalancer,
    LoadBalancerTarget,
    RequestedCertificate,
    Resource,
    SecurityGroup,
    TargetGroup,
    TargetGroupBinding,
)
from lbcontroller.plan.steps import Create, Delete, Reorder, Step, Update


class Applier:
    """Interprets plans for AWS. Thread-safe.

    Every step is safe to repeat: a create finds what an earlier attempt left behind, a delete of what is gone
    is done.
    """

    def __init__(
        self, caller: AwsCaller, mirror: Mirror, *, cluster: str, secrets: SecretSource = no_secrets
    ) -> None:
        """Work for `cluster`, the name in its tags.

        Args:
            caller: makes the calls.
            mirror: is written through to.
            cluster: whose resources these are.
            secrets: reads the key pair of a certificate at the moment it is imported.
        """
        self._caller = caller
        self._mirror = mirror
        self._cluster = cluster
        identification = Identification(cluster=cluster)
        self._security_groups = SecurityGroups(caller=caller, mirror=mirror, identification=identification)
        attributes = AttributeWriter(caller=caller, mirror=mirror)
        self._target_groups = TargetGroups(
            caller=caller, mirror=mirror, identification=identification, attributes=attributes
        )
        self._load_balancers = LoadBalancers(
            caller=caller,
            mirror=mirror,
            identification=identification,
            attributes=attributes,
            protections=Protections.of(caller, mirror),
        )
        self._listeners = Listeners(
            caller=caller, mirror=mirror, identification=identification, attributes=attributes
        )
        self._rules = ListenerRules(caller=caller, mirror=mirror, identification=identification)
        self._tag_batches = TagBatches(caller=caller, mirror=mirror)
        self._targets = LoadBalancerTargets(caller=caller, mirror=mirror)
        self._certificates = CertificateImports(
            caller=caller, mirror=mirror, identification=identification, secrets=secrets
        )
        self._requests = CertificateRequests(caller=caller, mirror=mirror, identification=identification)

    def prepare(self, steps: Iterable[Step]) -> None:
        """Do at once what steps have in common, before they are taken one by one.

        Raises:
            Transient: AWS could not answer; `LeadershipLost` when this replica may not write.
        """
        self._tag_batches.write(steps)

    def execute(self, step: Step, arns: Mapping[ResourceId, Arn]) -> Arn:
        """Take one step for anything but a TargetGroupBinding and return the ARN it is about.

        Args:
            step: what to do.
            arns: the resources of the stack that exist, for references.

        Raises:
            InvalidConfig: AWS refuses what the user asks for; `UndocumentedRefused` when all else was done.
            NotReady: something has to happen first, or what the step needs is gone and must be planned anew.
            Transient: AWS could not answer; `LeadershipLost` when this replica may not write.
            Denied: a permission or a quota is missing.
        """
        try:
            return self._take(step, arns)
        except (NotReady, InvalidConfig) as error:
            if not (is_not_found(error) or is_missing_security_group(error)):
                raise
            if not forget_what_is_gone(self._caller, self._mirror, _needed(step, arns)):
                if is_missing_security_group(error) and self._are_ours(_security_groups(step, arns)):
                    # EC2 shows what was just made a little earlier than it lets others use it.
                    raise Transient(f"{error}, although it exists") from error
                raise
            raise NotReady(f"{error}; it is planned anew", retry_after=GONE_SECONDS) from error
        except Denied as error:
            gone = self._gone(step, arns) if is_unauthorized(error) else frozenset()
            if not gone:
                raise
            if isinstance(step, Delete) and step.arn in gone:
                return step.arn
            raise NotReady(f"{error}; it is planned anew", retry_after=GONE_SECONDS) from error

    def _gone(self, step: Step, arns: Mapping[ResourceId, Arn]) -> frozenset[Arn]:
        """Return what a step needs and is gone, as far as AWS says so."""
        try:
            return forget_what_is_gone(self._caller, self._mirror, _needed(step, arns))
        except LbControllerError:
            return frozenset()  # what was refused first is what the administrator is to hear of

    def _are_ours(self, arns: Collection[Arn]) -> bool:
        return bool(arns) and all(self._mirror.find(arn) is not None for arn in arns)

    def _take(self, step: Step, arns: Mapping[ResourceId, Arn]) -> Arn:
        match step:
            case Create(resource=resource):
                return self._create(without_references(resource, arns))
            case Update(resource=resource, arn=arn):
                self._update(arn, without_references(resource, arns), Changes.of(step.changes))
            case Delete(id=id_, arn=arn):
                self._delete(id_.kind, arn)
            case Reorder(arn=arn, priorities=priorities):
                self._rules.reorder(arn, _by_arn(priorities, arns))
            case _:
                assert_never(step)
        return arn

    def _create(self, desired: Resource) -> Arn:
        match desired:
            case SecurityGroup():
                arn = self._security_groups.create(desired)
            case TargetGroup():
                arn = self._target_groups.create(desired)
            case LoadBalancer():
                arn = self._load_balancers.create(desired)
            case Listener():
                arn = self._listeners.create(desired)
            case ListenerRule():
                arn = self._rules.create(desired)
            case LoadBalancerTarget():
                arn = self._targets.create(desired)
            case Certificate():
                arn = self._certificates.create(desired)
            case RequestedCertificate():
                arn = self._requests.create(desired)
            case TargetGroupBinding():
                raise TypeError(f"{desired.id} is not in AWS")
            case _:
                assert_never(desired)
        return arn

    def _update(self, arn: Arn, desired: Resource, changes: Changes) -> None:
        match desired:
            case SecurityGroup():
                self._security_groups.update(arn, desired, changes)
            case TargetGroup():
                self._target_groups.update(arn, desired, changes)
            case LoadBalancer():
                self._load_balancers.update(arn, desired, changes)
            case Listener():
                self._listeners.update(arn, desired, changes)
            case ListenerRule():
                self._rules.update(arn, desired, changes)
            case LoadBalancerTarget():
                self._targets.create(desired)
            case Certificate():
                self._certificates.update(arn, desired, changes)
            case RequestedCertificate():
                self._requests.update(arn, desired, changes)
            case TargetGroupBinding():
                raise TypeError(f"{desired.id} is not in AWS")
            case _:
                assert_never(desired)

    def _delete(self, kind: Kind, arn: Arn) -> None:
        match kind:
            case Kind.SECURITY_GROUP:
                self._security_groups.delete(arn)
            case Kind.TARGET_GROUP:
                self._target_groups.delete(arn)
            case Kind.LOAD_BALANCER:
                self._load_balancers.delete(arn)
            case Kind.LISTENER:
                self._listeners.delete(arn)
            case Kind.LISTENER_RULE:
                self._rules.delete(arn)
            case Kind.LOAD_BALANCER_TARGET:
                self._targets.delete(arn)
            case Kind.CERTIFICATE:
                self._certificates.delete(arn)
            case Kind.REQUESTED_CERTIFICATE:
                self._requests.delete(arn)
            case Kind.TARGET_GROUP_BINDING:
                raise TypeError(f"{arn} is not in AWS")
            case _:
                assert_never(kind)


def _needed(step: Step, arns: Mapping[ResourceId, Arn]) -> Iterable[Arn]:
    """Return what must exist for the step to succeed."""
    match step:
        case Create(resource=resource):
            needed = {arns[id_] for id_ in references(resource) if id_ in arns}
        case Update(resource=resource, arn=arn):
            needed = {arn, *(arns[id_] for id_ in references(resource) if id_ in arns)}
        case Delete(arn=arn):
            needed = {arn}
        case Reorder(arn=arn, priorities=priorities):
            needed = {arn, *_by_arn(priorities, arns)}
        case _:
            assert_never(step)
    return sorted(needed | _security_groups(step, arns))


def _by_arn(priorities: Mapping[ListenerRuleRef, int], arns: Mapping[ResourceId, Arn]) -> Mapping[Arn, int]:
    return {
        arns[rule.to] if isinstance(rule, Ref) else rule: priority for rule, priority in priorities.items()
    }


def _security_groups(step: Step, arns: Mapping[ResourceId, Arn]) -> frozenset[Arn]:
    """Return the security groups of the load balancer that a step makes or changes."""
    if isinstance(step, Delete | Reorder) or not isinstance(step.resource, LoadBalancer):
        return frozenset()
    groups = step.resource.security_groups
    if not isinstance(groups, tuple):
        return frozenset()
    return frozenset(arns[group.to] if isinstance(group, Ref) else Arn(group) for group in groups)
